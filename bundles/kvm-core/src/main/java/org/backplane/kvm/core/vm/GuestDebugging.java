package org.backplane.kvm.core.vm;

import java.util.List;
import org.backplane.kvm.api.GuestDebug;
import org.backplane.kvm.api.GuestDebug.Watchpoint;
import org.backplane.kvm.api.KvmException;
import org.backplane.kvm.api.KvmException.Errno;
import org.backplane.kvm.api.KvmRun;
import org.backplane.kvm.api.KvmRun.DebugCause;
import org.backplane.kvm.api.KvmRun.Exit;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.DebugControl;
import org.backplane.kvm.spi.cpu.VcpuContext;

/**
 * KVM_DEBUG_GUEST of one vCPU: hands to the engine what the caller wants ({@link DebugControl}), and to the caller what the engine found.
 *
 * <p>KVM of 2007 lends the guest's debug registers and TF to the debugger, so there are four breakpoints and a guest that looks sees them. Here the
 * processor is software and has a debug port of its own: nothing of the guest is used, and there are as many points as wanted.
 *
 * <p><b>Thread.</b> The vCPU's owner.
 */
final class GuestDebugging {
    private static final int DEBUG_EXCEPTION = 1;

    private final VcpuContext v;
    private final KvmRun run;
    private boolean blockInterrupts;

    GuestDebugging(VcpuContext v, KvmRun run) {
        this.v = v;
        this.run = run;
    }

    /** {@link org.backplane.kvm.api.Vcpu#debugGuest}. */
    void set(GuestDebug d) {
        List<Watchpoint> watches = d.watchpoints();
        long[] first = new long[watches.size()], last = new long[first.length];
        int[] kinds = new int[first.length];
        for (int i = 0; i < first.length; i++) {
            Watchpoint w = watches.get(i);
            first[i] = w.address();
            last[i] = w.address() + w.length() - 1;
            kinds[i] = (w.onRead() ? DebugControl.READ : 0) | (w.onWrite() ? DebugControl.WRITE : 0);
            if (w.address() < 0 || w.length() < 1 || last[i] < first[i] || kinds[i] == 0) throw new KvmException(Errno.EINVAL, w.toString());
        }
        long[] breaks = d.breakpoints().stream().mapToLong(Long::longValue).toArray();
        blockInterrupts = d.blockInterrupts();
        v.debug.clear();
        // Pages get or lose their tags by being entered anew.
        if (v.debug.set(d.singleStep(), breaks, first, last, kinds)) v.tlb.flush(false);
    }

    /** At a boundary: if the engine stopped for the debugger, the exit is recorded. */
    boolean report() {
        DebugControl d = v.debug;
        if (d.cause() == DebugControl.NONE) return false;
        run.exitReason = Exit.DEBUG;
        run.exception = DEBUG_EXCEPTION;
        run.debugWrite = d.access() == DebugControl.WRITE;
        run.debugAddress = d.cause() == DebugControl.STEP ? v.state.linearRip() : d.address();
        run.debugCause =
                switch (d.cause()) {
                    case DebugControl.BREAKPOINT -> DebugCause.BREAKPOINT;
                    case DebugControl.WATCHPOINT -> DebugCause.WATCHPOINT;
                    default -> DebugCause.STEP;
                };
        d.clear();
        return true;
    }

    /** Interrupts wait for the end of the step. A halted processor has no instruction to step: what wakes it is let through. */
    boolean holdsInterrupts() {
        return blockInterrupts && v.debug.singleStep && v.state.activity != CpuState.HLT;
    }
}
