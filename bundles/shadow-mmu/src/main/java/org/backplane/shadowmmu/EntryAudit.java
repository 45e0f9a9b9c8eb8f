package org.backplane.shadowmmu;

import org.backplane.kvm.spi.cpu.HostMemory;
import org.backplane.kvm.spi.mmu.AuditReport.Rule;
import org.backplane.kvm.spi.mmu.GuestWalk;
import org.backplane.kvm.spi.mmu.Spte;
import org.backplane.kvm.spi.mmu.VmMemory;

/**
 * The part of the audit that compares one SPTE with the one guest entry that it was made of, whether a vCPU can reach it or not: the page
 * mapped or pointed at, the rights, and the accessed and dirty bits.
 */
final class EntryAudit {
    /** Where violations go. */
    interface Report {
        void violation(Rule rule, long gfn, String format, Object... args);
    }

    private static final long PRESENT = 1, LARGE = 1 << 7, ACCESSED = 1 << 5, DIRTY = 1 << 6;
    private static final long ADDRESS = 0x000f_ffff_ffff_f000L, ADDRESS32 = 0xfffff000L;
    private static final long RIGHTS = Spte.W | Spte.U;

    private final VmMemory memory;
    private final ShadowPages pages;
    private final Report report;

    EntryAudit(VmMemory memory, ShadowPages pages, Report report) {
        this.memory = memory;
        this.pages = pages;
        this.report = report;
    }

    // ---- leaves ----

    /** A leaf: present or an MMIO mark. */
    void leaf(ShadowPage p, int i, long e) {
        if (!Spte.present(e) && !Spte.isMmio(e)) {
            report.violation(Rule.TRANSLATION, p.gfn, "entry %d (%x) of %s is neither present nor a device's", i, e, p);
            return;
        }
        if ((e & (Spte.D | Spte.W)) == Spte.D) {
            report.violation(Rule.ACCESSED_DIRTY, p.gfn, "entry %d (%x) of %s is dirty and cannot be written", i, e, p);
        }
        if (p.direct()) mapped(p, i, e, p.gfn + i, Role.rights(p.role), !Role.clean(p.role));
        else madeOf(p, i, e, guestEntry(p, i));
    }

    private void madeOf(ShadowPage p, int i, long e, long g) {
        if ((g & PRESENT) == 0) {
            report.violation(Rule.TRANSLATION, p.gfn, "entry %d (%x) of %s: the guest's entry %x is not present", i, e, p, g);
            return;
        }
        accessed(p, i, e, g);
        long rights = and(Role.rights(p.role), g);
        mapped(p, i, e, (g & (Role.guestLevels(p.role) == 2 ? ADDRESS32 : ADDRESS)) >>> 12, rights, (g & DIRTY) != 0 || !updatable(p));
    }

    private void mapped(ShadowPage p, int i, long e, long gfn, long rights, boolean dirty) {
        long expected = Spte.present(e) ? memory.frame(gfn) : gfn;
        if (Spte.frame(e) != expected || expected == 0 && Spte.present(e)) {
            report.violation(Rule.TRANSLATION, p.gfn, "entry %d (%x) of %s should lead to gfn %x, frame %x", i, e, p, gfn, expected);
        } else if (!Spte.present(e) && memory.frame(gfn) != 0) {
            report.violation(Rule.TRANSLATION, p.gfn, "entry %d (%x) of %s marks a device at gfn %x, which is memory", i, e, p, gfn);
        }
        // With CR0.WP=0 a supervisor's write to a read-only page turns W on and U off.
        boolean turned = !Role.wp(p.role) && Role.guestLevels(p.role) != 0 && (e & RIGHTS) == Spte.W;
        long more = turned ? 0 : e & RIGHTS & ~rights;
        if (more != 0 || rights < 0 && e >= 0) {
            report.violation(Rule.TRANSLATION, p.gfn, "entry %d (%x) of %s allows more than %x", i, e, p, rights);
        }
        if ((e & Spte.W) == 0) return;
        if (!dirty) report.violation(Rule.ACCESSED_DIRTY, p.gfn, "entry %d (%x) of %s is writable, but the guest's entry is clean", i, e, p);
        if (Spte.present(e) && memory.readOnly(gfn)) {
            report.violation(Rule.TRANSLATION, p.gfn, "entry %d (%x) of %s maps the read-only gfn %x writable", i, e, p, gfn);
        }
    }

