package org.backplane.shadowmmu;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import org.backplane.kvm.spi.cpu.SoftTlb;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.mmu.AuditReport;
import org.backplane.kvm.spi.mmu.AuditReport.Rule;
import org.backplane.kvm.spi.mmu.AuditReport.Violation;
import org.backplane.kvm.spi.mmu.FrameTable;
import org.backplane.kvm.spi.mmu.GuestWalk;
import org.backplane.kvm.spi.mmu.Spte;
import org.backplane.kvm.spi.mmu.VmMemory;

/**
 * The audit of the shadow (kvm-internals: audit invariants), one use an object.
 *
 * <p><b>What is compared.</b> Every entry of every shadow page, of address spaces that do not run as well, with the guest's entry that it was made
 * of ({@link EntryAudit}); every leaf that a vCPU can reach now with a fresh walk of the guest's tables from CR3; the reverse map with the leaves, both
 * ways; the parents with the upper entries, both ways; and the write tags of the TLBs with the shadowed tables.
 *
 * <p><b>Independence.</b> Nothing is taken from the code that makes entries, but the layout of a role. A page that says of itself what it is not
 * is found by the fresh walk.
 *
 * <p><b>Assumes.</b> All vCPUs are at a boundary, with no TLB flush owed to one of them. Corrupt tables give violations and no exception.
 */
final class ShadowAudit {
    private final VmMemory memory;
    private final FrameTable frames;
    private final ShadowPages pages;
    private final List<VcpuContext> vcpus;
    private final EntryAudit entries;
    private final GuestWalk walk = new GuestWalk();
    private final GuestWalk.Memory over;
    private final List<Violation> found = new ArrayList<>();
    private long count, checks;

    /** The pages in use, and the place of each in this list by frame number, -1 for a frame that is no shadow page. */
    private final List<ShadowPage> all = new ArrayList<>();

    private int[] ordinals = new int[0];

    /** Entries seen from the other side, by place of the page and index: leaves in the reverse map, upper entries among the parents. */
    private final BitSet leaves = new BitSet(), uppers = new BitSet();

    ShadowAudit(VmMemory memory, ShadowPages pages, List<VcpuContext> vcpus) {
        this.memory = memory;
        this.frames = memory.frames();
        this.pages = pages;
        this.vcpus = vcpus;
        over = GuestWalk.over(memory);
        entries = new EntryAudit(memory, pages, this::violation);
    }

    AuditReport run() {
        list();
        reverseMap();
        parents();
        for (int n = 0; n < all.size(); n++) page(n);
        for (VcpuContext v : vcpus) {
            active(v);
            writeTags(v);
        }
        return new AuditReport(checks, List.copyOf(found), count);
    }

    private void violation(Rule rule, long gfn, String format, Object... args) {
        if (count++ < AuditReport.MOST) found.add(new Violation(rule, gfn, String.format(format, args)));
    }

    private void list() {
        int most = 0;
        for (ShadowPage p = pages.newest(); p != null; p = p.lruNext) {
            all.add(p);
            most = (int) Math.max(most, p.frame);
        }
        ordinals = new int[most + 1];
        Arrays.fill(ordinals, -1);
        for (int n = 0; n < all.size(); n++) ordinals[(int) all.get(n).frame] = n;
        if (all.size() != pages.inUse) {
            violation(Rule.PARENTS, 0, "%d shadow pages are listed and %d are in use", all.size(), pages.inUse);
        }
    }

    private int ordinal(long frame) {
        return frame > 0 && frame < ordinals.length ? ordinals[(int) frame] : -1;
    }

    /** Guest page of a RAM frame; where several slots show the same memory, one of them. */
    private long gfn(long frame) {
        for (VmMemory.Slot s : memory.slots()) {
            if (frame >= s.frame() && frame < s.frame() + s.pages()) return s.gfn() + frame - s.frame();
        }
        return -1;
    }

    // ---- both ways ----

    /** Each reference of the reverse map is a present leaf of that frame, and there once; {@link #page} asks for those that are missing. */
    private void reverseMap() {
        for (long frame = 1; frame < pages.rmap.frames(); frame++) {
            for (long ref = pages.rmap.first(frame); ref != 0; ref = pages.rmap.next()) {
                int n = ordinal(ShadowPage.frameOf(ref));
                int i = ShadowPage.indexOf(ref);
                long e = n < 0 ? 0 : frames.entry(ShadowPage.frameOf(ref), i);
                if (n < 0 || all.get(n).level() != 1 || !Spte.present(e) || Spte.frame(e) != frame) {
                    violation(Rule.RMAP, gfn(frame), "the reverse map names entry %d of frame %x, which is %x", i, ShadowPage.frameOf(ref), e);
                } else if (leaves.get(n << 9 | i)) {
                    violation(Rule.RMAP, gfn(frame), "the reverse map names entry %d of %s twice", i, all.get(n));
                } else {
                    leaves.set(n << 9 | i);
                }
            }
        }
    }

    /** Each parent of a page is a present upper entry that points at it, and there once. */
    private void parents() {
        for (ShadowPage p : all) {
            for (long ref : p.parentRefs()) {
                int n = ordinal(ShadowPage.frameOf(ref));
                int i = ShadowPage.indexOf(ref);
                long e = n < 0 ? 0 : frames.entry(ShadowPage.frameOf(ref), i);
                if (n < 0 || all.get(n).level() != p.level() + 1 || !Spte.present(e) || Spte.frame(e) != p.frame) {
                    violation(Rule.PARENTS, p.gfn, "%s has entry %d of frame %x as a parent, which is %x", p, i, ShadowPage.frameOf(ref), e);
                } else if (uppers.get(n << 9 | i)) {
                    violation(Rule.PARENTS, p.gfn, "%s has entry %d of %s as a parent twice", p, i, all.get(n));
                } else {
                    uppers.set(n << 9 | i);
                }
            }
        }
    }

