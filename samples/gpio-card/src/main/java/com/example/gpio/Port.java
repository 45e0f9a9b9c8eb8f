package com.example.gpio;

import org.backplane.devicekit.Access;
import org.backplane.devicekit.Field;
import org.backplane.devicekit.Register;
import org.backplane.devicekit.RegisterBank;
import org.backplane.devicekit.RegisterFile;

/** Eight pins and their eight registers. A pin that is an output has the level of its bit in {@code out}, an input what comes from outside. */
final class Port {
    /** Registers, and bytes of the range. */
    static final int LENGTH = 8;

    private final Register pins;
    private final Register out;
    private final Register direction;
    private final Register set;
    private final Register clear;
    private final Register toggle;
    private final Register enable;
    private final Register status;
    private final Field changed;
    private final Runnable touched;
    private int outside;

    /**
     * @param name prefix of the registers' names
     * @param touched called when the guest has changed something
     */
    Port(RegisterFile file, String name, Runnable touched) {
        this.touched = touched;
        pins = file.register(name + ".pins", 8).derived().readOnly().onRead(this::levels);
        out = file.register(name + ".out", 8).onWrite(v -> touched.run());
        direction = file.register(name + ".direction", 8).onWrite(v -> touched.run());
        set = file.register(name + ".set", 8).derived().onWrite(v -> drive(out.value() | v));
        clear = file.register(name + ".clear", 8).derived().onWrite(v -> drive(out.value() & ~v));
        toggle = file.register(name + ".toggle", 8).derived().onWrite(v -> drive(out.value() ^ v));
        enable = file.register(name + ".enable", 8).onWrite(v -> touched.run());
        status = file.register(name + ".status", 8)
                .bits("changed", 0, 8, Access.WRITE_ONE_TO_CLEAR)
                .onWrite(v -> touched.run());
        changed = status.field("changed");
    }

    /** Lays the registers out from this offset on. */
    void placeIn(RegisterBank bank, int base) {
        bank.readAt(base, pins)
                .at(base + 1, out)
                .at(base + 2, direction)
                .writeAt(base + 3, set)
                .writeAt(base + 4, clear)
                .writeAt(base + 5, toggle)
                .at(base + 6, enable)
                .at(base + 7, status);
    }

    private void drive(long levels) {
        out.set(levels);
        touched.run();
    }

    /** The outside has new levels: pins that are inputs and see another one say so in their status. */
    void outside(int levels) {
        changed.set(status.value() | (outside ^ levels) & ~direction.value());
        outside = levels;
    }

    /** The same without a trace: the levels were like that before. */
    void restoreOutside(int levels) {
        outside = levels;
    }

    /** Levels of all pins. */
    int levels() {
        return out.intValue() & direction.intValue() | outside & ~direction.intValue();
    }

    /** Pins that are outputs. */
    int outputs() {
        return direction.intValue();
    }

    boolean interrupts() {
        return status.test(enable.value());
    }
}
