package org.backplane.devfdc;

import org.backplane.devicekit.Register;
import org.backplane.devicekit.RegisterArray;
import org.backplane.devicekit.RegisterFile;

/** The commands that move no data: configuration, seeks and their interrupts, and reset. */
final class Control {
    private static final int VERSION = 0x90;
    /** Steps that a recalibration makes at most. */
    private static final int RECALIBRATE_STEPS = 79;

    private static final int IMPLIED_SEEK = 0x40;
    private static final int FIFO_OFF = 0x20;
    private static final int POLLING_OFF = 0x10;

    private final Fdc fdc;
    private final Register held;
    private final RegisterArray presentCylinder;
    /** SPECIFY's second and third byte: step rate and head unload time; head load time and ND. */
    private final Register stepRate;

    private final Register headLoad;
    private final Register configuration;
    private final Register precompensationTrack;
    private final Register locked;
    private final Register perpendicular;
    /** EOT of the last transfer, or sectors of the last format. */
    private final Register lastSector;
    /** Status 0 of drives whose seek has ended. */
    private final RegisterArray ended;

    private final Register endedDrives;
    /** Drives that the polling after a reset has yet to report. */
    private final Register polled;

    Control(Fdc fdc, RegisterFile file) {
        this.fdc = fdc;
        held = file.register("in_reset", 8).bits("on", 0).resetValue(1);
        presentCylinder = file.array("present_cylinder", Fdc.DRIVES, 8);
        stepRate = file.register("step_rate", 8).bits("head_unload", 0, 4).bits("step_rate", 4, 4);
        headLoad = file.register("head_load", 8).bits("non_dma", 0).bits("head_load", 1, 7);
        configuration = file.register("configuration", 8)
                .bits("threshold", 0, 4)
                .bits("polling_off", 4)
                .bits("fifo_off", 5)
                .bits("implied_seek", 6)
                .resetValue(FIFO_OFF);
        precompensationTrack = file.register("precompensation_track", 8);
        locked = file.register("locked", 8).bits("on", 0);
        perpendicular = file.register("perpendicular", 8).bits("write_gate", 0).bits("gap", 1).bits("drives", 2, 4);
        lastSector = file.register("last_sector", 8);
        ended = file.array("seek_status", Fdc.DRIVES, 8);
        endedDrives = file.register("seek_ended", 8).bits("drives", 0, 4);
        polled = file.register("polled", 8).bits("drives", 0, 4);
    }

    // ---- reset ----

    boolean inReset() {
        return held.value() != 0;
    }

    /** What a software reset changes; cylinders, SPECIFY and the data rate stay. */
    void enterReset() {
        held.set(1);
        endedDrives.set(0);
        polled.set(0);
        perpendicular.clearBits(3);
        if (locked.value() == 0) {
            configuration.set(FIFO_OFF);
            precompensationTrack.set(0);
        }
    }

    void leaveReset() {
        held.set(0);
        if (!configuration.test(POLLING_OFF)) polled.set(0x0f);
    }

    // ---- for transfers ----

    boolean nonDma() {
        return headLoad.test(1);
    }

    void lastSector(int n) {
        lastSector.set(n);
    }

    /** Moves the head before a transfer if the configuration says so. */
    void impliedSeek(int unit, int cylinder) {
        if (configuration.test(IMPLIED_SEEK)) moveTo(unit, cylinder);
    }

    // ---- commands ----

    void invalid() {
        fdc.fifo.set(0, Status.INVALID);
        fdc.result(1);
    }

    void version() {
        fdc.fifo.set(0, VERSION);
        fdc.result(1);
    }

    void specify() {
        stepRate.set(fdc.parameter(1));
        headLoad.set(fdc.parameter(2));
        fdc.done();
    }

    void configure() {
        configuration.set(fdc.parameter(2) & 0x7f);
        precompensationTrack.set(fdc.parameter(3));
        fdc.done();
    }

