package org.backplane.vmx;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.HostMemory;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.SoftTlb;
import org.backplane.kvm.spi.exit.ExitReasons;
import org.backplane.kvm.spi.mmu.Spte;

/**
 * Paging with shadow tables: gva to frame in one walk, three levels from {@code v.paeRoot}, or four from {@code v.root} when the guest is in
 * long mode. The guest's own tables are unknown here.
 *
 * <p>The processor underneath runs with CR0.WP, CR4.PAE and EFER.NXE set: a supervisor write needs W like any other. What the guest's
 * own CR0.WP wants is the MMU's affair. A page that is not dirty gets no write tag, so that the first write sets D in the SPTE.
 */
final class ShadowPaging extends PagingUnit {
    private static final int PAGE_FAULT = 14, ERROR_PRESENT = 1;

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
                if (allowed(rights, access)) return fill(gva, access);
            } else if (Spte.isMmio(leaf) && allowed(leaf, access)) {
                return mmio((leaf & Spte.FRAME_MASK) | gva & 0xfff, gva, access);
            }
            long answer = pageFault(gva, access & 0x16 | (Spte.present(leaf) ? ERROR_PRESENT : 0));
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
            set(at, e, Spte.A);
            level--;
        }
    }

    private static boolean allowed(long rights, int access) {
        // W and U have the same places in an entry and in an access.
        int need = access & (Intercepts.WRITE | Intercepts.USER);
        return (rights & need) == need && ((access & Intercepts.FETCH) == 0 || rights >= 0);
    }

    private long fill(long gva, int access) {
        long frame = Spte.frame(leaf);
        long host = frames.host(frame);
        if (host == 0) return badEntry(ExitReasons.MACHINE_CHECK, gva, leaf);
        boolean write = (access & Intercepts.WRITE) != 0;
        set(leafHost, leaf, write ? Spte.A | Spte.D : Spte.A);
        boolean dirty = write || (leaf & Spte.D) != 0;
        boolean code = holdsCode(frame, access);
        int half = (access & Intercepts.USER) != 0 ? SoftTlb.USER : SoftTlb.SUPERVISOR;
        tlb.fill(half, gva, host, true, (rights & Spte.W) != 0 && dirty && !code, rights >= 0, (leaf & Spte.G) != 0);
        return host + (gva & 0xfff);
    }

    /** A #PF of the processor: a VM exit, unless the exception bitmap and the error-code mask say otherwise (SDM 3C 25.2). */
    private long pageFault(long gva, int error) {
        Vmcs m = x.vmcs;
        boolean match = (error & m.pageFaultMask) == m.pageFaultMatch;
        if (match != ((m.exceptionBitmap & 1 << PAGE_FAULT) != 0)) {
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

    /** One entry: the shadow's pages are all of 4 KiB, and the MMU flushes when a table above them changes. */
    @Override
    void invalidate(long gva) {
        tlb.flushPage(gva);
    }
}
