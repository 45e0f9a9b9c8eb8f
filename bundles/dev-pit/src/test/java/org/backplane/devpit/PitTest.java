package org.backplane.devpit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.backplane.devicekit.test.BenchIrq;
import org.backplane.devicekit.test.DeviceBench;
import org.backplane.devicekit.test.DeviceContractTest;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.StateException;
import org.backplane.kvm.spi.device.VmClock;
import org.junit.jupiter.api.Test;

class PitTest extends DeviceContractTest {
    private static final int CONTROL = 0x43;
    private static final int GATE = 0x61;

    @Override
    protected DeviceFactory factory() {
        return new PitFactory();
    }

    @Override
    protected void exercise(DeviceBench b) {
        b.clock().advance(1_234_567);
        program(b, 0, 0x34, 1193);
        b.clock().advance(3_000_000);
        program(b, 0, -1, 2000);
        program(b, 2, 0xb1, 0x0123);
        b.outb(GATE, 0x03);
        b.outb(CONTROL, 0xc8);
        b.outb(0x42, 0x77);
        b.inb(0x42);
    }

    private final DeviceBench b = DeviceBench.of(new PitFactory());
    private final BenchIrq irq = b.irq("irq");

    /** Writes a control word (unless -1) and a count of two bytes. */
    private static void program(DeviceBench b, int channel, int control, int count) {
        if (control >= 0) b.outb(CONTROL, control);
        b.outb(0x40 + channel, count & 0xff);
        b.outb(0x40 + channel, count >> 8);
    }

    private void program(int channel, int control, int count) {
        program(b, channel, control, count);
    }

    /** Moves to the given tick after the tick that is now. */
    private void ticks(long n) {
        b.clock().runUntil(VmClock.nanosOf(b.clock().ticks(Pit.HZ) + n, Pit.HZ));
    }

    private int count(int channel) {
        b.outb(CONTROL, channel << 6);
        return b.inb(0x40 + channel) | b.inb(0x40 + channel) << 8;
    }

    private int status(int channel) {
        b.outb(CONTROL, 0xe0 | 2 << channel);
        return b.inb(0x40 + channel);
    }

    private boolean out2() {
        return (b.inb(GATE) & 0x20) != 0;
    }

    // ---- modes ----

    @Test
    void mode0RisesNPlusOneTicksAfterTheCountWasWritten() {
        program(0, 0x30, 5);
        assertEquals(0x30 | 0x40, status(0), "OUT low, count not loaded yet");
        ticks(1);
        assertEquals(0x30, status(0));
        assertEquals(5, count(0));
        ticks(4);
        assertEquals(1, count(0));
        assertFalse(irq.level());
        ticks(1);
        assertTrue(irq.level());
        assertEquals(0, count(0));
        ticks(1);
        assertEquals(0xffff, count(0), "it counts on");
        ticks(100_000);
        assertEquals(1, irq.edges(), "once");
    }

    @Test
    void mode0FirstByteStopsAndLowersOut() {
        program(0, 0x30, 5);
        ticks(10);
        assertTrue(irq.level());
        b.outb(0x40, 9);
        assertFalse(irq.level());
        ticks(100);
        assertFalse(irq.level());
        b.outb(0x40, 0);
        ticks(10);
        assertTrue(irq.level());
    }

    @Test
    void mode0GateLowHoldsTheCount() {
        b.outb(GATE, 1);
        program(2, 0xb0, 100);
        ticks(11);
        assertEquals(90, count(2));
        b.outb(GATE, 0);
        ticks(50);
        assertEquals(90, count(2));
        b.outb(GATE, 1);
        ticks(89);
        assertFalse(out2());
        ticks(1);
        assertTrue(out2());
    }

    @Test
    void mode1IsAOneShotThatTheGateTriggersAgain() {
        program(2, 0xb2, 10);
        ticks(100);
        assertTrue(out2(), "waits for the trigger");
        b.outb(GATE, 1);
        ticks(1);
        assertFalse(out2());
        ticks(9);
        assertFalse(out2());
        ticks(1);
        assertTrue(out2());
        b.outb(GATE, 0);
        b.outb(GATE, 1);
        ticks(6);
        b.outb(GATE, 0);
        b.outb(GATE, 1);
        ticks(10);
        assertFalse(out2(), "triggered again half-way: the full time counts from there");
        ticks(1);
        assertTrue(out2());
    }

    @Test
    void mode2IsLowForTheLastTickOfEachPeriod() {
        b.outb(GATE, 1);
        program(2, 0xb4, 3);
        ticks(1);
        int[] counts = {3, 2, 1, 3, 2, 1, 3};
        for (int c : counts) {
            assertEquals(c, count(2));
            assertEquals(c != 1, out2(), "count " + c);
            ticks(1);
        }
    }

