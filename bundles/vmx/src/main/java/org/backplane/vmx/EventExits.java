package org.backplane.vmx;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.exit.ExitReasons;

/** Exceptions, windows for interrupts and NMIs, task switches and triple faults. */
final class EventExits {
    private final VcpuContext v;
    private final VmExits exits;

    EventExits(VmxVcpu x) {
        this.v = x.v;
        this.exits = x.exits;
    }

    int exception(int vector, int errorCode, long address) {
        if (exits.takeInjected()) return Intercepts.DONE;
        boolean code = errorCode != -1 && vector >= 8;
        exits.record(ExitReasons.EXCEPTION_NMI, vector == 14 ? address : 0);
        v.exit.gva = address;
        v.exit.interruptionInfo =
                CpuState.INFO_VALID | CpuState.TYPE_HARDWARE_EXCEPTION | (code ? CpuState.INFO_ERROR_CODE : 0) | vector;
        v.exit.interruptionError = code ? errorCode : 0;
        return exits.slow(ExitReasons.EXCEPTION_NMI);
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

    int taskSwitch(int selector, int source) {
        return exits.exit(ExitReasons.TASK_SWITCH, selector & 0xffffL | (long) source << 30);
    }

    int tripleFault() {
        exits.record(ExitReasons.TRIPLE_FAULT, 0);
        return exits.slow(ExitReasons.TRIPLE_FAULT);
    }
}