    private void page(int n) {
        ShadowPage p = all.get(n);
        if (pages.at(p.frame) != p) violation(Rule.PARENTS, p.gfn, "frame %x is not that of %s", p.frame, p);
        boolean leaf = p.level() == 1;
        for (int i = 0; i < 512; i++) {
            long e = frames.entry(p.frame, i);
            if (e == 0) continue;
            checks++;
            if (leaf) leaf(n, i, e);
            else upper(n, i, e);
        }
    }

    private void leaf(int n, int i, long e) {
        ShadowPage p = all.get(n);
        entries.leaf(p, i, e);
        if (!Spte.present(e)) return;
        long frame = Spte.frame(e);
        if (!leaves.get(n << 9 | i)) violation(Rule.RMAP, gfn(frame), "the reverse map lacks entry %d (%x) of %s", i, e, p);
        if ((e & Spte.W) != 0 && pages.shadowed(frame)) {
            violation(Rule.WRITE_PROTECTION, gfn(frame), "entry %d (%x) of %s maps a page table writable", i, e, p);
        }
    }

    private void upper(int n, int i, long e) {
        ShadowPage p = all.get(n);
        int child = Spte.present(e) ? ordinal(Spte.frame(e)) : -1;
        if (child < 0 || all.get(child).level() != p.level() - 1) {
            violation(Rule.PARENTS, p.gfn, "entry %d (%x) of %s names no page of the level below", i, e, p);
            return;
        }
        if (!uppers.get(n << 9 | i)) {
            violation(Rule.PARENTS, all.get(child).gfn, "%s is no parent of %s that its entry %d names", p, all.get(child), i);
        }
        entries.upper(p, i, e, all.get(child));
    }

    // ---- what a vCPU can reach ----

    /** Every leaf from the active root is what a walk of the guest's tables gives now, and allows no more. */
    private void active(VcpuContext v) {
        if (v.root != 0) {
            table(v, v.root, 4, 0);
            return;
        }
        for (int i = 0; i < 4; i++) {
            if (Spte.present(v.paeRoot[i])) table(v, Spte.frame(v.paeRoot[i]), 2, (long) i << 30);
        }
    }

    private void table(VcpuContext v, long frame, int level, long gva) {
        int n = ordinal(frame);
        if (n < 0 || all.get(n).level() != level) {
            // A wrong entry has been reported with its page; a wrong root has none.
            if (level == 4 || v.root == 0 && level == 2) {
                violation(Rule.PARENTS, 0, "the root for gva %x names frame %x, which is no shadow page of level %d", gva, frame, level);
            }
            return;
        }
        for (int i = 0; i < 512; i++) {
            long e = frames.entry(frame, i);
            if (e == 0) continue;
            long at = gva | (long) i << 12 + 9 * (level - 1);
            if (level == 4) at = at << 16 >> 16;
            if (level == 1) reachable(v, at, e);
            else if (Spte.present(e)) table(v, Spte.frame(e), level - 1, at);
        }
    }

    private void reachable(VcpuContext v, long gva, long e) {
        boolean user = (e & Spte.U) != 0;
        int access = (user ? GuestWalk.ERROR_USER : 0) | (e >= 0 ? GuestWalk.ERROR_FETCH : 0);
        if (walk.walk(v, over, gva, access, false) != GuestWalk.OK) {
            violation(Rule.TRANSLATION, guestTable(), "gva %x: entry %x, but the guest's tables give error %x", gva, e, walk.errorCode);
            return;
        }
        long gfn = walk.gpa >>> 12;
        long expected = Spte.present(e) ? memory.frame(gfn) : gfn;
        if (Spte.frame(e) != expected) {
            violation(Rule.TRANSLATION, gfn, "gva %x: entry %x, but the guest's tables lead to gpa %x", gva, e, walk.gpa);
        }
        if ((e & Spte.W) == 0) return;
        if (!walk.allows(v.state, GuestWalk.ERROR_WRITE | (user ? GuestWalk.ERROR_USER : 0))) {
            violation(Rule.TRANSLATION, gfn, "gva %x: entry %x is writable, but the guest's tables do not allow that", gva, e);
        } else if (!walk.dirty) {
            violation(Rule.ACCESSED_DIRTY, gfn, "gva %x: entry %x is writable, but the guest's entry is clean", gva, e);
        }
    }

    /** The guest's table in which the last walk, which failed, ended. */
    private long guestTable() {
        for (int l = 1; l <= walk.levels; l++) if (walk.pteGpa[l] != 0) return walk.pteGpa[l] >>> 12;
        return 0;
    }

    /** No write tag for a shadowed table. */
    private void writeTags(VcpuContext v) {
        long[] hosts = new long[all.size()];
        for (int n = 0; n < hosts.length; n++) {
            ShadowPage p = all.get(n);
            hosts[n] = p.direct() || p.key < 0 ? 0 : frames.host(p.key);
        }
        Arrays.sort(hosts);
        long[] e = v.tlb.entries;
        for (int i = 0; i < e.length; i += 4) {
            long tag = e[i + SoftTlb.WRITE];
            if (tag == SoftTlb.INVALID || Arrays.binarySearch(hosts, tag + e[i + SoftTlb.ADDEND]) < 0) continue;
            violation(Rule.WRITE_PROTECTION, table(tag + e[i + SoftTlb.ADDEND]), "the TLB lets gva %x write a page table", tag);
        }
    }

    private long table(long host) {
        for (ShadowPage p : all) if (!p.direct() && p.key > 0 && frames.host(p.key) == host) return p.gfn;
        return -1;
    }
}