    void lock() {
        int on = fdc.parameter(0) >> 7;
        locked.set(on);
        fdc.fifo.set(0, on << 4);
        fdc.result(1);
    }

    /** The drive bits change only with OW, bit 7. */
    void perpendicular() {
        int v = fdc.parameter(1);
        perpendicular.set((v & 0x80) != 0 ? v & 0x3f : perpendicular.value() & 0x3c | v & 3);
        fdc.done();
    }

    void dumpRegisters() {
        for (int i = 0; i < Fdc.DRIVES; i++) fdc.fifo.set(i, presentCylinder.value(i));
        fdc.fifo.set(4, stepRate.value());
        fdc.fifo.set(5, headLoad.value());
        fdc.fifo.set(6, lastSector.value());
        fdc.fifo.set(7, locked.value() << 7 | perpendicular.value());
        fdc.fifo.set(8, configuration.value());
        fdc.fifo.set(9, precompensationTrack.value());
        fdc.result(10);
    }

    void senseDrive() {
        int unit = fdc.unit();
        fdc.lookAt(unit);
        FloppyDrive d = fdc.drives[unit];
        int st3 = Status.ST3_ALWAYS | fdc.parameter(1) & 7;
        if (d.writeProtected()) st3 |= Status.ST3_WRITE_PROTECTED;
        if (d.atTrack0()) st3 |= Status.ST3_TRACK0;
        fdc.fifo.set(0, st3);
        fdc.result(1);
    }

    /** A seek comes first, then the drives found by polling after a reset, lowest number first. */
    void senseInterrupt() {
        int unit;
        int status;
        if (endedDrives.value() != 0) {
            unit = Integer.numberOfTrailingZeros(endedDrives.intValue());
            endedDrives.clearBits(1L << unit);
            status = ended.value(unit);
            fdc.seekInterrupt(false);
            if (endedDrives.value() != 0) fdc.seekInterrupt(true);
        } else if (polled.value() != 0) {
            unit = Integer.numberOfTrailingZeros(polled.intValue());
            polled.clearBits(1L << unit);
            status = Status.POLLING | unit;
            fdc.seekInterrupt(false);
        } else {
            invalid();
            return;
        }
        fdc.fifo.set(0, status);
        fdc.fifo.set(1, presentCylinder.value(unit));
        fdc.result(2);
    }

    void recalibrate() {
        int unit = fdc.unit();
        fdc.lookAt(unit);
        FloppyDrive d = fdc.drives[unit];
        d.step(-Math.min(RECALIBRATE_STEPS, Math.max(d.cylinder(), 0)));
        presentCylinder.set(unit, 0);
        seekEnded(d.atTrack0() ? Status.SEEK_END : Status.ABNORMAL | Status.SEEK_END | Status.EQUIPMENT_CHECK, unit, 0);
    }

    void seek() {
        moveTo(fdc.unit(), fdc.parameter(2));
        seekEnded(Status.SEEK_END, fdc.unit(), fdc.parameter(1) & 4);
    }

    void relativeSeek() {
        int unit = fdc.unit();
        int steps = (fdc.parameter(0) & Command.INWARDS) != 0 ? fdc.parameter(2) : -fdc.parameter(2);
        fdc.lookAt(unit);
        fdc.drives[unit].step(steps);
        presentCylinder.set(unit, presentCylinder.value(unit) + steps);
        seekEnded(Status.SEEK_END, unit, fdc.parameter(1) & 4);
    }

    private void moveTo(int unit, int cylinder) {
        fdc.lookAt(unit);
        fdc.drives[unit].step(cylinder - presentCylinder.value(unit));
        presentCylinder.set(unit, cylinder);
    }

    private void seekEnded(int status, int unit, int head) {
        ended.set(unit, status | head | unit);
        endedDrives.setBits(1L << unit);
        fdc.done();
        fdc.seekInterrupt(true);
    }
}
