package org.backplane.devpit;

import org.backplane.devicekit.Access;
import org.backplane.devicekit.Register;
import org.backplane.devicekit.RegisterBank;
import org.backplane.devicekit.RegisterFile;
import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceContext;
import org.backplane.kvm.spi.device.IrqLine;
import org.backplane.kvm.spi.device.StateException;
import org.backplane.kvm.spi.device.VmClock;
import org.backplane.kvm.spi.device.VmTimer;

/**
 * The PC's 8254 at 1.193182 MHz and port 0x61. Channel 0 drives IRQ 0, channel 1 is the refresh clock that nobody needs, channel 2 is gated by
 * port 0x61 and would drive the speaker.
 *
 * <p><b>No ticking.</b> Counts and outputs are functions of the virtual clock, worked out when the guest looks. The only timer is for
 * the rising edges of channel 0's OUT. The IRQ line shows OUT, but for the low phases of modes 2 and 3: there the line is high and falls
 * for a moment before each edge. The interrupt controller sees the same edges.
 *
 * <p><b>Late edges.</b> An edge is never delivered before its time. When its callback runs late, one edge is delivered and the next follows at its
 * own time, so the guest's count stays right. When later edges are due already, they follow half a period apart, so that the guest
 * catches up at twice the rate and its handler is not flooded; of those at most {@value #MAX_OWED} are owed, older ones are dropped. A
 * control word or a one-shot count cancels what is owed.
 */
final class Pit implements Device {
    static final long HZ = 1_193_182;
    /** Port 0x61 bit 4 toggles with each refresh request: channel 1 with the count 18 that every PC gives it, about 15 microseconds. */
    private static final int REFRESH_TICKS = 18;

    private static final int MAX_OWED = 64;

    private final RegisterFile file = new RegisterFile("pit");
    private final Channel[] channels = {
        new Channel(file, "ch0", true), new Channel(file, "ch1", true), new Channel(file, "ch2", false)
    };
    private final Counter timerCounter = channels[0].counter;
    private final Counter speakerCounter = channels[2].counter;
    private final Register gate = file.register("port61", 8)
            .bits("gate2", 0).bits("speaker", 1).bits("parity_disable", 2).bits("channel_check_disable", 3)
            .bits("refresh", 4, 1, Access.READ_ONLY).bits("out2", 5, 1, Access.READ_ONLY)
            .onRead(this::readGate).onWrite(this::writeGate);
    private final Register irqLevel = file.register("irq_level", 8);
    /** Tick of the next rising edge of channel 0 to deliver. */
    private final Register edge = file.register("edge", 64).resetValue(Counter.NEVER);
    /** Virtual time, in nanoseconds, at which it is delivered. */
    private final Register due = file.register("due", 64).resetValue(Counter.NEVER);

    private final RegisterBank counters = new RegisterBank(file, 4);
    private final RegisterBank port61 = new RegisterBank(file, 1).at(0, gate);

    private IrqLine irq;
    private VmClock clock;
    private VmTimer timer;

    Pit() {
        for (int i = 0; i < 3; i++) {
            int n = i;
            counters.at(i, file.register("counter" + i, 8).derived().onRead(() -> channels[n].read(now())).onWrite(v -> writeCounter(n, (int) v)));
        }
        counters.writeAt(3, file.register("control", 8)
                .bits("bcd", 0).bits("mode", 1, 3).bits("rw", 4, 2).bits("select", 6, 2).derived().onWrite(v -> writeControl((int) v)));
    }

    @Override
    public void attach(DeviceContext context) {
        file.attach(context);
        irq = context.irq("irq");
        clock = context.clock();
        timer = context.timer("channel0", this::deliverEdge);
        context.claimPorts("counters", 1, counters);
        context.claimPorts("gate", 1, port61);
    }

    @Override
    public void reset() {
        file.reset();
        long now = now();
        for (Channel c : channels) c.counter.restart(now);
        irq.set(false);
        schedule(timerCounter.risingAfter(now));
    }

    @Override
    public void save(CardState state) {
        file.save(state);
    }

    @Override
    public void load(CardState state) throws StateException {
        file.load(state);
        for (Channel c : channels) c.counter.check();
        irq.set(irqLevel.value() != 0);
        if (due.value() == Counter.NEVER) timer.cancel();
        else timer.arm(due.value());
    }

    private long now() {
        return clock.ticks(HZ);
    }

    // ---- ports ----

    private void writeCounter(int n, int b) {
        long now = now();
        boolean goesOn = n == 0 && timerCounter.periodic();
        channels[n].write(b, now);
        if (n == 0) outputMayHaveChanged(now, goesOn);
    }

    private void writeControl(int v) {
        long now = now();
        int n = v >> 6;
        if (n == 3) {
            readBack(v, now);
        } else if ((v & 0x30) == 0) {
            channels[n].latchCount(now);
        } else {
            channels[n].control(v, now);
            if (n == 0) outputMayHaveChanged(now, false);
        }
    }

    /** Read-back: bits 1 to 3 choose channels, a zero in bit 5 latches counts, in bit 4 status. */
    private void readBack(int v, long now) {
        for (int n = 0; n < 3; n++) {
            if ((v >> n + 1 & 1) == 0) continue;
            if ((v & 0x20) == 0) channels[n].latchCount(now);
            if ((v & 0x10) == 0) channels[n].latchStatus(now);
        }
    }

    private long readGate() {
        long now = now();
        return gate.value() & 0x0f | (now / REFRESH_TICKS & 1) << 4 | (speakerCounter.out(now) ? 0x20 : 0);
    }

    private void writeGate(long v) {
        speakerCounter.gate((v & 1) != 0, now());
    }

    // ---- IRQ 0 ----

    /** @param goesOn a new count for a running period: what is owed stays owed */
    private void outputMayHaveChanged(long now, boolean goesOn) {
        setIrq(timerCounter.periodic() || timerCounter.out(now));
        if (!goesOn || edge.value() > now) schedule(timerCounter.risingAfter(now));
    }

    private void deliverEdge() {
        setIrq(false);
        setIrq(true);
        long next = timerCounter.risingAfter(edge.value());
        long now = now();
        if (next > now) {
            schedule(next);
            return;
        }
        int period = timerCounter.period();
        long owed = (now - next) / period + 1;
        if (owed > MAX_OWED) next += (owed - MAX_OWED) * period;
        edge.set(next);
        arm(clock.nanos() + VmClock.nanosOf(period, HZ) / 2);
    }

    private void schedule(long tick) {
        edge.set(tick);
        if (tick != Counter.NEVER) {
            arm(VmClock.nanosOf(tick, HZ));
        } else {
            due.set(Counter.NEVER);
            timer.cancel();
        }
    }

    private void arm(long nanos) {
        due.set(nanos);
        timer.arm(nanos);
    }

    private void setIrq(boolean level) {
        if (level == (irqLevel.value() != 0)) return;
        irqLevel.set(level ? 1 : 0);
        irq.set(level);
    }
}
