package org.backplane.devpit;

import org.backplane.devicekit.Register;
import org.backplane.devicekit.RegisterFile;
import org.backplane.kvm.spi.device.StateException;

/**
 * What one channel of an 8254 counts: count, OUT and gate in the six modes (Intel 231164, "8254 Programmable Interval Timer", mode
 * definitions), as functions of time. Time is in ticks of CLK and comes with every call; nothing runs in between.
 *
 * <p><b>The function.</b> {@code start} is the tick at which the counting element took the count {@code n}, the first CLK after the
 * write or the trigger. The count at a later tick follows from {@code now - start} alone. When the gate stops counting, the ticks made so far
 * are {@code held}.
 *
 * <p><b>A new count while counting</b> ends nothing in modes 2 and 3: it is taken at {@code switch_at}, the end of the period (mode 2)
 * or of the half period (mode 3). Until then {@code reload} differs from {@code n}; {@link #settle} carries the switch out when
 * its tick has come, which changes no answer.
 */
final class Counter {
    /** No count since the control word, or (modes 1 and 5) no trigger. */
    private static final int IDLE = 0;

    private static final int COUNTING = 1;
    /** Stopped by the gate. */
    private static final int HELD = 2;

    static final long NEVER = Long.MAX_VALUE;

    private final Register control;
    private final Register reload;
    private final Register n;
    private final Register run;
    private final Register start;
    private final Register held;
    private final Register stale;
    private final Register switchAt;
    private final Register gate;

    Counter(RegisterFile file, String name, boolean gateHigh) {
        control = file.register(name + ".control", 8).bits("bcd", 0).bits("mode", 1, 3).bits("rw", 4, 2).resetValue(0x36);
        reload = file.register(name + ".reload", 32).resetValue(0x10000);
        n = file.register(name + ".n", 32).resetValue(0x10000);
        run = file.register(name + ".run", 8).resetValue(gateHigh ? COUNTING : HELD);
        start = file.register(name + ".start", 64);
        held = file.register(name + ".held", 64);
        stale = file.register(name + ".stale", 16);
        switchAt = file.register(name + ".switch_at", 64);
        gate = file.register(name + ".gate", 8).resetValue(gateHigh ? 1 : 0);
    }

    /** Power-on leaves the chip undefined; it then runs as PC firmware sets it up: mode 3, the longest period. */
    void restart(long now) {
        start.set(now);
    }

    /** A loaded state must name counts that a channel can have. */
    void check() throws StateException {
        boolean good = n.value() >= 1 && n.value() <= 0x10000 && reload.value() <= 0x10000 && run.value() <= HELD;
        if (!good) throw new StateException("pit: " + n + ", " + reload + ", " + run + " is no state of a channel");
    }

    // ---- what software does ----

    /** A control word: OUT takes its initial level, and counting waits for a count. */
    void control(int word, long now) {
        stale.set(count(now));
        control.set(word & 0x3f);
        run.set(IDLE);
        reload.set(0);
        switchAt.set(0);
    }

    /** Mode 0: the first of two bytes stops counting and takes OUT low. */
    void firstByte(long now) {
        if (mode() != 0) return;
        stale.set(count(now));
        run.set(IDLE);
    }

    /** The whole count has been written, as 16 bits, binary or BCD; 0 stands for the largest. */
    void load(int written, long now) {
        settle(now);
        int count = bcd() ? fromBcd(written) : written;
        if (count == 0) count = modulus();
        reload.set(count);
        switch (mode()) {
            case 0, 4 -> begin(now);
            case 2, 3 -> {
                if (run.value() == COUNTING) switchAt.set(endOfTurn(now));
                else begin(now);
            }
            default -> {} // 1 and 5: waits for the trigger
        }
    }

    private void begin(long now) {
        n.set(reload.value());
        start.set(now + 1);
        held.set(0);
        switchAt.set(0);
        run.set(gate.value() != 0 || mode() == 1 || mode() == 5 ? COUNTING : HELD);
    }

    void gate(boolean level, long now) {
        if (level == gateHigh()) return;
        settle(now);
        gate.set(level ? 1 : 0);
        switch (mode()) {
            case 0, 4 -> {
                if (!level && run.value() == COUNTING) hold(now);
                else if (level && run.value() == HELD) {
                    start.set(now - held.value());
                    run.set(COUNTING);
                }
            }
            case 2, 3 -> {
                if (!level && run.value() == COUNTING) hold(now);
                else if (level && reload.value() != 0) begin(now);
            }
            default -> {
                if (level && reload.value() != 0) begin(now);
            }
        }
    }

    private void hold(long now) {
        held.set(Math.max(0, now - start.value()));
        run.set(HELD);
    }

    // ---- what can be seen ----

    boolean gateHigh() {
        return gate.value() != 0;
    }

