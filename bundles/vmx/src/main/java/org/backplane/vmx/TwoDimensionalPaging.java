package org.backplane.vmx;

import java.util.Arrays;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.HostMemory;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.SoftTlb;
import org.backplane.kvm.spi.exit.ExitReasons;
import org.backplane.kvm.spi.mmu.GuestWalk;
import org.backplane.kvm.spi.mmu.Spte;

/**
 * Paging with EPT: the guest's own tables give the gpa, the tables at {@code v.root} (four levels) the frame. Every access to a guest
 * table entry goes through EPT too.
 *
 * <p>Page faults are the guest's own and no exit; CR2 is set here. What EPT does not allow is an EPT violation (exit 48), whose handler
 * changes the tables. Accessed and dirty bits are set in the guest's entries; that write honours EPT's rights (and so the dirty
 * log) and drops code that was made of the entry's bytes.
 *
 * <p><b>Guest tables.</b> The host addresses of the last guest tables are remembered until the next flush of the TLB: EPT never loses an
 * entry without one.
 */
final class TwoDimensionalPaging extends PagingUnit implements GuestWalk.Memory {
    private static final int PAGE_FAULT = 14;

    /** Guest tables remembered, a power of two. */
    private static final int TABLES = 16;

    /** Exit qualification of an EPT violation (SDM 3C table 27-7). */
    private static final int Q_READ = 1, Q_WRITE = 2, Q_FETCH = 4, Q_LINEAR = 1 << 7, Q_FINAL = 1 << 8;

    private final GuestWalk guest = new GuestWalk();

    /** Of the last EPT walk: where the leaf entry is, 0 if a table above is missing. */
    private long leafHost;

    /** Why {@link GuestWalk.Memory} aborted. */
    private long aborted;

    /** The gva under translation, for exit records. */
    private long gva;

    /** Guest tables by GFN: where they are in the host, and the flushes when that was found out. */
    private final long[] tableGfn = new long[TABLES], tableHost = new long[TABLES], tableFlushes = new long[TABLES];

    TwoDimensionalPaging(VmxVcpu x) {
        super(x);
        Arrays.fill(tableGfn, -1);
    }

    @Override
    long walk(long gva, int access) {
        this.gva = gva;
        for (int n = 0; n < TRIES; n++) {
            long answer = once(gva, access);
            if (answer == DEVICE) return deviceAfterExit(gva, access);
            if (answer != AGAIN) return answer;
        }
        return Intercepts.T_RETRY;
    }

    private long once(long gva, int access) {
        switch (guest.walk(v, this, gva, access, true)) {
            case GuestWalk.OK:
                break;
            case GuestWalk.FAULT:
                cr2Before = s.cr2;
                s.cr2 = gva;
                v.fault(PAGE_FAULT, guest.errorCode);
                return Intercepts.T_FAULT;
            default:
                return aborted;
        }
        long gpa = guest.gpa;
        long leaf = ept(gpa);
        if (leaf == BAD) return Intercepts.T_EXIT;
        boolean write = (access & Intercepts.WRITE) != 0;
        if (Spte.isMmio(leaf)) return mmio(gpa, gva, access);
        if ((leaf & (Spte.P | Spte.W)) == Spte.W) return misconfigured(gpa);
        if (!Spte.present(leaf)
                || write && (leaf & Spte.W) == 0
                || (access & Intercepts.FETCH) != 0 && (leaf & Spte.NX) != 0) {
            return violation(gpa, access, leaf, true);
        }
        return fill(gva, access, leaf);
    }

    private long fill(long gva, int access, long leaf) {
        long frame = Spte.frame(leaf);
        long host = frames.host(frame);
        if (host == 0) return badEntry(ExitReasons.EPT_MISCONFIGURATION, guest.gpa, leaf);
        if (!set(leafHost, leaf, (access & Intercepts.WRITE) != 0 ? Spte.A | Spte.D : Spte.A)) return AGAIN;
        if (frame == x.vmcs.apicFrame) return apic(gva, access);
        boolean code = holdsCode(frame, access);
        int user = access & Intercepts.USER;
        boolean read = guest.allows(s, user);
        boolean write = guest.dirty && !code && (leaf & Spte.W) != 0 && guest.allows(s, user | Intercepts.WRITE);
        boolean fetch = leaf >= 0 && guest.allows(s, user | Intercepts.FETCH);
        if (user == 0 && (s.cr4 & CpuState.CR4_SMAP) != 0 && (guest.rights & Spte.U) != 0) {
            // Depends on RFLAGS.AC, which changes without a flush.
            read = write = false;
        }
        tlb.fill(user != 0 ? SoftTlb.USER : SoftTlb.SUPERVISOR, gva, host, read, write, fetch, guest.global, guest.pageShift);
        return host + (guest.gpa & 0xfff);
    }

