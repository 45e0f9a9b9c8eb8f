package org.backplane.devrtc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.Map;
import org.backplane.devicekit.test.BenchIrq;
import org.backplane.devicekit.test.DeviceBench;
import org.backplane.devicekit.test.DeviceContractTest;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.junit.jupiter.api.Test;

class RtcTest extends DeviceContractTest {
    private static final long SECOND = 1_000_000_000L;
    private static final int A = 10;
    private static final int B = 11;
    private static final int C = 12;
    private static final int D = 13;

    @Override
    protected DeviceFactory factory() {
        return new RtcFactory();
    }

    @Override
    protected void exercise(DeviceBench b) {
        b.clock().advance(300_000_000);
        write(b, 0x40, 0x99);
        write(b, 7, 0x15);
        write(b, A, 0x2a);
        write(b, 1, 0xc0);
        write(b, B, 0x72);
        b.clock().advance(50_000_000);
        b.outb(0x70, 0x8b);
    }

    private final DeviceBench b = at("2026-11-22T23:59:58Z", Map.of());
    private final BenchIrq irq = b.irq("irq");

    private static DeviceBench at(String time, Map<String, String> properties) {
        DeviceBench b = DeviceBench.unattached(new RtcFactory(), properties);
        b.clock().wallBase(Instant.parse(time).toEpochMilli());
        return b.attach().reset();
    }

    private static int read(DeviceBench b, int index) {
        b.outb(0x70, index);
        return b.inb(0x71);
    }

    private static void write(DeviceBench b, int index, int v) {
        b.outb(0x70, index);
        b.outb(0x71, v);
    }

    private int read(int index) {
        return read(b, index);
    }

    private void write(int index, int v) {
        write(b, index, v);
    }

    /** Century to second, as the bytes are. */
    private String time() {
        StringBuilder s = new StringBuilder();
        for (int i : new int[] {0x32, 9, 8, 7, 4, 2, 0}) s.append(String.format("%02x ", read(i)));
        return s.toString().trim();
    }

    // ---- time ----

    @Test
    void showsTheWallClockInBcdAnd24Hours() {
        assertEquals("20 26 11 22 23 59 58", time());
        assertEquals(1, read(6), "a Sunday");
        assertEquals(0x80, read(D), "battery good");
    }

    @Test
    void rollsOverDayMonthAndYear() {
        b.clock().advance(2 * SECOND);
        assertEquals("20 26 11 23 00 00 00", time());
        DeviceBench newYear = at("1999-12-31T23:59:59.250Z", Map.of());
        newYear.clock().advance(749_999_999);
        assertEquals(0x99, read(newYear, 9));
        newYear.clock().advance(1);
        assertEquals(0x00, read(newYear, 9));
        assertEquals(0x20, read(newYear, 0x32));
        DeviceBench leap = at("2028-02-28T23:59:59Z", Map.of());
        leap.clock().advance(SECOND);
        assertEquals(0x29, read(leap, 7));
    }

    @Test
    void binaryAnd12HourFormats() {
        write(B, 0x06);
        assertEquals("14 1a 0b 16 17 3b 3a", time());
        write(B, 0x00);
        assertEquals(0x91, read(4), "11 p.m.");
        b.clock().advance(2 * SECOND);
        assertEquals(0x12, read(4), "midnight is 12 a.m.");
        b.clock().advance(12 * 3600 * SECOND);
        assertEquals(0x92, read(4), "noon is 12 p.m.");
    }

    @Test
    void timeIsSetUnderSetAndRunsOnAfterwards() {
        b.clock().advance(300_000_000);
        write(B, 0x82);
        int[][] bytes = {{0x32, 0x19}, {9, 0x85}, {8, 0x10}, {7, 0x26}, {4, 0x01}, {2, 0x20}, {0, 0x00}};
        for (int[] v : bytes) write(v[0], v[1]);
        b.clock().advance(5 * SECOND);
        assertEquals("19 85 10 26 01 20 00", time(), "it stands still");
        write(B, 0x02);
        assertEquals("19 85 10 26 01 20 00", time());
        b.clock().advance(700_000_000);
        assertEquals("19 85 10 26 01 20 01", time(), "the divider went on meanwhile");
        assertEquals(7, read(6), "a Saturday");
    }

    @Test
    void setFreezesTheTimeItShowed() {
        write(B, 0x82);
        b.clock().advance(10 * SECOND);
        assertEquals("20 26 11 22 23 59 58", time());
    }

    @Test
    void aByteWrittenWhileRunningSetsTheClock() {
        b.clock().advance(400_000_000);
        write(4, 0x07);
        assertEquals("20 26 11 22 07 59 58", time());
        b.clock().advance(600_000_000);
        assertEquals("20 26 11 22 07 59 59", time(), "the fraction of the second was kept");
    }

