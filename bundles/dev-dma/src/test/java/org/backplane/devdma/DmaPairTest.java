package org.backplane.devdma;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.backplane.devicekit.test.DeviceBench;
import org.backplane.kvm.spi.device.IsaDmaController;
import org.junit.jupiter.api.Test;

class DmaPairTest {
    private final DeviceBench bench = DeviceBench.of(new DmaFactory());
    private final Dma dma = new Dma(bench);
    private final IsaDmaController controller = bench.facet(IsaDmaController.class);
    private final byte[] memory = bench.memory();

    private static byte[] bytes(int n) {
        byte[] b = new byte[n];
        for (int i = 0; i < n; i++) b[i] = (byte) (i + 1);
        return b;
    }

    private byte[] memory(int from, int length) {
        return Arrays.copyOfRange(memory, from, from + length);
    }

    @Test
    void movesDeviceBytesToMemoryAtPageAndAddress() {
        dma.program(2, Dma.TO_MEMORY, 0x23456, 512);
        assertEquals(512, controller.transfer(2, true, bytes(512), 0, 512));
        assertArrayEquals(bytes(512), memory(0x23456, 512));
    }

    @Test
    void movesMemoryToTheDevice() {
        System.arraycopy(bytes(100), 0, memory, 0x8000, 100);
        dma.program(1, Dma.FROM_MEMORY, 0x8000, 100);
        byte[] got = new byte[110];
        assertEquals(100, controller.transfer(1, false, got, 10, 100));
        assertArrayEquals(bytes(100), Arrays.copyOfRange(got, 10, 110));
    }

    @Test
    void stopsAtTerminalCountAndMasksTheChannel() {
        dma.program(2, Dma.TO_MEMORY, 0x1000, 20);
        assertEquals(20, controller.transfer(2, true, bytes(64), 0, 64));
        assertTrue(controller.terminalCount(2));
        assertEquals(0x04, bench.inb(0x08) & 0x0f);
        assertEquals(0, bench.inb(0x08) & 0x0f, "reading the status clears terminal count");
        assertEquals(0xffff, dma.count(2));
        assertEquals(0x1014, dma.address(2));
        assertEquals(0, controller.transfer(2, true, bytes(64), 0, 64), "masked");
        assertFalse(controller.terminalCount(2));
        assertEquals(0, memory[0x1014]);
    }

    @Test
    void goesOnWhereItStoppedBeforeTerminalCount() {
        dma.program(3, Dma.TO_MEMORY, 0x1000, 20);
        assertEquals(8, controller.transfer(3, true, bytes(20), 0, 8));
        assertFalse(controller.terminalCount(3));
        assertEquals(11, dma.count(3));
        assertEquals(12, controller.transfer(3, true, bytes(20), 8, 12));
        assertTrue(controller.terminalCount(3));
        assertArrayEquals(bytes(20), memory(0x1000, 20));
    }

    @Test
    void autoinitReloadsAtTerminalCount() {
        dma.program(0, Dma.TO_MEMORY | Dma.AUTOINIT, 0x3000, 4);
        assertEquals(4, controller.transfer(0, true, bytes(10), 0, 10));
        assertTrue(controller.terminalCount(0));
        assertEquals(0x3000, dma.address(0));
        assertEquals(3, dma.count(0));
        assertEquals(4, controller.transfer(0, true, bytes(10), 4, 6));
        assertArrayEquals(new byte[] {5, 6, 7, 8, 0}, memory(0x3000, 5));
    }

    @Test
    void decrementFillsMemoryBackwards() {
        dma.program(1, Dma.TO_MEMORY | Dma.DECREMENT, 0x4003, 4);
        assertEquals(4, controller.transfer(1, true, bytes(4), 0, 4));
        assertArrayEquals(new byte[] {4, 3, 2, 1}, memory(0x4000, 4));
        assertEquals(0x3fff, dma.address(1));
    }

    @Test
    void verifyCountsAndMovesNothing() {
        dma.program(2, Dma.VERIFY, 0x5000, 4);
        assertEquals(4, controller.transfer(2, true, bytes(4), 0, 4));
        assertTrue(controller.terminalCount(2));
        assertArrayEquals(new byte[4], memory(0x5000, 4));
    }

    @Test
    void addressWrapsInsideItsPage() {
        dma.program(2, Dma.TO_MEMORY, 0x1fffe, 4);
        assertEquals(4, controller.transfer(2, true, bytes(4), 0, 4));
        assertArrayEquals(new byte[] {1, 2}, memory(0x1fffe, 2));
        assertArrayEquals(new byte[] {3, 4}, memory(0x10000, 2));
        assertEquals(0, memory[0x20000]);
    }

