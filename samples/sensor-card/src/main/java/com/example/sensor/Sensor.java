package com.example.sensor;

import org.backplane.devicekit.Access;
import org.backplane.devicekit.Field;
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
 * A temperature sensor. While it is enabled it takes {@code rate} samples a second and compares each with two limits.
 *
 * <p><b>Time.</b> Samples are taken at the ticks of a clock of {@code rate} Hz that starts with the VM. So they do not drift, and when the
 * host is late the samples that were missed are left out and not made up for.
 *
 * <p><b>Alarm.</b> A sample beyond a limit sets {@code high} or {@code low} in the status; the guest clears them with ones. As long as it is
 * too hot the next sample sets {@code high} again.
 *
 * <p><b>Interrupt.</b> The line is high while a bit of the status stands whose interrupt is enabled.
 */
final class Sensor implements Device {
    static final int LENGTH = 0x1000;

    /** "TEMP" in ASCII, lowest byte first. */
    static final int IDENTIFICATION = 0x504d4554;

    static final int SLOWEST = 1, FASTEST = 10_000;

    private final RegisterFile file = new RegisterFile("sensor");
    private final Register identification =
            file.register("identification", 32).resetValue(IDENTIFICATION).readOnly().derived();
    private final Register control = file.register("control", 32)
            .bits("enable", 0)
            .bits("alarm_interrupt", 1)
            .bits("sample_interrupt", 2)
            .onWrite(v -> controlWritten());
    private final Register status = file.register("status", 32)
            .bits("high", 0, 1, Access.WRITE_ONE_TO_CLEAR)
            .bits("low", 1, 1, Access.WRITE_ONE_TO_CLEAR)
            .bits("ready", 2, 1, Access.READ_ONLY)
            .bits("overrun", 3, 1, Access.WRITE_ONE_TO_CLEAR)
            .onWrite(v -> updateIrq());
    private final Register temperature = file.register("temperature", 32).readOnly().afterRead(this::taken);
    private final Register highLimit = file.register("high_limit", 32).resetValue(30_000);
    private final Register lowLimit = file.register("low_limit", 32).resetValue(-10_000);
    private final Register rate = file.register("rate", 32).resetValue(10).onWrite(v -> rateWritten());
    private final Register samples = file.register("samples", 32).readOnly();
    private final RegisterBank regs = new RegisterBank(file, LENGTH)
            .readAt(0x00, identification)
            .at(0x04, control)
            .at(0x08, status)
            .readAt(0x0c, temperature)
            .at(0x10, highLimit)
            .at(0x14, lowLimit)
            .at(0x18, rate)
            .readAt(0x1c, samples);
    private final Field enable = control.field("enable");
    private final Field alarmInterrupt = control.field("alarm_interrupt");
    private final Field sampleInterrupt = control.field("sample_interrupt");
    private final Field high = status.field("high");
    private final Field low = status.field("low");
    private final Field ready = status.field("ready");
    private final Field overrun = status.field("overrun");

    private Room room;
    private VmClock clock;
    private VmTimer timer;
    private IrqLine irq;

    @Override
    public void attach(DeviceContext context) {
        room = Room.of(context);
        clock = context.clock();
        irq = context.irq("irq");
        timer = context.timer("sample", this::sample);
        context.claimMmio("regs", 4, regs);
    }

    private void controlWritten() {
        if (!enable.isSet()) timer.cancel();
        else if (!timer.armed()) armNext();
        updateIrq();
    }

    private void rateWritten() {
        rate.set(validRate());
        if (enable.isSet()) armNext();
    }

    /** The rate, in samples a second, also when a foreign state has nonsense there. */
    private long validRate() {
        return Math.clamp(rate.value(), SLOWEST, FASTEST);
    }

    /** The first tick that is to come. */
    private void armNext() {
        long hz = validRate();
        timer.arm(VmClock.nanosOf(clock.ticks(hz) + 1, hz));
    }

    private void sample() {
        int now = room.milliCelsius(clock.nanos());
        temperature.set(now);
        samples.set(samples.value() + 1);
        if (ready.isSet()) overrun.set(true);
        ready.set(true);
        if (now > highLimit.intValue()) high.set(true);
        if (now < lowLimit.intValue()) low.set(true);
        updateIrq();
        armNext();
    }

    /** The guest has read the temperature. */
    private void taken() {
        ready.set(false);
        updateIrq();
    }

    private void updateIrq() {
        boolean alarm = alarmInterrupt.isSet() && (high.isSet() || low.isSet());
        irq.set(alarm || sampleInterrupt.isSet() && ready.isSet());
    }

    @Override
    public void reset() {
        file.reset();
        timer.cancel();
        updateIrq();
    }

    @Override
    public void save(CardState state) {
        file.save(state);
    }

    /** The deadline of the next sample is the core's and has come back already, if it was saved. */
    @Override
    public void load(CardState state) throws StateException {
        file.load(state);
        if (enable.isSet() && !timer.armed()) armNext();
        updateIrq();
    }
}
