package org.backplane.vmx;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.exit.ExitReasons;
import org.backplane.vmx.realmode.RealModeUnit;

/** Exceptions, the monitor trap, windows for interrupts and NMIs, task switches and triple faults. */
final class EventExits {
    private static final int DEBUG = 1, PAGE_FAULT = 14;

    private static final int NONE = -1;

    private final VmxVcpu x;
    private final VcpuContext v;
    private final Vmcs vmcs;
    private final VmExits exits;
    private final RealModeUnit realMode;

    /** The task switch whose exit was answered last: selector, instructions retired and RIP. */
    private int seenSelector = NONE;

    private long seenAt, seenRip;

    EventExits(VmxVcpu x) {
        this.x = x;
        this.v = x.v;
        this.vmcs = x.vmcs;
        this.exits = x.exits;
        this.realMode = x.realMode;
    }

    int exception(int vector, int errorCode, long address) {
        if (exits.takeInjected()) return Intercepts.DONE;
        if (vector == PAGE_FAULT && !vmcs.pageFaultExits(errorCode)) return Intercepts.DONE;
        // Real mode has no error codes (SDM 3C 27.2.2).
        boolean code = errorCode != -1 && vector >= 8 && v.state.protectedMode();
        boolean addressed = vector == PAGE_FAULT || vector == DEBUG;
        exits.record(ExitReasons.EXCEPTION_NMI, addressed ? address : 0);
        if (vector == PAGE_FAULT) {
            v.exit.gva = address;
            // The exit leaves CR2 as it was (SDM 3C 27.1); the paging unit has set it already.
            v.state.cr2 = x.paging().cr2Before;
        }
        v.exit.interruptionInfo =
                CpuState.INFO_VALID | CpuState.TYPE_HARDWARE_EXCEPTION | (code ? CpuState.INFO_ERROR_CODE : 0) | vector;
        v.exit.interruptionError = code ? errorCode : 0;
        return exceptionExit();
    }

    /** Of virtual-8086 code in real mode's place the core emulates in place what traps. Elsewhere an exception leaves: the event is for the next entry. */
    private int exceptionExit() {
        return realMode.vm86() ? exits.dispatch(ExitReasons.EXCEPTION_NMI) : exits.slow(ExitReasons.EXCEPTION_NMI);
    }

    /** INT3 and INTO raise software exceptions, INT1 a privileged one. */
    int softwareException(int vector) {
        int type = vector == DEBUG ? CpuState.TYPE_PRIVILEGED_SOFTWARE_EXCEPTION : CpuState.TYPE_SOFTWARE_EXCEPTION;
        exits.record(ExitReasons.EXCEPTION_NMI, 0);
        v.exit.interruptionInfo = CpuState.INFO_VALID | type | vector;
        return exceptionExit();
    }

    int monitorTrap() {
        exits.record(ExitReasons.MONITOR_TRAP_FLAG, 0);
        return exits.slow(ExitReasons.MONITOR_TRAP_FLAG);
    }

    int interruptWindow() {
        return window(ExitReasons.INTERRUPT_WINDOW);
    }

    int nmiWindow() {
        return window(ExitReasons.NMI_WINDOW);
    }

    /** A window exit is always slow: the event is delivered by the next entry. */
    private int window(int reason) {
        exits.record(reason, 0);
        v.exit.insnLength = 0;
        return exits.slow(reason);
    }

    /**
     * Exits once: when the handler has seen the record and the same switch comes again with nothing executed in between, the processor carries it
     * out, as it does at once when the exit is handled in place.
     */
    int taskSwitch(int selector, int source) {
        boolean again = seenSelector == selector && seenAt == v.instructions && seenRip == v.state.rip;
        seenSelector = NONE;
        if (again) return Intercepts.DONE;
        int answer = exits.exit(ExitReasons.TASK_SWITCH, selector & 0xffffL | (long) source << 30);
        if (answer == Intercepts.EXIT) {
            seenSelector = selector;
            seenAt = v.instructions;
            seenRip = v.state.rip;
        }
        return answer;
    }

    int tripleFault() {
        exits.record(ExitReasons.TRIPLE_FAULT, 0);
        return exits.slow(ExitReasons.TRIPLE_FAULT);
    }
}
