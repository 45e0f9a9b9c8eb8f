package org.backplane.kvm.spi.exit;

import org.backplane.kvm.spi.cpu.VcpuContext;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The exit-dispatch bus, as the CPU backend sees it. Implemented by the core.
 *
 * <p>A VM exit is either <em>slow</em> ({@code CpuBackend.enter} returns its reason, the core dispatches it and enters
 * again) or <em>fast</em>: the backend counts it and calls the bus from within its intercept, with the guest's state complete.
 * No observer can tell: when {@link #observed} says that somebody looks, the backend fills {@code v.exit} and shows it by {@link #passes} before
 * the exit is handled, whichever way that is.
 *
 * <p>Answers are those of {@code Intercepts}: DONE, RETRY, FAULT, EXIT.
 */
@ProviderType
public interface ExitDispatcher {
    /** Somebody wants the record of an exit of this reason (trace, debugger, foreign handler): fill {@code v.exit} and call {@link #passes}. */
    boolean observed(int reason);

    /**
     * Shows the exit in {@code v.exit} to those who observe its reason, once, before anything is done about it.
     *
     * @return true to go on; false if one of them took the exit: answer EXIT and return its reason from {@code enter}, the core does the rest
     */
    boolean passes(VcpuContext v);

    /** A port read; the value comes in {@code v.ioValue}. EXIT when it must go to the caller of {@code Vcpu.run}. */
    int portIn(VcpuContext v, int port, int size);

    int portOut(VcpuContext v, int port, int size, int value);

    /** An MMIO read at a gpa without a memory slot; the value comes in {@code v.ioValue}. Where there is memory after all, that is read. */
    int mmioRead(VcpuContext v, long gpa, int size);

    /** An MMIO write; where there is memory after all, it goes through the one door, which drops what is for a ROM. */
    int mmioWrite(VcpuContext v, long gpa, int size, long value);

    /**
     * Handles any other exit in place; {@code v.exit} is filled. DONE: handled, the instruction counts as executed (the engine steps RIP).
     * RETRY: handled, run the instruction again. FAULT: raise the exception. EXIT: cannot be handled here, leave.
     *
     * <p>For a page fault or an EPT violation RETRY means that the tables were changed, or that the instruction was emulated: the backend walks
     * again if RIP and RCX are as before, and else has the engine start over. For a FAULT with vector 14 the handler has set CR2. While an event is being
     * delivered ({@code state.vectoringInfo}) there is no instruction to emulate; DONE then means that the access is to be made by {@link #mmioRead} or {@link
     * #mmioWrite} at {@code v.gpa}, which also serve a ROM and a shadowed page table. Such an access is always served in place.
     */
    int handle(VcpuContext v);

    /**
     * Reads an MSR as the processor does when no exit comes in between (MSR bitmaps, MSR areas of VM entry and exit); the value comes in {@code
     * v.ioValue}. DONE, or FAULT with #GP recorded.
     */
    int rdmsr(VcpuContext v, int index);

    /** Writes an MSR likewise. */
    int wrmsr(VcpuContext v, int index, long value);

    /**
     * Emulates the instruction at RIP because the processor cannot run it: the guest's state is none that VM entry takes. No VM exit.
     *
     * @return DONE: it is executed, or is to be executed again; FAULT: the exception it raised waits in {@code state.injectInfo}; EXIT: leave, the
     *     core knows why.
     */
    int emulate(VcpuContext v);

    /** The TSC as the guest reads it. */
    long tsc(VcpuContext v);
}
