package org.backplane.devacpi;

import org.backplane.devicekit.Access;
import org.backplane.devicekit.Field;
import org.backplane.devicekit.Register;
import org.backplane.devicekit.RegisterBank;
import org.backplane.devicekit.RegisterFile;
import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceContext;
import org.backplane.kvm.spi.device.IrqLine;
import org.backplane.kvm.spi.device.PowerButton;
import org.backplane.kvm.spi.device.StateException;
import org.backplane.kvm.spi.device.VmClock;
import org.backplane.kvm.spi.device.VmTimer;

/**
 * ACPI's fixed hardware: off switch, reset register, power management timer, and the tables that tell where they are.
 *
 * <p>After reset the machine is in legacy mode; writing {@link AcpiTables#ACPI_ENABLE} to the SMI command port, which on a real
 * board wakes up the BIOS, sets SCI_EN here. From then on an enabled event raises the SCI. Of the events there are the timer (every
 * time its highest bit changes), the global lock and the power button.
 *
 * <p><b>The timer</b> counts 3.579545 MHz in 24 bits and is the virtual clock. Its status bit is set by a change of bit 23 that the
 * guest has not acknowledged: {@code timer-acknowledged} is the number of changes that it has. Only while the event is enabled does
 * a deadline stand for the next change.
 *
 * <p>{@code S5} switches off; other sleep types are not offered in the tables, and a guest that asks for one is told in the log.
 *
 * <p>The tables are written on every reset, at {@code tables}; they are memory, so that a card that is swapped in writes nothing.
 *
 * <p>Source: ACPI specification 2.0c, chapter 4.7.3, Fixed Hardware Registers; Intel 82371AB (PIIX4) datasheet, chapter 8 and
 * RST_CNT, for the reset register.
 */
final class AcpiDevice implements Device {
    /** Offset of PM1 control from PM1 event. */
    static final int PM1_CONTROL = 4;

    private static final long TIMER_HZ = 3_579_545;
    private static final int TIMER_BITS = 24;
    private static final long TIMER_MASK = (1L << TIMER_BITS) - 1;
    /** The highest bit changes whenever the count has passed so many ticks. */
    private static final int HALF_PERIOD_BITS = TIMER_BITS - 1;

    private static final int BYTES = 1;
    private static final int UP_TO_INTS = 1 | 2 | 4;
    private static final long HIGHEST_TABLES = 0xfffc0;

    private final RegisterFile file = new RegisterFile("acpi");
    private final Register status = file.register("pm1-status", 16)
            .bits("timer", 0, 1, Access.WRITE_ONE_TO_CLEAR)
            .bits("bus-master", 4, 1, Access.WRITE_ONE_TO_CLEAR)
            .bits("global-lock", 5, 1, Access.WRITE_ONE_TO_CLEAR)
            .bits("power-button", 8, 1, Access.WRITE_ONE_TO_CLEAR)
            .bits("sleep-button", 9, 1, Access.WRITE_ONE_TO_CLEAR)
            .bits("clock", 10, 1, Access.WRITE_ONE_TO_CLEAR)
            .bits("wake", 15, 1, Access.WRITE_ONE_TO_CLEAR)
            .onRead(this::readStatus)
            .onWrite(this::statusWritten);
    private final Register enable = file.register("pm1-enable", 16)
            .bits("timer", 0)
            .bits("global-lock", 5)
            .bits("power-button", 8)
            .bits("sleep-button", 9)
            .bits("clock", 10)
            .onWrite(v -> update());
    private final Register control = file.register("pm1-control", 16)
            .bits("sci-enable", 0, 1, Access.READ_ONLY)
            .bits("bus-master-reload", 1)
            .bits("global-release", 2, 1, Access.WRITE_ONLY)
            .bits("sleep-type", 10, 3)
            .bits("sleep-enable", 13, 1, Access.WRITE_ONLY)
            .onWrite(this::controlWritten);
    private final Register timer = file.register("pm-timer", 32).derived().onRead(() -> ticks() & TIMER_MASK);
    private final Register timerAcknowledged = file.register("timer-acknowledged", 64);
    private final Register smi = file.register("smi-command", 8).onWrite(this::smiWritten);
    private final Register reset = file.register("reset-control", 8)
            .bits("full", 1)
            .bits("reset-cpu", 2)
            .bits("power-cycle", 3)
            .onWrite(this::resetWritten);
    private final RegisterBank pm1 = new RegisterBank(file, 8).at(0, status).at(2, enable).at(PM1_CONTROL, control);
    private final RegisterBank pmTimer = new RegisterBank(file, 4).at(0, timer);
    private final RegisterBank smiPort = new RegisterBank(file, 2).at(0, smi).at(1, file.register("smi-data", 8));
    private final RegisterBank resetPort = new RegisterBank(file, 1).at(0, reset);