    @Test
    void mode2InterruptsOncePerPeriodWithoutDrift() {
        program(0, 0x34, 1193);
        int before = irq.edges();
        b.clock().advance(10_000_000_000L);
        assertEquals((int) ((b.clock().ticks(Pit.HZ) - 1) / 1193), irq.edges() - before);
    }

    @Test
    void mode2TakesANewCountAtTheEndOfThePeriod() {
        program(0, 0x34, 100);
        ticks(1 + 30);
        program(0, -1, 10);
        assertEquals(0x40, status(0) & 0x40, "null count: written, not taken");
        int before = irq.edges();
        ticks(69);
        assertEquals(1, count(0));
        assertEquals(before, irq.edges());
        ticks(1);
        assertEquals(before + 1, irq.edges());
        assertEquals(10, count(0));
        assertEquals(0, status(0) & 0x40);
        ticks(20);
        assertEquals(before + 3, irq.edges());
    }

    @Test
    void mode2GateLowForcesOutHighAndRisingReloads() {
        b.outb(GATE, 1);
        program(2, 0xb4, 10);
        ticks(10);
        assertFalse(out2());
        b.outb(GATE, 0);
        assertTrue(out2());
        ticks(33);
        b.outb(GATE, 1);
        ticks(1);
        assertEquals(10, count(2));
        ticks(9);
        assertFalse(out2());
    }

    @Test
    void mode3IsHighForHalfThePeriodAndOneTickLongerWhenOdd() {
        b.outb(GATE, 1);
        program(2, 0xb6, 5);
        ticks(1);
        boolean[] outs = {true, true, true, false, false, true, true, true, false, false};
        int[] counts = {4, 2, 0, 4, 2, 4, 2, 0, 4, 2};
        for (int i = 0; i < outs.length; i++) {
            assertEquals(outs[i], out2(), "tick " + i);
            assertEquals(counts[i], count(2), "tick " + i);
            ticks(1);
        }
    }

    @Test
    void mode3TakesANewCountAtTheEndOfTheHalfPeriod() {
        b.outb(GATE, 1);
        program(2, 0xb6, 100);
        ticks(1 + 20);
        program(2, -1, 10);
        ticks(29);
        assertTrue(out2());
        ticks(1);
        assertFalse(out2(), "the old half period has ended");
        ticks(4);
        assertFalse(out2());
        ticks(1);
        assertTrue(out2(), "the low half has the new length");
        ticks(5);
        assertFalse(out2());
    }

    @Test
    void mode3InterruptsOncePerPeriod() {
        program(0, 0x36, 0);
        int before = irq.edges();
        ticks(65536 * 3 + 1);
        assertEquals(before + 3, irq.edges());
    }

    @Test
    void mode4StrobesOneTickAfterTheCount() {
        b.outb(GATE, 1);
        program(2, 0xb8, 4);
        ticks(4);
        assertTrue(out2());
        ticks(1);
        assertFalse(out2());
        ticks(1);
        assertTrue(out2());
    }

    @Test
    void mode4OnChannel0IsLinuxOneShot() {
        program(0, 0x38, 1000);
        int before = irq.edges();
        ticks(1001);
        assertEquals(before, irq.edges());
        ticks(1);
        assertEquals(before + 1, irq.edges());
        ticks(200_000);
        assertEquals(before + 1, irq.edges());
        program(0, -1, 500);
        ticks(502);
        assertEquals(before + 2, irq.edges());
    }

    @Test
    void mode5StrobesAfterTheTrigger() {
        program(2, 0xba, 4);
        ticks(50);
        b.outb(GATE, 1);
        ticks(5);
        assertFalse(out2());
        ticks(1);
        assertTrue(out2());
    }

    @Test
    void modes6And7Are2And3() {
        b.outb(GATE, 1);
        program(2, 0xbc, 3);
        ticks(3);
        assertFalse(out2());
        program(2, 0xbe, 4);
        ticks(3);
        assertFalse(out2());
    }

    // ---- reading and writing ----

    @Test
    void bcdCountsInDecimal() {
        b.outb(GATE, 1);
        program(2, 0xb1, 0x1000);
        ticks(2);
        assertEquals(0x0999, count(2));
        program(2, 0xb5, 0);
        ticks(2);
        assertEquals(0x9999, count(2), "0 stands for 10000");
    }

    @Test
    void zeroStandsFor65536() {
        b.outb(GATE, 1);
        program(2, 0xb4, 0);
        ticks(1);
        assertEquals(0, count(2));
        ticks(1);
        assertEquals(0xffff, count(2));
    }

    @Test
    void singleByteAccessModesReadAndWriteTheirByte() {
        b.outb(GATE, 1);
        b.outb(CONTROL, 0x90);
        b.outb(0x42, 0x55);
        ticks(1);
        assertEquals(0x55, b.inb(0x42));
        assertEquals(0x55, b.inb(0x42));
        b.outb(CONTROL, 0xa0);
        b.outb(0x42, 0x12);
        ticks(1);
        assertEquals(0x12, b.inb(0x42));
        ticks(1);
        assertEquals(0x11, b.inb(0x42));
    }

