package org.backplane.board.machine;

import java.util.ArrayList;
import java.util.List;
import org.backplane.board.api.RegisterTrace;
import org.backplane.board.api.RegisterTrace.Entry;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.device.RegisterTraceSource;
import org.backplane.kvm.spi.device.VmClock;

/**
 * The register trace of one slot: the last accesses as texts and numbers, with nothing in it that belongs to the card, so that the ring keeps no
 * class of a card that has left.
 *
 * <p><b>The instruction</b> is the vCPU's as it is inside the access: its state is complete before a card's code is called (contract 7). An access that the
 * machine makes by itself is told with the instruction that the guest will execute next.
 *
 * <p><b>Threading.</b> The machine's thread.
 */
final class RegisterRing implements RegisterTraceSource.Listener {
    private final VmClock clock;
    private final CpuState cpu;
    private final Entry[] ring = new Entry[RegisterTrace.SIZE];
    private long recorded;
    private boolean running = true;

    /** @param cpu the state of the vCPU that makes the accesses */
    RegisterRing(VmClock clock, CpuState cpu) {
        this.clock = clock;
        this.cpu = cpu;
    }

    boolean running() {
        return running;
    }

    void stop() {
        running = false;
    }

    @Override
    public void accessed(String register, int bits, boolean write, long value, String fields) {
        if (!running) return;
        ring[(int) (recorded % ring.length)] =
                new Entry(recorded + 1, clock.nanos(), cpu.linearRip(), write, register, bits, value, fields);
        recorded++;
    }

    RegisterTrace copy() {
        List<Entry> entries = new ArrayList<>();
        for (long n = Math.max(0, recorded - ring.length); n < recorded; n++) entries.add(ring[(int) (n % ring.length)]);
        return new RegisterTrace(running, recorded, List.copyOf(entries));
    }
}