    @Test
    void timeSetInAnyFormatIsUnderstood() {
        write(B, 0x84);
        write(4, 0x80 | 1);
        write(2, 0);
        write(0, 0);
        write(B, 0x04);
        assertEquals(0x81, read(4));
        write(B, 0x06);
        assertEquals(13, read(4));
    }

    @Test
    void firstUpdateComesHalfASecondAfterTheDividerIsLetGo() {
        b.clock().advance(123_456_789);
        write(A, 0x76);
        write(0, 0x10);
        b.clock().advance(3 * SECOND);
        assertEquals(0x10, read(0));
        write(A, 0x26);
        b.clock().advance(499_999_999);
        assertEquals(0x10, read(0));
        b.clock().advance(1);
        assertEquals(0x11, read(0));
    }

    @Test
    void impossibleDatesRunOver() {
        write(B, 0x82);
        write(8, 0x02);
        write(7, 0x31);
        write(B, 0x02);
        assertEquals(0x03, read(7));
        assertEquals(0x03, read(8));
    }

    @Test
    void uipIsOnBeforeTheUpdateAndOffWhenTheNewSecondIsThere() {
        b.clock().advance(SECOND - 2_228_001);
        assertEquals(0, read(A) & 0x80);
        b.clock().advance(1);
        assertEquals(0x80, read(A) & 0x80);
        assertEquals(0x58, read(0));
        b.clock().advance(2_228_000);
        assertEquals(0, read(A) & 0x80);
        assertEquals(0x59, read(0));
        write(B, 0x82);
        b.clock().advance(SECOND - 1);
        assertEquals(0, read(A) & 0x80, "no update while SET");
    }

    // ---- interrupts ----

    @Test
    void updateEndedInterruptComesEachSecond() {
        write(B, 0x12);
        b.clock().advance(SECOND - 1);
        assertFalse(irq.level());
        b.clock().advance(1);
        assertTrue(irq.level());
        assertEquals(0x90, read(C) & 0x90);
        assertFalse(irq.level(), "reading C lowers the line");
        assertEquals(0, read(C));
        b.clock().advance(SECOND);
        assertEquals(2, irq.edges());
    }

    @Test
    void periodicInterruptFollowsTheRate() {
        int[][] ratesAndHz = {{6, 1024}, {15, 2}, {3, 8192}, {1, 256}, {2, 128}};
        for (int[] r : ratesAndHz) {
            DeviceBench c = at("2026-01-01T00:00:00Z", Map.of());
            write(c, A, 0x20 | r[0]);
            write(c, B, 0x42);
            for (int tick = 1; tick <= r[1]; tick++) {
                c.clock().runUntil((tick * SECOND + r[1] - 1) / r[1]);
                assertEquals(tick, c.irq("irq").edges(), r[1] + " Hz");
                assertEquals(0xc0, read(c, C) & 0xc0);
            }
            assertEquals(SECOND, c.clock().nanos());
        }
    }

    @Test
    void periodicTicksThatNobodyReadsMeltIntoOne() {
        write(A, 0x26);
        write(B, 0x42);
        b.clock().advance(SECOND);
        assertEquals(1, irq.edges());
        assertFalse(b.clock().timer("event").armed(), "no timer while the line is high");
        read(C);
        b.clock().advance(1_000_000);
        assertEquals(2, irq.edges());
    }

    /** The line falls with the read even if another tick comes before the card looks at the clock again: that one needs an edge of its own. */
    @Test
    void aTickInTheMomentOfTheReadIsAnEdgeOfItsOwn() {
        write(A, 0x2f);
        write(B, 0x42);
        b.clock().advance(SECOND / 2);
        assertEquals(1, irq.edges());
        b.clock().jump(SECOND / 2 - 1500);
        b.clock().creep(1000);
        assertEquals(0xc0, read(C));
        b.clock().creep(0);
        assertTrue(irq.level(), "the tick of the second");
        assertEquals(2, irq.edges());
        assertEquals(0xd0, read(C));
        assertFalse(irq.level());
    }

    @Test
    void flagsAreSetWithoutInterruptsToo() {
        assertEquals(0, read(C));
        b.clock().advance(SECOND);
        assertEquals(0x50, read(C), "PF and UF, but no IRQF");
        assertEquals(0, irq.edges());
        write(A, 0x20);
        b.clock().advance(500_000_000);
        assertEquals(0, read(C), "rate 0: no periodic flag");
    }

    @Test
    void enablingAnInterruptWhoseFlagIsSetInterruptsAtOnce() {
        b.clock().advance(SECOND);
        write(B, 0x12);
        assertTrue(irq.level());
    }

