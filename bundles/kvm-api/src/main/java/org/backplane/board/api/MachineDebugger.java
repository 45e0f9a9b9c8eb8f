package org.backplane.board.api;

import java.util.List;
import java.util.function.Consumer;
import org.backplane.kvm.api.GuestDebug.Watchpoint;
import org.backplane.kvm.spi.cpu.CpuState;
import org.osgi.annotation.versioning.ConsumerType;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A debugger's hold on a machine, see {@link Machine#debug}. Made with the machine paused; it goes on when told to.
 *
 * <p>The points belong to the vCPUs: they stay when cards are swapped, of the CPU too, and when the machine is reset. Addresses are linear ones.
 *
 * <p><b>Threading.</b> Any thread. Each call waits for the guest's next boundary, like those of {@link Machine}.
 */
@ProviderType
public interface MachineDebugger extends AutoCloseable {
    /** Why the machine stopped. */
    enum Reason {
        /** {@link #interrupt}, or somebody else paused it. */
        PAUSED,
        STEP,
        BREAKPOINT,
        WATCHPOINT
    }

    /**
     * A stop.
     *
     * @param address BREAKPOINT: of the instruction; WATCHPOINT: the first watched byte that was accessed
     * @param write WATCHPOINT: the access was a write
     */
    record Stop(Reason reason, int vcpu, long address, boolean write) {}

    /** Told of each stop, once for each time the machine was let go. Called on the machine's thread: return at once and call nothing. */
    @ConsumerType
    interface Listener {
        void stopped(Stop stop);
    }

    /** Replaces all break- and watchpoints of all vCPUs. */
    void points(List<Long> breakpoints, List<Watchpoint> watchpoints);

    /**
     * One step of a vCPU: an instruction, an element of a REP instruction, or the delivery of an event.
     *
     * @param blockInterrupts let interrupts wait, unless the processor is halted
     */
    void step(int vcpu, boolean blockInterrupts);

    /** Lets the machine go. */
    void resume();

    /** Pauses it, which is a stop; nothing if it stands still. */
    void interrupt();

    /** Changes registers. A changed RIP wakes a halted processor, so that it executes what is there. */
    void change(int vcpu, Consumer<CpuState> change);

    /**
     * Writes linear memory, whatever the guest's rights to it.
     *
     * @return false if a byte is not mapped, or to something that is no memory; then nothing is written
     */
    boolean writeLinear(int vcpu, long gva, byte[] bytes);

    /** The same for physical memory. */
    boolean writePhysical(long gpa, byte[] bytes);

    /** Takes all points away and lets the machine go. */
    @Override
    void close();
}