    /** 0 to 5; the control word's 6 and 7 are 2 and 3. */
    int mode() {
        int m = control.intValue() >> 1 & 7;
        return m > 5 ? m - 4 : m;
    }

    boolean periodic() {
        return run.value() == COUNTING && (mode() == 2 || mode() == 3);
    }

    /** Ticks of a period; 1 to 65536. */
    int period() {
        return n.intValue();
    }

    /** RW of the control word: 1 low byte, 2 high byte, 3 low then high. */
    int readWrite() {
        return control.intValue() >> 4 & 3;
    }

    boolean out(long now) {
        settle(now);
        if (run.value() == IDLE) return mode() != 0;
        long e = elapsed(now);
        return switch (mode()) {
            case 0 -> e >= n.value();
            case 1 -> e < 0 || e >= n.value();
            case 2 -> run.value() == HELD || e < 0 || e % n.value() != n.value() - 1;
            case 3 -> run.value() == HELD || e < 0 || e % n.value() < highTicks(n.value());
            default -> e != n.value();
        };
    }

    /** The counting element as software reads it, BCD if so programmed; 0 to 0xffff. */
    int count(long now) {
        settle(now);
        if (run.value() == IDLE) return stale.intValue();
        long e = Math.max(0, elapsed(now));
        long c = n.value();
        long count = switch (mode()) {
            case 2 -> c - e % c;
            case 3 -> squareWaveCount(e % c, c);
            default -> Math.floorMod(c - e, modulus());
        };
        int binary = (int) (count % modulus());
        return bcd() ? toBcd(binary) : binary;
    }

    /** The status byte that the read-back command latches. */
    int status(long now) {
        settle(now);
        boolean loaded = run.value() != IDLE && switchAt.value() == 0 && elapsed(now) >= 0;
        return (out(now) ? 0x80 : 0) | (loaded ? 0 : 0x40) | control.intValue();
    }

    /** The first tick after {@code t} at which OUT rises by counting, or {@link #NEVER}. */
    long risingAfter(long t) {
        if (run.value() != COUNTING) return NEVER;
        long s = switchAt.value();
        if (s == 0) return rising(start.value(), n.value(), t);
        long edge = rising(start.value(), n.value(), t);
        return edge <= s ? edge : rising(startAfterSwitch(), reload.value(), Math.max(t, s));
    }

    private long rising(long from, long c, long t) {
        return switch (mode()) {
            case 0, 1 -> t < from + c ? from + c : NEVER;
            // A count of 1 is illegal here: OUT does not move.
            case 2, 3 -> c == 1 ? NEVER : from + (Math.max(0, Math.floorDiv(t - from, c)) + 1) * c;
            default -> t < from + c + 1 ? from + c + 1 : NEVER;
        };
    }

    // ---- inside ----

    /** Takes the new count of modes 2 and 3 if its tick has come. */
    private void settle(long now) {
        if (switchAt.value() == 0 || now < switchAt.value()) return;
        start.set(startAfterSwitch());
        n.set(reload.value());
        switchAt.set(0);
    }

    /** The period that the switch falls into began here, or would have: in mode 3 it may begin with the low half. */
    private long startAfterSwitch() {
        long s = switchAt.value();
        boolean lowHalf = mode() == 3 && Math.floorMod(s - start.value(), n.value()) != 0;
        return lowHalf ? s - highTicks(reload.value()) : s;
    }

    /** The tick at which the current period (mode 2) or half period (mode 3) ends. */
    private long endOfTurn(long now) {
        long c = n.value();
        long e = Math.max(0, now - start.value());
        long periodStart = start.value() + e / c * c;
        if (mode() == 3 && e % c < highTicks(c) && c > 1) return periodStart + highTicks(c);
        return periodStart + c;
    }

    private long elapsed(long now) {
        return run.value() == HELD ? held.value() : now - start.value();
    }

    /** Mode 3: an odd count is high one tick longer than low. */
    private static long highTicks(long c) {
        return (c + 1) / 2;
    }

    /** Mode 3 counts down by two, twice a period, from the even number at or below the count. */
    private static long squareWaveCount(long phase, long c) {
        long high = highTicks(c);
        return (c & ~1L) - 2 * (phase < high ? phase : phase - high);
    }

    private boolean bcd() {
        return control.test(1);
    }

    private int modulus() {
        return bcd() ? 10000 : 0x10000;
    }

    private static int fromBcd(int v) {
        return (v >> 12 & 15) * 1000 + (v >> 8 & 15) * 100 + (v >> 4 & 15) * 10 + (v & 15);
    }

    private static int toBcd(int v) {
        return v / 1000 << 12 | v / 100 % 10 << 8 | v / 10 % 10 << 4 | v % 10;
    }
}
