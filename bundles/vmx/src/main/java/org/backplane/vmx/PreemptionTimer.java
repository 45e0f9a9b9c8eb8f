package org.backplane.vmx;

import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.exit.ExitDispatcher;

/**
 * The VMX-preemption timer (SDM 3C 25.5.1): loaded at VM entry, it counts down with the TSC, and expires at 0. A guest that writes its TSC moves the
 * timer by as much, since no other clock reaches a backend.
 */
final class PreemptionTimer {
    /** Most instructions between two looks at the timer. */
    static final long SLICE = 1000;

    private final VcpuContext v;
    private final Vmcs vmcs;
    private final ExitDispatcher core;
    private long deadline;

    PreemptionTimer(VcpuContext v, Vmcs vmcs, ExitDispatcher core) {
        this.v = v;
        this.vmcs = vmcs;
        this.core = core;
    }

    void start() {
        deadline = core.tsc(v) + (VmcsField.VMX_PREEMPTION_TIMER_VALUE.get(vmcs) << Controls.TIMER_SHIFT);
    }

    boolean expired() {
        return core.tsc(v) >= deadline;
    }

    /** At VM exit: what is left goes into the VMCS, if the control says so. */
    void save() {
        if ((VmcsField.VM_EXIT_CONTROLS.get(vmcs) & Controls.EXIT_SAVE_TIMER) == 0) return;
        long left = Math.max(0, deadline - core.tsc(v));
        VmcsField.VMX_PREEMPTION_TIMER_VALUE.set(vmcs, left >> Controls.TIMER_SHIFT);
    }
}
