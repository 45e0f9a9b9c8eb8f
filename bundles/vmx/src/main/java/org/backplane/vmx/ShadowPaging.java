package org.backplane.vmx;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.HostMemory;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.SoftTlb;
import org.backplane.kvm.spi.exit.ExitReasons;
import org.backplane.kvm.spi.mmu.GuestWalk;
import org.backplane.kvm.spi.mmu.Spte;

/**
 * Paging with shadow tables: gva to frame in one walk, three levels from {@code v.paeRoot}, or four from {@code v.root} when the guest is in
 * long mode. The guest's own tables are unknown here.
 *
 * <p>The processor underneath runs with CR0.WP, CR4.PAE and EFER.NXE set: a supervisor write needs W like any other. What the guest's
 * own CR0.WP wants is the MMU's affair; SMEP and SMAP are in force as the guest has them. A page that is not dirty gets no write tag, so that the first write sets D in the SPTE.
 */
final class ShadowPaging extends PagingUnit {
    private static final int PAGE_FAULT = 14, ERROR_PRESENT = 1;

    /** log2 of a page, and of the largest that a part in the shadow may be of: 4 MiB, in long mode 1 GiB. */
    private static final int SMALL = 12, LARGEST = 22, LARGEST_LONG = 30;

    /** Of the last walk: the leaf entry, where it is, the rights along the way; or the error. */
    private long leaf, leafHost, rights;

    ShadowPaging(VmxVcpu x) {
        super(x);
    }

    @Override
    long walk(long gva, int access) {
        for (int n = 0; n < TRIES; n++) {
            if (!find(gva)) return Intercepts.T_EXIT;
            if (Spte.present(leaf)) {
                if (allowed(rights, access)) {
                    long answer = fill(gva, access);
                    if (answer != AGAIN) return answer;
                    continue;
                }
            } else if (Spte.isMmio(leaf) && allowed(leaf, access)) {
                return mmio((leaf & Spte.FRAME_MASK) | gva & 0xfff, gva, access);
            }
            long answer = pageFault(gva, access & 0x16 | (Spte.present(leaf) ? ERROR_PRESENT : 0));
            if (answer == DEVICE) return deviceAfterExit(gva, access);
            if (answer != AGAIN) return answer;
        }
        return Intercepts.T_RETRY;
    }

    /** Walks to the leaf. False after a bad entry, which has been reported. */
    private boolean find(long gva) {
        long e;
        int level;
        if ((s.efer & CpuState.EFER_LMA) != 0) {
            e = Spte.of(v.root, Spte.P | Spte.W | Spte.U);
            level = 4;
        } else {
            e = v.paeRoot[(int) (gva >>> 30) & 3];
            level = 2;
            if (!Spte.present(e)) {
                leaf = 0;
                return true;
            }
            // A PDPTE gives no rights of its own.
            e |= Spte.W | Spte.U;
        }
        long r = Spte.W | Spte.U;
        while (true) {
            long table = frames.host(Spte.frame(e));
            if (table == 0) {
                badEntry(ExitReasons.MACHINE_CHECK, gva, e);
                return false;
            }
            long at = table + Spte.index(gva, level) * 8L;
            e = HostMemory.getLong(at);
            if (!Spte.present(e)) {
                leaf = e;
                return true;
            }
            r = r & e | (r | e) & Spte.NX;
            if (level == 1) {
                leaf = e;
                leafHost = at;
                rights = r;
                return true;
            }
            if (!set(at, e, Spte.A)) return find(gva);
            level--;
        }
    }

    private boolean allowed(long rights, int access) {
        // W and U have the same places in an entry and in an access.
        int need = access & (Intercepts.WRITE | Intercepts.USER);
        boolean fetch = (access & Intercepts.FETCH) != 0;
        if ((rights & need) != need || fetch && rights < 0) return false;
        return (access & Intercepts.USER) != 0 || !guarded(rights) || !GuestWalk.userPageShut(s, fetch);
    }

    /** May SMEP or SMAP keep the supervisor out? */
    private boolean guarded(long rights) {
        return (rights & Spte.U) != 0 && (s.cr4 & (CpuState.CR4_SMEP | CpuState.CR4_SMAP)) != 0 && s.paging();
    }

    private long fill(long gva, int access) {
        long frame = Spte.frame(leaf);
        long host = frames.host(frame);
        if (host == 0) return badEntry(ExitReasons.MACHINE_CHECK, gva, leaf);
        boolean write = (access & Intercepts.WRITE) != 0;
        if (!set(leafHost, leaf, write ? Spte.A | Spte.D : Spte.A)) return AGAIN;
        boolean dirty = write || (leaf & Spte.D) != 0;
        if (frame == x.vmcs.apicFrame) return apic(gva, access);
        boolean code = holdsCode(frame, access);
        boolean user = (access & Intercepts.USER) != 0;
        boolean guarded = !user && guarded(rights);
        // What SMAP says depends on RFLAGS.AC, which changes without a flush.
        boolean data = !guarded || (s.cr4 & CpuState.CR4_SMAP) == 0;
        boolean fetch = rights >= 0 && (!guarded || (s.cr4 & CpuState.CR4_SMEP) == 0);
        int shift = (leaf & Spte.LARGE) == 0 ? SMALL : s.longModeActive() ? LARGEST_LONG : LARGEST;
        boolean global = (leaf & Spte.G) != 0 && (s.cr4 & CpuState.CR4_PGE) != 0;
        boolean writable = data && (rights & Spte.W) != 0 && dirty && !code;
        tlb.fill(user ? SoftTlb.USER : SoftTlb.SUPERVISOR, gva, host, data, writable, fetch, global, shift);
        return host + (gva & 0xfff);
    }

    /** A #PF of the processor: a VM exit, unless the exception bitmap and the error-code mask say otherwise (SDM 3C 25.2). */
    private long pageFault(long gva, int error) {
        if (!x.vmcs.pageFaultExits(error)) {
            s.cr2 = gva;
            v.fault(PAGE_FAULT, error);
            return Intercepts.T_FAULT;
        }
        recordFault(gva, error);
        long rip = s.rip;
        long rcx = s.gpr[CpuState.RCX];
        // The handler sets CR2 when it answers FAULT.
        return afterFault(x.exits.dispatch(ExitReasons.EXCEPTION_NMI), rip, rcx);
    }

    private void recordFault(long gva, int error) {
        x.exits.record(ExitReasons.EXCEPTION_NMI, gva);
        v.exit.insnLength = 0;
        v.exit.gva = gva;
        v.exit.interruptionInfo =
                CpuState.INFO_VALID | CpuState.TYPE_HARDWARE_EXCEPTION | CpuState.INFO_ERROR_CODE | PAGE_FAULT;
        v.exit.interruptionError = error;
    }

    @Override
    void recordMmio(long gpa, int access) {
        recordFault(mmioGva, mmioAccess & 0x16);
        v.exit.gpa = gpa;
    }
}
