package org.backplane.devfdc;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.stream.Stream;
import org.backplane.devicekit.test.BenchBlock;
import org.backplane.devicekit.test.DeviceBench;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class FdcTransferTest {
    private final DeviceBench bench = DeviceBench.unattached(new FdcFactory(), java.util.Map.of());
    private final BenchBlock disk = bench.insert("drive-a", Driver.image(1440));
    private final Driver driver = new Driver(bench.attach().reset()).start();

    private byte[] programDma(int sectors) {
        byte[] buffer = new byte[sectors * 512];
        bench.dma("dma").program(buffer);
        return buffer;
    }

    /** Bytes of the image from a sector on, counted from 0. */
    private byte[] onDisk(int sector, int sectors) {
        return Arrays.copyOfRange(disk.data(), sector * 512, (sector + sectors) * 512);
    }

    @Test
    void readsSectorsUpToTerminalCount() {
        byte[] buffer = programDma(3);
        int[] r = driver.transfer(Driver.READ, 0, 0, 2, 18);
        assertArrayEquals(new int[] {0, 0, 0, 0, 0, 5, 2}, r);
        assertArrayEquals(onDisk(1, 3), buffer);
    }

    @Test
    void interruptsWithTheResultUntilItsFirstByteIsRead() {
        programDma(1);
        driver.command(Driver.READ, 0, 0, 0, 1, 2, 18, 0x1b, 0xff);
        assertTrue(driver.irq());
        bench.inb(Driver.FIFO);
        assertFalse(driver.irq());
        for (int i = 0; i < 6; i++) bench.inb(Driver.FIFO);
        assertEquals(0x80, bench.inb(Driver.MSR));
    }

    @Test
    void dmaGateOffKeepsInterruptAndRequestsAway() {
        byte[] buffer = programDma(1);
        bench.outb(Driver.DOR, 0x14);
        int[] r = driver.transfer(Driver.READ, 0, 0, 1, 18);
        assertEquals(0x40, r[0]);
        assertEquals(0x10, r[1], "overrun");
        assertEquals(0, buffer[0]);
    }

    @Test
    void terminalCountAtTheLastSectorGivesTheNextCylinder() {
        programDma(18);
        assertArrayEquals(new int[] {0, 0, 0, 1, 0, 1, 2}, driver.transfer(Driver.READ, 0, 0, 1, 18));
    }

    @Test
    void withoutTerminalCountItEndsAtTheEndOfTheSide() {
        byte[] buffer = programDma(36);
        assertArrayEquals(new int[] {0x40, 0x80, 0, 1, 0, 1, 2}, driver.transfer(Driver.READ, 0, 0, 1, 18));
        assertEquals(18 * 512, bench.dma("dma").moved());
        assertEquals(0, buffer[18 * 512]);
    }

    @Test
    void multiTrackGoesOnOnTheOtherSide() {
        byte[] buffer = programDma(20);
        assertArrayEquals(new int[] {0x04, 0, 0, 0, 1, 3, 2}, driver.transfer(Driver.READ | Driver.MT, 0, 0, 1, 18));
        assertArrayEquals(onDisk(0, 20), buffer);
    }

    @Test
    void multiTrackEndsAfterTheSecondSide() {
        programDma(40);
        assertArrayEquals(new int[] {0x44, 0x80, 0, 1, 0, 1, 2}, driver.transfer(Driver.READ | Driver.MT, 0, 0, 1, 18));
        assertEquals(36 * 512, bench.dma("dma").moved());
    }

    @Test
    void writesSectors() {
        byte[] buffer = programDma(2);
        Arrays.fill(buffer, (byte) 0xa5);
        driver.seek(3);
        assertArrayEquals(new int[] {0x04, 0, 0, 3, 1, 8, 2}, driver.transfer(Driver.WRITE, 3, 1, 6, 18));
        assertArrayEquals(buffer, onDisk(3 * 36 + 18 + 5, 2));
        assertEquals((byte) (3 * 36 + 18 + 8), onDisk(3 * 36 + 18 + 7, 1)[0]);
    }

    @Test
    void terminalCountInsideASectorFillsItWithZeros() {
        byte[] buffer = new byte[600];
        Arrays.fill(buffer, (byte) 0x11);
        bench.dma("dma").program(buffer);
        driver.transfer(Driver.WRITE, 0, 0, 1, 18);
        assertEquals(0x11, disk.data()[599]);
        assertEquals(0, disk.data()[600]);
        assertEquals(0, disk.data()[1023]);
        assertEquals(3, disk.data()[1024]);
    }

    @Test
    void writeProtectedMediumIsNotWritten() {
        disk.setReadOnly(true);
        programDma(1);
        int[] r = driver.transfer(Driver.WRITE, 0, 0, 1, 18);
        assertEquals(0x40, r[0]);
        assertEquals(0x02, r[1]);
        driver.command(0x04, 0);
        assertEquals(0x78, driver.result(1)[0], "write protected, at track 0");
    }

    @Test
    void errorOfTheHostIsABadChecksum() {
        disk.setFailing(true);
        programDma(1);
        int[] r = driver.transfer(Driver.READ, 0, 0, 1, 18);
        assertEquals(0x40, r[0]);
        assertEquals(0x20, r[1]);
        assertEquals(0x20, r[2]);
    }

    static Stream<Arguments> wrongIds() {
        return Stream.of(
                Arguments.of("sector beyond the track", new int[] {0, 0, 0, 19, 2}, 0x04, 0),
                Arguments.of("sector 0", new int[] {0, 0, 0, 0, 2}, 0x04, 0),
                Arguments.of("another cylinder", new int[] {0, 5, 0, 1, 2}, 0x04, 0x10),
                Arguments.of("cylinder FF", new int[] {0, 0xff, 0, 1, 2}, 0x04, 0x12),
                Arguments.of("another head", new int[] {0, 0, 1, 1, 2}, 0x04, 0),
                Arguments.of("another size", new int[] {0, 0, 0, 1, 3}, 0x04, 0),
                Arguments.of("empty drive", new int[] {1, 0, 0, 1, 2}, 0x01, 0),
                Arguments.of("no drive", new int[] {2, 0, 0, 1, 2}, 0x01, 0));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("wrongIds")
    void sectorThatIsNotThereEndsAbnormally(String what, int[] id, int st1, int st2) {
        byte[] buffer = programDma(1);
        driver.command(Driver.READ, id[0], id[1], id[2], id[3], id[4], 18, 0x1b, 0xff);
        int[] r = driver.result(7);
        assertEquals(0x40 | id[0], r[0], what);
        assertEquals(st1, r[1], what);
        assertEquals(st2, r[2], what);
        assertEquals(0, buffer[0]);
    }

    @Test
    void wrongDataRateOrFmFindsNoAddressMark() {
        programDma(1);
        bench.outb(Driver.CCR, 2);
        assertEquals(0x01, driver.transfer(Driver.READ, 0, 0, 1, 18)[1]);
        bench.outb(Driver.CCR, 0);
        assertEquals(0x01, driver.transfer(0x06, 0, 0, 1, 18)[1], "FM");
        assertEquals(0x00, driver.transfer(Driver.READ, 0, 0, 1, 18)[1]);
    }

    @Test
    void dsrSetsTheDataRate() {
        programDma(1);
        bench.outb(Driver.DSR, 2);
        assertEquals(0x01, driver.transfer(Driver.READ, 0, 0, 1, 18)[1]);
        bench.outb(Driver.DSR, 0);
        assertEquals(0x00, driver.transfer(Driver.READ, 0, 0, 1, 18)[1]);
    }

    @Test
    void impliedSeekMovesTheHeadFirst() {
        byte[] buffer = programDma(1);
        driver.command(0x13, 0, 0x40, 0);
        assertEquals(0, driver.transfer(Driver.READ, 40, 0, 1, 18)[0]);
        assertArrayEquals(onDisk(40 * 36, 1), buffer);
    }

    @Test
    void verifyReadsAsManySectorsAsItIsTold() {
        driver.command(0x56, 0x80, 0, 0, 1, 2, 18, 0x1b, 4);
        assertArrayEquals(new int[] {0, 0, 0, 0, 0, 5, 2}, driver.result(7));
        driver.command(0x56, 0x80, 0, 0, 17, 2, 18, 0x1b, 4);
        assertEquals(0x80, driver.result(7)[1], "more than the side has");
        driver.command(0x56, 0x00, 0, 0, 1, 2, 18, 0x1b, 0xff);
        assertArrayEquals(new int[] {0, 0, 0, 1, 0, 1, 2}, driver.result(7));
        disk.setFailing(true);
        driver.command(0x56, 0x80, 0, 0, 1, 2, 18, 0x1b, 4);
        assertEquals(0x20, driver.result(7)[1]);
    }

    @Test
    void readTrackTakesTheSectorsInOrderWhateverTheirIds() {
        byte[] buffer = programDma(4);
        int[] r = driver.transfer(0x42, 0, 0, 7, 4);
        assertEquals(0, r[0]);
        assertEquals(0x04, r[1], "the ID was another");
        assertArrayEquals(onDisk(0, 4), buffer);
    }

    @Test
    void readIdGivesWhatPassesTheHead() {
        driver.seek(11);
        driver.command(0x4a, 4);
        assertArrayEquals(new int[] {0x04, 0, 0, 11, 1, 1, 2}, driver.result(7));
        bench.clock().advance(100_000_000);
        driver.command(0x4a, 4);
        assertEquals(10, driver.result(7)[5], "half a turn later");
        bench.outb(Driver.CCR, 3);
        driver.command(0x4a, 4);
        assertEquals(0x01, driver.result(7)[1]);
    }

    @Test
    void readDeletedFindsNormalMarks() {
        byte[] buffer = programDma(4);
        int[] r = driver.transfer(0x4c, 0, 0, 1, 18);
        assertEquals(0, r[0]);
        assertEquals(0x40, r[2]);
        assertArrayEquals(onDisk(0, 1), Arrays.copyOf(buffer, 512));
        assertEquals(0, buffer[512]);
        assertEquals(0x04, driver.transfer(0x6c, 0, 0, 1, 18)[1], "all skipped");
    }

    @Test
    void formatFillsTheSectorsOfTheTrack() {
        byte[] ids = new byte[18 * 4];
        for (int i = 0; i < 18; i++) {
            ids[4 * i] = 2;
            ids[4 * i + 2] = (byte) (i + 1);
            ids[4 * i + 3] = 2;
        }
        bench.dma("dma").program(ids);
        driver.seek(2);
        driver.command(0x4d, 0, 2, 18, 0x6c, 0xf6);
        assertEquals(0, driver.result(7)[0]);
        byte[] track = new byte[18 * 512];
        Arrays.fill(track, (byte) 0xf6);
        assertArrayEquals(track, onDisk(72, 18));
        assertEquals((byte) (72 + 19), onDisk(72 + 18, 1)[0], "the other side is as it was");
    }

    @Test
    void formatToAnotherFormatIsRefused() {
        bench.dma("dma").program(new byte[] {0, 0, 19, 2});
        driver.command(0x4d, 0, 2, 21, 0x0c, 0xf6);
        assertEquals(0x50, driver.result(7)[0]);
        assertTrue(bench.log().getLast().contains("sector 19"), bench.log().toString());
    }

    @Test
    void programmedReadGivesByteByByteAndEndsAtEot() {
        driver.command(0x03, 0xdf, 0x03);
        driver.command(Driver.READ, 0, 0, 0, 17, 2, 18, 0x1b, 0xff);
        byte[] got = new byte[1024];
        for (int i = 0; i < got.length; i++) {
            assertEquals(0xf0, bench.inb(Driver.MSR), "byte " + i);
            assertTrue(driver.irq(), "byte " + i);
            got[i] = (byte) bench.inb(Driver.FIFO);
        }
        assertArrayEquals(onDisk(16, 2), got);
        assertArrayEquals(new int[] {0x40, 0x80, 0, 1, 0, 1, 2}, driver.result(7));
    }

    @Test
    void programmedWriteTakesByteByByte() {
        driver.command(0x03, 0xdf, 0x03);
        driver.command(Driver.WRITE, 0, 0, 0, 18, 2, 18, 0x1b, 0xff);
        for (int i = 0; i < 512; i++) {
            assertEquals(0xb0, bench.inb(Driver.MSR), "byte " + i);
            bench.outb(Driver.FIFO, i);
        }
        assertEquals(0x80, driver.result(7)[1]);
        for (int i = 0; i < 512; i++) assertEquals((byte) i, disk.data()[17 * 512 + i]);
    }

    @Test
    void programmedReadGoesOnInTheNextCard() throws Exception {
        driver.command(0x03, 0xdf, 0x03);
        driver.command(Driver.READ, 0, 0, 0, 17, 2, 18, 0x1b, 0xff);
        byte[] got = new byte[1024];
        for (int i = 0; i < got.length; i++) {
            if (i % 300 == 7) bench.swap(new FdcFactory());
            got[i] = (byte) bench.inb(Driver.FIFO);
        }
        assertArrayEquals(onDisk(16, 2), got);
    }

    static Stream<Arguments> formats() {
        return Stream.of(
                Arguments.of(160, 2, 39, 0, 8), Arguments.of(180, 1, 39, 0, 9), Arguments.of(320, 2, 39, 1, 8), Arguments.of(360, 2, 39, 1, 9),
                Arguments.of(720, 2, 79, 1, 9), Arguments.of(1200, 0, 79, 1, 15), Arguments.of(1680, 0, 79, 1, 21),
                Arguments.of(2880, 3, 79, 1, 36));
    }

    @ParameterizedTest(name = "{0}K")
    @MethodSource("formats")
    void everyFormatHasItsLastSector(int kib, int rate, int cylinder, int head, int sector) {
        disk.change(Driver.image(kib));
        bench.outb(Driver.CCR, rate);
        driver.seek(cylinder);
        byte[] buffer = programDma(1);
        assertEquals(head << 2, driver.transfer(Driver.READ, cylinder, head, sector, sector)[0]);
        assertArrayEquals(onDisk(kib * 2 - 1, 1), buffer);
        assertEquals(0x04, driver.transfer(Driver.READ, cylinder, head, sector + 1, sector + 1)[1]);
    }
}