    // ---- EPT ----

    /** What {@link #ept} answers after a bad entry, which has been reported: all ones is no entry. */
    private static final long BAD = -1;

    /** The leaf entry for a gpa, 0 if there is none. */
    private long ept(long gpa) {
        long e = v.root << 12;
        for (int level = 4; ; level--) {
            long table = frames.host(Spte.frame(e));
            if (table == 0) {
                badEntry(ExitReasons.EPT_MISCONFIGURATION, gpa, e);
                return BAD;
            }
            long at = table + Spte.index(gpa, level) * 8L;
            e = HostMemory.getLong(at);
            if (level == 1) {
                leafHost = at;
                return e;
            }
            if (!Spte.present(e)) return 0;
        }
    }

    /** EPT violation: a VM exit. {@code last} tells the access to the page from one to a guest table. */
    private long violation(long gpa, int access, long leaf, boolean last) {
        record(gpa, access, leaf, last);
        long rip = s.rip;
        long rcx = s.gpr[CpuState.RCX];
        return afterFault(x.exits.dispatch(ExitReasons.EPT_VIOLATION), rip, rcx);
    }

    /** Writable and not readable (SDM 3C 28.2.3.1). */
    private long misconfigured(long gpa) {
        x.exits.record(ExitReasons.EPT_MISCONFIGURATION, 0);
        v.exit.gpa = gpa;
        x.exits.slow(ExitReasons.EPT_MISCONFIGURATION);
        return Intercepts.T_EXIT;
    }

    private void record(long gpa, int access, long leaf, boolean last) {
        int q = (access & Intercepts.FETCH) != 0 ? Q_FETCH : (access & Intercepts.WRITE) != 0 ? Q_WRITE : Q_READ;
        if (Spte.present(leaf)) q |= 1 << 3 | ((leaf & Spte.W) != 0 ? 1 << 4 : 0) | (leaf >= 0 ? 1 << 5 : 0);
        x.exits.record(ExitReasons.EPT_VIOLATION, q | Q_LINEAR | (last ? Q_FINAL : 0));
        v.exit.insnLength = 0;
        v.exit.gva = gva;
        v.exit.gpa = gpa;
        v.exit.interruptionError = access & 0x16 | (Spte.present(leaf) ? 1 : 0);
    }

    @Override
    void recordMmio(long gpa, int access) {
        gva = mmioGva;
        record(gpa, access, 0, true);
    }

    // ---- guest tables ----

    @Override
    public long host(long gpa) {
        long gfn = gpa >>> 12;
        int i = (int) gfn & TABLES - 1;
        if (tableGfn[i] == gfn && tableFlushes[i] == tlb.flushes) return tableHost[i] + (gpa & 0xfff);
        long host = table(gpa, Intercepts.READ);
        if (host > 0) {
            tableGfn[i] = gfn;
            tableHost[i] = host & SoftTlb.PAGE;
            tableFlushes[i] = tlb.flushes;
        }
        return host;
    }

    @Override
    public long hostForUpdate(long gpa) {
        if (v.memory.readOnly(gpa >>> 12)) return 0;
        long host = table(gpa, Intercepts.WRITE);
        if (host > 0 && (frames.codeMask(Spte.frame(HostMemory.getLong(leafHost))) >>> (gpa >>> 7 & 31) & 1) != 0) {
            v.memory.beforeWrite(gpa, 1);
        }
        return host;
    }

    private long table(long gpa, int access) {
        for (int n = 0; n < TRIES; n++) {
            long leaf = ept(gpa);
            if (leaf == BAD) {
                aborted = Intercepts.T_EXIT;
                return -1;
            }
            if (Spte.isMmio(leaf)) return 0;
            if (Spte.present(leaf) && ((access & Intercepts.WRITE) == 0 || (leaf & Spte.W) != 0)) {
                long host = frames.host(Spte.frame(leaf));
                if (host != 0) return host + (gpa & 0xfff);
                aborted = badEntry(ExitReasons.EPT_MISCONFIGURATION, gpa, leaf);
                return -1;
            }
            aborted = violation(gpa, access, leaf, false);
            if (aborted == DEVICE) return 0;
            if (aborted != AGAIN) return -1;
        }
        aborted = Intercepts.T_RETRY;
        return -1;
    }
}
