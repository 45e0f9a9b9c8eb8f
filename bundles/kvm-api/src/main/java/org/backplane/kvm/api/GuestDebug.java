package org.backplane.kvm.api;

import java.util.List;

/**
 * What {@link Vcpu#debugGuest} asks for, {@code struct kvm_debug_guest} with more room: as many points as wanted, and watchpoints.
 *
 * <p>A breakpoint stops before its instruction. The next {@code run} executes that instruction; there is no need to take the breakpoint away for it.
 *
 * @param singleStep stop after one instruction, one element of a REP instruction, or the delivery of one event
 * @param blockInterrupts while stepping, keep external interrupts and NMIs waiting unless the processor is halted (KVM_GUESTDBG_BLOCKIRQ)
 * @param breakpoints linear addresses of instructions
 */
public record GuestDebug(
        boolean singleStep, boolean blockInterrupts, List<Long> breakpoints, List<Watchpoint> watchpoints) {
    /** Nothing is wanted. */
    public static final GuestDebug OFF = new GuestDebug(false, false, List.of(), List.of());

    public GuestDebug {
        breakpoints = List.copyOf(breakpoints);
        watchpoints = List.copyOf(watchpoints);
    }

    /**
     * A range of linear memory. It stops after the instruction, or the event's delivery, that accessed a byte of it. The processor's
     * page-table walks and devices do not count.
     *
     * @param address of the first byte
     * @param length in bytes, from 1; no alignment is asked for
     */
    public record Watchpoint(long address, long length, boolean onRead, boolean onWrite) {}
}