    private final Field timerStatus = status.field("timer");
    private final Field timerEnable = enable.field("timer");
    private final Field sciEnable = control.field("sci-enable");
    private final Field sleepType = control.field("sleep-type");
    private final Field sleepEnable = control.field("sleep-enable");
    private final Field resetCpu = reset.field("reset-cpu");

    private DeviceContext context;
    private VmClock clock;
    private VmTimer overflow;
    private IrqLine sci;
    private long tables;

    @Override
    public void attach(DeviceContext c) {
        context = c;
        clock = c.clock();
        sci = c.irq(AcpiFactory.SCI);
        overflow = c.timer("pm-timer", this::update);
        tables = address(c);
        file.attach(c);
        c.provide(PowerButton.class, this::powerButton);
        c.claimPorts(AcpiFactory.PM1, UP_TO_INTS, pm1);
        c.claimPorts(AcpiFactory.PM_TIMER, UP_TO_INTS, pmTimer);
        c.claimPorts(AcpiFactory.SMI, BYTES, smiPort);
        c.claimPorts(AcpiFactory.RESET, BYTES, resetPort);
    }

    private static long address(DeviceContext c) {
        String value = c.property(AcpiFactory.TABLES);
        try {
            long a = Long.decode(value);
            if (a >= AcpiFactory.LOWEST_TABLES && a <= HIGHEST_TABLES && a % AcpiTables.ALIGNMENT == 0) return a;
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(complaint(c, value), e);
        }
        throw new IllegalArgumentException(complaint(c, value));
    }

    private static String complaint(DeviceContext c, String value) {
        return c.slot() + ": tables is an address from 0xe0000 to 0xfffc0, a multiple of 64, not " + value;
    }

    @Override
    public void reset() {
        file.reset();
        timerAcknowledged.set(halfPeriods());
        update();
        byte[] bytes = AcpiTables.at(tables, places());
        context.memory().write(tables, bytes, 0, bytes.length);
    }

    /** What the tables tell the guest: where the slot has put the registers. */
    private AcpiTables.Places places() {
        return new AcpiTables.Places(
                (int) context.place(AcpiFactory.SCI),
                (int) context.place(AcpiFactory.PM1),
                (int) context.place(AcpiFactory.PM_TIMER),
                (int) context.place(AcpiFactory.SMI),
                (int) context.place(AcpiFactory.RESET));
    }

    // ---- timer and events ----

    private long ticks() {
        return clock.ticks(TIMER_HZ);
    }

    /** How often the timer's highest bit has changed. */
    private long halfPeriods() {
        return ticks() >> HALF_PERIOD_BITS;
    }

    private long readStatus() {
        update();
        return status.value();
    }

    private void statusWritten(long v) {
        if ((v & timerStatus.mask()) != 0) timerAcknowledged.set(halfPeriods());
        update();
    }

    /** Brings status, SCI and the timer's deadline up to date. */
    private void update() {
        long changes = halfPeriods();
        if (changes != timerAcknowledged.value()) timerStatus.set(true);
        sci.set(sciEnable.isSet() && (status.value() & enable.value()) != 0);
        if (timerEnable.isSet() && !timerStatus.isSet()) overflow.arm(VmClock.nanosOf(changes + 1 << HALF_PERIOD_BITS, TIMER_HZ));
        else overflow.cancel();
    }

    /** The power button was pressed: an event for a guest that has enabled it. */
    void powerButton() {
        status.field("power-button").set(true);
        update();
    }

    // ---- power and reset ----

    private void smiWritten(long v) {
        if (v == AcpiTables.ACPI_ENABLE) sciEnable.set(true);
        else if (v == AcpiTables.ACPI_DISABLE) sciEnable.set(false);
        update();
    }

    private void controlWritten(long v) {
        if (sleepEnable.of(v) == 0) return;
        sleepEnable.set(false);
        if (sleepType.get() == AcpiTables.SLEEP_TYPE_S5) context.platform().powerOff();
        else context.log("sleep type " + sleepType.get() + " is not offered");
    }

    /** The machine is reset when {@code reset-cpu} is written as one; the reset clears it. */
    private void resetWritten(long v) {
        if (resetCpu.of(v) != 0) context.platform().reset("reset register");
    }

    // ---- state ----

    /** The timer's status is saved as the guest would read it now, though nothing has looked since its highest bit changed. */
    @Override
    public void save(CardState state) {
        file.save(state);
        if (halfPeriods() != timerAcknowledged.value()) state.put(status.name(), status.value() | timerStatus.mask());
    }

    @Override
    public void load(CardState state) throws StateException {
        file.load(state);
        update();
    }
}