    // ---- upper entries ----

    /** An upper entry, which names {@code child}. */
    void upper(ShadowPage p, int i, long e, ShadowPage child) {
        int below = p.level() - 1;
        if (p.direct()) {
            child(p, i, e, child, p.gfn + ((long) i << 9 * below), true, Role.rights(p.role));
            return;
        }
        long g = guestEntry(p, i);
        if ((g & PRESENT) == 0) {
            report.violation(Rule.TRANSLATION, p.gfn, "entry %d (%x) of %s: the guest's entry %x is not present", i, e, p, g);
            return;
        }
        accessed(p, i, e, g);
        long rights = and(Role.rights(p.role), g);
        boolean old = Role.guestLevels(p.role) == 2;
        if ((g & LARGE) == 0 || p.level() == 4 || old && !Role.pse(p.role)) {
            child(p, i, e, child, (g & (old ? ADDRESS32 : ADDRESS)) >>> 12, false, rights);
            if (old && Role.quadrant(child.role) != (i & 1)) {
                report.violation(Rule.TRANSLATION, p.gfn, "entry %d (%x) of %s names the wrong half: %s", i, e, p, child);
            }
            return;
        }
        long first = old
                ? (g & 0xffc00000L) >>> 12 | (g >>> 13 & (1 << GuestWalk.PHYSICAL_BITS - 32) - 1) << 20 | (i & 1) << 9
                : (g & ADDRESS) >>> 12 & -(1L << 9 * below);
        if ((g & DIRTY) == 0 && updatable(p) && !Role.clean(child.role)) {
            report.violation(Rule.ACCESSED_DIRTY, p.gfn, "entry %d (%x) of %s names a page of dirty parts, but the guest's entry is clean", i, e, p);
        }
        child(p, i, e, child, first, true, rights);
    }

    private void child(ShadowPage p, int i, long e, ShadowPage child, long gfn, boolean direct, long rights) {
        if (child.key != pages.key(gfn) || direct != child.direct() || direct && child.gfn != gfn) {
            report.violation(Rule.TRANSLATION, p.gfn, "entry %d (%x) of %s should name the shadow of gfn %x, not %s", i, e, p, gfn, child);
        }
        long granted = Role.rights(child.role);
        if ((granted & RIGHTS & ~rights) != 0 || rights < 0 && granted >= 0) {
            report.violation(Rule.TRANSLATION, p.gfn, "entry %d (%x) of %s allows more than %x: %s", i, e, p, rights, child);
        }
    }

    // ---- the guest's entry ----

    private void accessed(ShadowPage p, int i, long e, long g) {
        if ((g & ACCESSED) == 0 && updatable(p)) {
            report.violation(Rule.ACCESSED_DIRTY, p.gfn, "entry %d (%x) of %s exists, but the guest's entry %x was not accessed", i, e, p, g);
        }
    }

    /** In read-only memory accessed and dirty bits stay as they are. */
    private boolean updatable(ShadowPage p) {
        return !memory.readOnly(p.gfn);
    }

    /** The guest's entry that entry {@code i} of a shadow page was made of; zero where there is no memory. */
    private long guestEntry(ShadowPage p, int i) {
        long host = memory.host(p.gfn << 12);
        if (host == 0) return 0;
        if (Role.guestLevels(p.role) != 2) return HostMemory.getLong(host + i * 8L);
        int quadrant = Role.quadrant(p.role);
        // A shadow table of level 1 covers 512 of 1,024 entries; one of level 2 covers 256, each of which makes two.
        int index = p.level() == 1 ? quadrant << 9 | i : quadrant << 8 | i >> 1;
        return HostMemory.getInt(host + index * 4L) & 0xffffffffL;
    }

    private static long and(long rights, long g) {
        return rights & g & RIGHTS | (rights | g) & Spte.NX;
    }
}