    @Test
    void wordChannelsMoveWordsAndIgnorePageBitZero() {
        dma.program(5, Dma.TO_MEMORY, 0x32468, 8);
        assertEquals(8, controller.transfer(5, true, bytes(9), 0, 9), "an odd byte stays");
        assertTrue(controller.terminalCount(5));
        assertArrayEquals(bytes(8), memory(0x32468, 8));
        assertEquals(0x02, bench.inb(0xd0) & 0x0f);
    }

    @Test
    void wordChannelsWrapAt128KiB() {
        dma.program(7, Dma.TO_MEMORY, 0x5fffe, 4);
        assertEquals(4, controller.transfer(7, true, bytes(4), 0, 4));
        assertArrayEquals(new byte[] {1, 2}, memory(0x5fffe, 2));
        assertArrayEquals(new byte[] {3, 4}, memory(0x40000, 2));
    }

    @Test
    void wordDecrementKeepsTheOrderInsideAWord() {
        dma.program(6, Dma.TO_MEMORY | Dma.DECREMENT, 0x22, 4);
        controller.transfer(6, true, bytes(4), 0, 4);
        assertArrayEquals(new byte[] {3, 4, 1, 2}, memory(0x20, 4));
    }

    @Test
    void wrongDirectionMovesNothingAndIsLogged() {
        dma.program(2, Dma.FROM_MEMORY, 0x1000, 4);
        assertEquals(0, controller.transfer(2, true, bytes(4), 0, 4));
        assertEquals(3, dma.count(2));
        assertTrue(bench.log().getLast().contains("channel 2"), bench.log().toString());
    }

    @Test
    void maskedCascadeStopsTheFirstControllerOnly() {
        dma.program(2, Dma.TO_MEMORY, 0x1000, 4);
        dma.program(5, Dma.TO_MEMORY, 0x2000, 4);
        bench.outb(0xd4, 4);
        assertEquals(0, controller.transfer(2, true, bytes(4), 0, 4));
        assertEquals(2, controller.transfer(5, true, bytes(4), 0, 2));
        bench.outb(0xd6, 0xc0);
        bench.outb(0xd4, 0);
        assertEquals(4, controller.transfer(2, true, bytes(4), 0, 4));
    }

    @Test
    void disabledControllerServesNobody() {
        dma.program(2, Dma.TO_MEMORY, 0x1000, 4);
        bench.outb(0x08, 0x04);
        assertEquals(0, controller.transfer(2, true, bytes(4), 0, 4));
        bench.outb(0x08, 0x00);
        assertEquals(4, controller.transfer(2, true, bytes(4), 0, 4));
    }

    @Test
    void cascadeModeServesNoDevice() {
        dma.program(2, 0xc0, 0x1000, 4);
        assertEquals(0, controller.transfer(2, true, bytes(4), 0, 4));
    }

    @Test
    void flipFlopSelectsTheByteAndIsClearedByPort12() {
        bench.outb(0x0c, 0);
        bench.outb(0x02, 0x34);
        bench.outb(0x02, 0x12);
        bench.outb(0x0c, 0);
        assertEquals(0x34, bench.inb(0x02));
        bench.outb(0x0c, 0);
        assertEquals(0x34, bench.inb(0x02));
        assertEquals(0x12, bench.inb(0x02));
    }

    @Test
    void masterClearMasksAllChannels() {
        dma.program(2, Dma.TO_MEMORY, 0x1000, 4);
        bench.outb(0x0d, 0);
        assertEquals(0xff, bench.inb(0x0f));
        assertEquals(0, controller.transfer(2, true, bytes(4), 0, 4));
        bench.outb(0x0e, 0);
        assertEquals(0xf0, bench.inb(0x0f));
        assertEquals(4, controller.transfer(2, true, bytes(4), 0, 4));
    }

    @Test
    void maskRegisterSetsAllFourAtOnce() {
        bench.outb(0x0f, 0x0a);
        assertEquals(0xfa, bench.inb(0x0f));
    }

    @Test
    void fullCountMoves64KiB() {
        dma.program(2, Dma.TO_MEMORY, 0x30000, 0x10000);
        byte[] data = bytes(0x10000);
        assertEquals(0x10000, controller.transfer(2, true, data, 0, data.length));
        assertArrayEquals(data, memory(0x30000, 0x10000));
        assertTrue(controller.terminalCount(2));
    }

    @Test
    void leavesPostAndSystemControlPortsToOthers() {
        for (int port : new int[] {0x80, 0x92}) {
            assertTrue(bench.claims().stream().noneMatch(r -> port >= r.base() && port < r.base() + r.length()), Integer.toHexString(port));
        }
    }
}