    @Test
    void alarmComesAtItsTimeOnce() {
        write(5, 0x00);
        write(3, 0x01);
        write(1, 0x30);
        write(B, 0x22);
        b.clock().advance(92 * SECOND - 1);
        assertEquals(0, irq.edges());
        b.clock().advance(1);
        assertEquals(1, irq.edges());
        assertEquals(0xa0, read(C) & 0xa0);
        b.clock().advance(86399 * SECOND);
        assertEquals(1, irq.edges());
        b.clock().advance(SECOND);
        assertEquals(2, irq.edges(), "and the next day");
    }

    @Test
    void alarmWithDontCareBytesComesEachMinute() {
        write(5, 0xff);
        write(3, 0xc0);
        write(1, 0x05);
        write(B, 0x22);
        for (int i = 0; i < 180; i++) {
            b.clock().advance(SECOND);
            read(C);
        }
        assertEquals(3, irq.edges());
    }

    @Test
    void impossibleAlarmNeverComes() {
        write(5, 0x25);
        write(B, 0x22);
        assertFalse(b.clock().timer("event").armed());
        b.clock().advance(200_000 * SECOND);
        assertEquals(0, irq.edges());
    }

    @Test
    void setTurnsTheUpdateInterruptOff() {
        write(B, 0x12);
        write(B, 0x92);
        assertEquals(0x82, read(B));
    }

    @Test
    void resetClearsInterruptsAndKeepsTimeAndMemory() {
        write(0x40, 0x5a);
        write(B, 0x76);
        write(7, 5);
        b.clock().advance(SECOND);
        assertTrue(irq.level());
        b.reset();
        assertFalse(irq.level());
        assertEquals(0x06, read(B));
        assertEquals(0x5a, read(0x40));
        assertEquals(5, read(7));
    }

    // ---- memory ----

    @Test
    void memoryKeepsWhatIsWrittenAndCAndDAreReadOnly() {
        for (int i = 0x0e; i < 0x80; i++) if (i != 0x32) write(i, i ^ 0x55);
        for (int i = 0x0e; i < 0x80; i++) if (i != 0x32) assertEquals(i ^ 0x55, read(i), "index " + i);
        write(C, 0xff);
        write(D, 0x00);
        assertEquals(0, read(C));
        assertEquals(0x80, read(D));
    }

    @Test
    void indexPortIsWriteOnlyAndItsTopBitIsNoIndex() {
        write(0x40, 0x77);
        assertEquals(0x77, read(0xc0));
        assertEquals(0xff, b.inb(0x70));
    }

    @Test
    void setUpTellsOfMemoryFloppyAndBootOrder() {
        DeviceBench c = DeviceBench.unattached(new RtcFactory(), Map.of());
        c.platform().ramSize(256L << 20);
        c.platform().bootOrder("ac");
        c.attach().reset();
        assertEquals(640, word(c, 0x15));
        assertEquals(65535, word(c, 0x17));
        assertEquals(65535, word(c, 0x30));
        assertEquals((256 - 16) * 16, word(c, 0x34));
        assertEquals(0x40, read(c, 0x10));
        assertEquals(0x03, read(c, 0x14));
        assertEquals(0x21, read(c, 0x3d));
        int sum = 0;
        for (int i = 0x10; i <= 0x2d; i++) sum += read(c, i);
        assertEquals(sum, read(c, 0x2e) << 8 | read(c, 0x2f));
    }

    @Test
    void smallMemoryIsToldInFull() {
        DeviceBench c = DeviceBench.unattached(new RtcFactory(), Map.of("floppy", "0"));
        c.platform().ramSize(8L << 20);
        c.attach().reset();
        assertEquals(7168, word(c, 0x17));
        assertEquals(7168, word(c, 0x30));
        assertEquals(0, word(c, 0x34));
        assertEquals(0, read(c, 0x10));
        assertEquals(0x02, read(c, 0x14));
    }

    @Test
    void badFloppyPropertyIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> at("2026-01-01T00:00:00Z", Map.of("floppy", "x")));
    }

    private static int word(DeviceBench b, int at) {
        return read(b, at) | read(b, at + 1) << 8;
    }

    // ---- swap ----

    @Test
    void timeAndInterruptsGoOnOverASwap() throws Exception {
        write(7, 0x10);
        write(B, 0x12);
        for (int i = 0; i < 10; i++) {
            b.clock().advance(500_000_000);
            b.swap(new RtcFactory());
            if (irq.level()) read(C);
        }
        assertEquals(5, irq.edges());
        assertEquals("20 26 11 11 00 00 03", time());
        assertNotEquals(0, read(B) & 0x10);
    }
}