    @Test
    void latchHoldsTheCountUntilReadAndIgnoresASecondLatch() {
        b.outb(GATE, 1);
        program(2, 0xb0, 0x1234);
        ticks(1);
        b.outb(CONTROL, 0x80);
        ticks(0x40);
        b.outb(CONTROL, 0x80);
        assertEquals(0x34, b.inb(0x42));
        ticks(3);
        assertEquals(0x12, b.inb(0x42));
        assertEquals(0xf1, b.inb(0x42), "now it follows the count");
    }

    @Test
    void readBackGivesStatusBeforeCount() {
        program(0, 0x34, 0x2000);
        ticks(1);
        b.outb(CONTROL, 0xc2);
        assertEquals(0xb4, b.inb(0x40), "OUT, loaded, low-high, mode 2");
        assertEquals(0x00, b.inb(0x40));
        assertEquals(0x20, b.inb(0x40));
    }

    @Test
    void controlWordResetsLatchesAndByteOrder() {
        b.outb(GATE, 1);
        program(2, 0xb0, 0x1234);
        b.outb(CONTROL, 0xc8);
        b.inb(0x42);
        b.outb(0x42, 0x99);
        program(2, 0xb0, 0x4321);
        ticks(1);
        assertEquals(0x21, b.inb(0x42));
        assertEquals(0x43, b.inb(0x42));
    }

    // ---- port 0x61 ----

    @Test
    void port61KeepsItsWritableBitsAndShowsRefresh() {
        b.outb(GATE, 0xff);
        assertEquals(0x0f, b.inb(GATE) & 0xcf);
        int toggles = 0;
        int last = b.inb(GATE) & 0x10;
        for (int i = 0; i < 1000; i++) {
            b.clock().advance(1000);
            int now = b.inb(GATE) & 0x10;
            if (now != last) toggles++;
            last = now;
        }
        assertEquals(66, toggles, "one in 15.085 microseconds");
    }

    @Test
    void linuxCalibratesTheTscOverChannel2() {
        b.outb(GATE, b.inb(GATE) & ~0x02 | 0x01);
        program(2, 0xb0, 59659);
        long start = b.clock().nanos();
        while (!out2()) b.clock().advance(1000);
        assertEquals(50_000_000, b.clock().nanos() - start, 3_000, "50 ms");
    }

    // ---- late edges ----

    @Test
    void edgeIsNeverEarlyAndALateOneDoesNotMoveTheNext() {
        program(0, 0x34, 11932);
        ticks(1);
        int before = irq.edges();
        b.clock().jump(14_000_000);
        assertEquals(before + 1, irq.edges());
        b.clock().advance(5_900_000);
        assertEquals(before + 1, irq.edges());
        b.clock().advance(200_000);
        assertEquals(before + 2, irq.edges(), "at 20 ms");
    }

    @Test
    void missedEdgesComeHalfAPeriodApartAndNoneIsLost() {
        program(0, 0x34, 11932);
        ticks(1);
        int before = irq.edges();
        b.clock().jump(50_100_000);
        assertEquals(before + 1, irq.edges(), "no storm");
        b.clock().advance(5_100_000);
        assertEquals(before + 2, irq.edges());
        b.clock().advance(100_000_000 - 55_200_000 + 100_000);
        assertEquals(before + 10, irq.edges(), "after 100 ms it has caught up");
        b.clock().advance(9_000_000);
        assertEquals(before + 10, irq.edges(), "and is back in step");
    }

    @Test
    void moreThanTheBoundIsDropped() {
        program(0, 0x34, 11932);
        ticks(1);
        int before = irq.edges();
        b.clock().jump(10_000_000_000L);
        b.clock().advance(1_000_000_000L);
        int caughtUp = irq.edges() - before;
        assertTrue(caughtUp >= 1 + 64 + 99 && caughtUp <= 1 + 64 + 101, "64 owed and 100 new ones, got " + caughtUp);
    }

    @Test
    void newControlWordCancelsOwedEdges() {
        program(0, 0x34, 11932);
        b.clock().jump(50_100_000);
        program(0, 0x30, 0);
        int before = irq.edges();
        b.clock().advance(40_000_000);
        assertEquals(before, irq.edges());
    }

    // ---- swap ----

    @Test
    void ticksGoOnOverASwapWithoutLossOrDouble() throws Exception {
        program(0, 0x34, 1193);
        int before = irq.edges();
        for (int i = 0; i < 100; i++) {
            b.clock().advance(777_777);
            b.swap(new PitFactory());
        }
        assertEquals((int) ((b.clock().ticks(Pit.HZ) - 1) / 1193), irq.edges() - before);
    }

    @Test
    void impossibleCountIsRefused() {
        StateException e = assertThrows(StateException.class, () -> b.load(b.save().put("ch1.n", 0)));
        assertTrue(e.getMessage().contains("ch1.n"), e.getMessage());
    }
}
