package org.backplane.kvm.spi.cpu;

import java.util.Map;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * A CPU virtualization backend: enters a guest and comes back with a VM exit, as VT-x does. One instance serves one VM.
 *
 * <p>Between {@link #enter} calls everything that must survive is in {@link CpuState}: a backend can be closed at any
 * boundary and another one created on the same context.
 *
 * <p><b>Threading.</b> {@link #enter} runs on the vCPU's thread. All others are called with the vCPU outside of {@code enter}.
 */
@ConsumerType
public interface CpuBackend extends AutoCloseable {
    /** Basic exit reason of a return from {@link #enter} that is no VM exit: the vCPU was asked to leave or its budget is used. */
    int NO_EXIT = -1;

    /** Takes a vCPU over: makes its VMCS from {@code v.state} and sets {@code v.intercepts}. */
    void attach(VcpuContext v);

    /** Gives it back; {@code v.state} is complete. */
    void detach(VcpuContext v);

    /**
     * Enters the guest, delivering {@code state.injectInfo} if it is valid, and runs it until an exit.
     *
     * @param budget instructions, as in {@link Emulator#run}
     * @return the exit reason with bit 31 for a failed entry; details are in {@code v.exit}; or {@link #NO_EXIT}
     */
    int enter(VcpuContext v, long budget, boolean exact);

    /** The MMU was replaced, or changed how it is used (see {@code Mmu.kind}): set the controls accordingly. */
    void mmuChanged(VcpuContext v);

    /**
     * How real mode runs; before the first {@link #attach}. A backend whose processor knows real mode by itself has no use for it.
     *
     * @param pages for the two kinds of {@code VM86}, and for a guest without paging under EPT
     */
    default void realMode(RealMode how, RealModePages pages) {}

    /** A copy of the VMCS for people; {@link VmcsView#NONE} when the backend has none. */
    VmcsView vmcs(VcpuContext v);

    /** Counters by name for {@code -stats}. */
    Map<String, Long> counters();

    @Override
    void close();
}
