package org.backplane.vmx;

import org.backplane.kvm.spi.cpu.CpuBackend;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.exit.ExitDispatcher;
import org.backplane.kvm.spi.exit.ExitReasons;
import org.backplane.kvm.spi.exit.VmExit;
import org.backplane.vmx.realmode.RealModeUnit;

/**
 * The VM exits of one vCPU: counts, the record of the last one, and its way to a handler.
 *
 * <p>Every exit is counted by its reason. It is <em>fast</em> when the core's handler can serve it in place, called from within
 * the intercept with the guest's state complete; or <em>slow</em>: the record stays in {@code v.exit} and {@code enter} returns
 * the reason. The slow way is taken when the handler answers EXIT, when an observer took the exit, or when a control wants something done at every
 * VM entry or exit. The guest cannot tell them apart. Who observes a reason is shown every exit of it, before it is handled.
 *
 * <p><b>Threading.</b> The vCPU's thread; counters may be read by others, late.
 */
final class VmExits {
    final ExitDispatcher core;

    /** Exits may be handled in place; set at each entry from {@link Vmcs#exitsInPlace}. */
    boolean inPlace = true;

    /** Reason of the exit that made an intercept answer EXIT, or {@link CpuBackend#NO_EXIT}. */
    int leaveReason = CpuBackend.NO_EXIT;

    private final VcpuContext v;
    private final RealModeUnit realMode;
    private final long[] counts = new long[ExitReasons.COUNT];

    /** The exception that the engine is about to raise is injected, so that it does not exit again. */
    private boolean injected;

    VmExits(VcpuContext v, RealModeUnit realMode) {
        this.v = v;
        this.realMode = realMode;
        this.core = realMode.around(v.exits);
    }

    void count(int reason) {
        counts[reason]++;
    }

    long counted(int reason) {
        return counts[reason];
    }

    /** Fills the exit information; fields that the reason has beyond that are set by the caller afterwards. */
    void record(int reason, long qualification) {
        VmExit e = v.exit;
        e.reason = reason;
        e.qualification = qualification;
        e.insnLength = v.insnLength;
        e.interruptionInfo = 0;
        e.interruptionError = 0;
        e.instructionInformation = 0;
        e.gva = 0;
        e.gpa = 0;
        e.value = 0;
    }

    /** The exit just recorded leaves the guest. */
    int leave(int reason) {
        leaveReason = reason;
        return Intercepts.EXIT;
    }

    /** Shows the exit just recorded to those who observe it. False if one of them took it: leave. */
    private boolean passes(int reason) {
        return !core.observed(reason) || core.passes(v);
    }

    /** Shows a recorded exit if it is observed. True if it must leave the guest before it is handled. */
    boolean leavesAtOnce(boolean observed) {
        return observed && !core.passes(v) || leavesUnhandled();
    }

    /**
     * Exits are not handled in place. But an access of an event's delivery is in any case: outside of the guest there would be no instruction to emulate
     * it with, and the event delivered again would meet the same exit again.
     */
    private boolean leavesUnhandled() {
        return !inPlace && (v.state.vectoringInfo & CpuState.INFO_VALID) == 0;
    }

    /** The exit just recorded is one that always leaves the guest. */
    int slow(int reason) {
        counts[reason]++;
        passes(reason);
        return leave(reason);
    }

    /** Counts the exit just recorded and has it handled, in place if that can be. */
    int dispatch(int reason) {
        counts[reason]++;
        if (!passes(reason) || leavesUnhandled()) return leave(reason);
        int answer = core.handle(v);
        if (answer == Intercepts.EXIT) return realMode.tripleFault() ? tripleFault() : leave(reason);
        if (realMode.stranded()) return reenter(answer);
        if (answer == Intercepts.FAULT) injected = (v.exceptionBitmap >> v.faultVector & 1) != 0;
        return answer;
    }

    /** What the engine is told after an access that a device served in place, {@code answer}: that, unless the access changed how the guest must run. */
    int served(int answer) {
        return realMode.stranded() ? reenter(answer) : answer;
    }

    private int tripleFault() {
        record(ExitReasons.TRIPLE_FAULT, 0);
        return slow(ExitReasons.TRIPLE_FAULT);
    }

    /** The guest must be entered in another way: the engine completes what it is at, and leaves. */
    int reenter(int answer) {
        if (answer != Intercepts.DONE) return leave(CpuBackend.NO_EXIT);
        v.leaveAfterExit = true;
        v.leave = true;
        v.exceptionBitmap = -1;
        return Intercepts.DONE;
    }

    /** An exit with nothing but a qualification. */
    int exit(int reason, long qualification) {
        record(reason, qualification);
        return dispatch(reason);
    }

    /** Whether the exception that the engine raises now was injected by a handler; asked once. */
    boolean takeInjected() {
        boolean was = injected;
        injected = false;
        return was;
    }
}
