package org.backplane.vmx;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.HostMemory;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.SoftTlb;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.mmu.FrameTable;
import org.backplane.kvm.spi.mmu.Spte;

/**
 * The processor's paging unit: what happens on a TLB miss. It walks the tables that are active, sets accessed and dirty bits in them,
 * fills the TLB, and makes VM exits where the tables do not allow the access.
 *
 * <p><b>Guarantees.</b> A host address leaves this class only for a frame that is in use: an entry that names another ends the run with a
 * report ({@link #badEntry}), whatever wrote it. A write tag goes into the TLB only if the page may be written without anyone having to know
 * each time: not clean, not read-only, no code in it.
 *
 * <p><b>Devices.</b> A device address never enters the TLB, so that every access to one comes here. A small cache of its own saves the walk. An
 * entry counts only as long as the TLB has not been flushed, not even by INVLPG: whatever would make it wrong flushes the TLB.
 *
 * <p><b>Threading.</b> The vCPU's thread.
 */
abstract sealed class PagingUnit permits ShadowPaging, TwoDimensionalPaging {
    /** After so many exits that "fixed" the tables and did not, the engine gets a turn to see a request to leave. */
    static final int TRIES = 8;

    /** Entries of the device cache, a power of two. */
    private static final int DEVICE_PAGES = 64;

    /** Answer of an exit helper: the tables were changed, walk again. Not one of {@link Intercepts}' answers. */
    static final long AGAIN = -16;

    /** Another one: the access of an event's delivery is to be made as one to a device at {@code v.gpa} ({@code ExitDispatcher.handle}). */
    static final long DEVICE = -17;

    final VmxVcpu x;
    final VcpuContext v;
    final CpuState s;
    final SoftTlb tlb;
    final FrameTable frames;

    /** Address and access of the last {@link Intercepts#T_MMIO} answer, for the record of a slow exit. */
    long mmioGva;

    int mmioAccess;

    /** That answer was for the APIC-access page. */
    boolean apicAccess;

    /** The exit of that access has been made and shown already; what is still to be done is the access itself. */
    boolean exitMade;

    /** CR2 before the last #PF that may still exit. */
    long cr2Before;

    /** The device cache: page of the gva with the access in its low bits, page of the gpa, flushes when it was entered. */
    private final long[] deviceTag = new long[DEVICE_PAGES], deviceGpa = new long[DEVICE_PAGES], deviceFlushes = new long[DEVICE_PAGES];

    PagingUnit(VmxVcpu x) {
        this.x = x;
        this.v = x.v;
        this.s = v.state;
        this.tlb = v.tlb;
        this.frames = v.memory.frames();
    }

    /** {@link Intercepts#translate}. */
    final long translate(long gva, int access) {
        int i = deviceIndex(gva);
        if (deviceTag[i] == deviceTag(gva, access) && deviceFlushes[i] == tlb.flushes + tlb.pageFlushes) {
            return mmio(deviceGpa[i] | gva & 0xfff, gva, access);
        }
        long answer = walk(gva, access);
        if (answer == Intercepts.T_MMIO) {
            if (!apicAccess && !exitMade) rememberDevice(i, gva, access);
        } else if (answer == Intercepts.T_FAULT) {
            // A page fault drops what the address used, as INVLPG does (SDM 3A 4.10.4.1).
            invalidate(gva);
        }
        return answer;
    }

    /** Walks the active tables: {@link Intercepts#translate} without the device cache. */
    abstract long walk(long gva, int access);

    private static int deviceIndex(long gva) {
        return (int) (gva >>> 12) & DEVICE_PAGES - 1;
    }

    /** Never 0, which is what an empty entry has. */
    private static long deviceTag(long gva, int access) {
        return gva & SoftTlb.PAGE | access | 1;
    }

    private void rememberDevice(int i, long gva, int access) {
        // Under SMAP the answer depends on RFLAGS.AC, which changes without a flush.
        if ((s.cr4 & CpuState.CR4_SMAP) != 0) return;
        deviceTag[i] = deviceTag(gva, access);
        deviceGpa[i] = v.gpa & SoftTlb.PAGE;
        deviceFlushes[i] = tlb.flushes + tlb.pageFlushes;
    }

    /** INVLPG without an exit, and what a page fault does. */
    final void invalidate(long gva) {
        tlb.flush(SoftTlb.Flush.ADDRESS, s.pcid(), gva);
    }

    /** The exit of an access to a device that cannot be done in place. The record names the address. */
    abstract void recordMmio(long gpa, int access);

    /** Does the frame hold code, so that it must not get a write tag? For a write the engine is told, too. */
    final boolean holdsCode(long frame, int access) {
        boolean code = frames.codeMask(frame) != 0;
        if ((access & Intercepts.WRITE) != 0) v.codePage = code;
        return code;
    }

    /** Remembers a device access and answers {@link Intercepts#T_MMIO}. */
    final long mmio(long gpa, long gva, int access) {
        v.gpa = gpa;
        mmioGva = gva;
        mmioAccess = access;
        apicAccess = exitMade = false;
        return Intercepts.T_MMIO;
    }

    /** The same after the exit of the access, {@link #DEVICE}. It holds for this access only: there may be memory at the address. */
    final long deviceAfterExit(long gva, int access) {
        mmio(v.gpa, gva, access);
        exitMade = true;
        return Intercepts.T_MMIO;
    }

    /** An access to the APIC-access page goes to {@link ApicAccess}: an offset in it is all that matters. */
    final long apic(long gva, int access) {
        mmio(gva & 0xfff, gva, access);
        apicAccess = true;
        return Intercepts.T_MMIO;
    }

    /** An entry of the active tables names a frame that is not in use: the MMU is wrong. */
    final long badEntry(int reason, long address, long spte) {
        x.exits.record(reason, address);
        v.exit.gva = address;
        v.exit.failedCheck = String.format(
                "the table entry 0x%x for address 0x%x names frame 0x%x, which is not in use", spte, address, Spte.frame(spte));
        x.exits.leave(reason);
        return Intercepts.T_EXIT;
    }

    /**
     * What to do after the exit of a page fault was handled: {@link #AGAIN} if only the tables changed, T_RETRY if the instruction was
     * emulated meanwhile, {@link #DEVICE} if the access is one that only the delivery of an event can make.
     */
    final long afterFault(int answer, long rip, long rcx) {
        switch (answer) {
            case Intercepts.FAULT:
                return Intercepts.T_FAULT;
            case Intercepts.EXIT:
                return Intercepts.T_EXIT;
            case Intercepts.DONE:
                return DEVICE;
            default:
                return s.rip == rip && s.gpr[CpuState.RCX] == rcx ? AGAIN : Intercepts.T_RETRY;
        }
    }

    /** Sets bits in an entry at a host address, as one locked operation (SDM 3A 4.8). False if the entry has changed since it was read. */
    static boolean set(long host, long entry, long bits) {
        return (entry & bits) == bits || HostMemory.compareAndSetLong(host, entry, entry | bits);
    }
}
