package com.example.edu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Map;
import org.backplane.devicekit.test.DeviceBench;
import org.backplane.devicekit.test.DeviceContractTest;
import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.junit.jupiter.api.Test;

class EduTest extends DeviceContractTest {
    private static final int ID = 0, LIVENESS = 4, FACTORIAL = 8, STATUS = 0x20, INTERRUPTS = 0x24, RAISE = 0x60, ACKNOWLEDGE = 0x64;
    private static final int SOURCE = 0x80, DESTINATION = 0x88, COUNT = 0x90, COMMAND = 0x98;
    private static final int COMPUTING = 1, INTERRUPT = 0x80;
    private static final int RUN = 1, TO_MEMORY = 2, DMA_INTERRUPT = 4;
    private static final int MEMORY = 0x2000;

    @Override
    protected DeviceFactory factory() {
        return new EduFactory();
    }

    /** A transfer is done, and another and a factorial are under way. */
    @Override
    protected void exercise(DeviceBench b) {
        Arrays.fill(b.memory(), MEMORY, MEMORY + 16, (byte) 0x5a);
        dma(b, MEMORY, Edu.BUFFER, 16, RUN | DMA_INTERRUPT);
        b.clock().advance(Edu.WORK_NANOS);
        dma(b, Edu.BUFFER, MEMORY + 0x100, 16, RUN | TO_MEMORY);
        write(b, STATUS, INTERRUPT);
        write(b, LIVENESS, 1);
        write(b, FACTORIAL, 7);
        b.clock().advance(Edu.WORK_NANOS / 2);
    }

    private static long read(DeviceBench b, int offset) {
        return b.read("regs", offset, 4);
    }

    private static void write(DeviceBench b, int offset, long value) {
        b.write("regs", offset, 4, value);
    }

    private static void dma(DeviceBench b, long source, long destination, long count, int command) {
        write(b, SOURCE, source);
        write(b, DESTINATION, destination);
        write(b, COUNT, count);
        write(b, COMMAND, command);
    }

    @Test
    void identifiesItselfAndIsAlive() {
        DeviceBench b = fresh();
        assertEquals(0x010000ed, read(b, ID));
        write(b, LIVENESS, 0x12345678);
        assertEquals(0xedcba987L, read(b, LIVENESS));
    }

    @Test
    void factorialIsThereWhenTheStatusSaysSo() {
        DeviceBench b = fresh();
        write(b, FACTORIAL, 10);
        assertEquals(COMPUTING, read(b, STATUS));
        b.clock().advance(Edu.WORK_NANOS - 1);
        assertEquals(COMPUTING, read(b, STATUS));
        b.clock().advance(1);
        assertEquals(0, read(b, STATUS));
        assertEquals(3628800, read(b, FACTORIAL));
        assertFalse(b.irq("irq").level(), "nobody asked for an interrupt");
    }

    @Test
    void factorialIsModulo32Bits() {
        assertEquals(1, Edu.factorialOf(0));
        assertEquals(1932053504, Edu.factorialOf(13));
        assertEquals(1 << 31, Edu.factorialOf(33));
        assertEquals(0, Edu.factorialOf(34));
        assertEquals(0, Edu.factorialOf(-1));
    }

    @Test
    void factorialInterruptsUntilAcknowledged() {
        DeviceBench b = fresh();
        write(b, STATUS, INTERRUPT);
        write(b, FACTORIAL, 3);
        b.clock().advance(Edu.WORK_NANOS);
        assertEquals(Edu.FACTORIAL_DONE, read(b, INTERRUPTS));
        assertTrue(b.irq("irq").level());
        write(b, ACKNOWLEDGE, Edu.FACTORIAL_DONE);
        assertFalse(b.irq("irq").level());
    }

    @Test
    void busyFactorialTakesNoOtherNumber() {
        DeviceBench b = fresh();
        write(b, FACTORIAL, 4);
        write(b, FACTORIAL, 9);
        b.clock().advance(Edu.WORK_NANOS);
        assertEquals(24, read(b, FACTORIAL));
    }

    @Test
    void raisedBitsCollectAndTheLineFollowsThem() {
        DeviceBench b = fresh();
        write(b, RAISE, 0x10);
        write(b, RAISE, 0x03);
        assertEquals(0x13, read(b, INTERRUPTS));
        write(b, ACKNOWLEDGE, 0x11);
        assertEquals(0x02, read(b, INTERRUPTS));
        assertTrue(b.irq("irq").level());
        write(b, ACKNOWLEDGE, 0xffffffffL);
        assertFalse(b.irq("irq").level());
        assertEquals(1, b.irq("irq").edges());
    }

    @Test
    void dmaGoesThroughTheBufferAndBack() {
        DeviceBench b = fresh();
        byte[] sent = "a round trip".getBytes();
        System.arraycopy(sent, 0, b.memory(), MEMORY, sent.length);
        dma(b, MEMORY, Edu.BUFFER + 100, sent.length, RUN);
        assertEquals(RUN, read(b, COMMAND) & RUN);
        b.clock().advance(Edu.WORK_NANOS);
        assertEquals(0, read(b, COMMAND) & RUN);
        assertEquals(0, read(b, INTERRUPTS));
        dma(b, Edu.BUFFER + 100, MEMORY + 0x800, sent.length, RUN | TO_MEMORY | DMA_INTERRUPT);
        b.clock().advance(Edu.WORK_NANOS);
        assertArrayEquals(sent, Arrays.copyOfRange(b.memory(), MEMORY + 0x800, MEMORY + 0x800 + sent.length));
        assertEquals(Edu.DMA_DONE, read(b, INTERRUPTS));
    }

    @Test
    void transferUnderWayKeepsItsRegisters() {
        DeviceBench b = fresh();
        dma(b, MEMORY, Edu.BUFFER, 4, RUN);
        dma(b, 1, 2, 3, RUN | TO_MEMORY);
        assertEquals(MEMORY, read(b, SOURCE));
        assertEquals(Edu.BUFFER, read(b, DESTINATION));
        assertEquals(4, read(b, COUNT));
        assertEquals(RUN, read(b, COMMAND));
    }

    @Test
    void transferOutsideOfTheBufferMovesNothingAndIsLogged() {
        long[][] bad = {{Edu.BUFFER - 1, 1}, {Edu.BUFFER, 4097}, {Edu.BUFFER + 4096, 1}, {Edu.BUFFER + 4095, 2}, {0, 1}};
        for (long[] range : bad) {
            DeviceBench b = fresh();
            b.memory()[MEMORY] = 77;
            dma(b, range[0], MEMORY, range[1], RUN | TO_MEMORY);
            b.clock().advance(Edu.WORK_NANOS);
            assertEquals(77, b.memory()[MEMORY], Arrays.toString(range));
            assertEquals(1, b.log().size(), Arrays.toString(range));
            assertEquals(0, read(b, COMMAND) & RUN);
        }
    }

    @Test
    void countNearTheEndOf64BitsIsOutsideToo() {
        DeviceBench b = fresh();
        b.write("regs", SOURCE, 8, Edu.BUFFER);
        b.write("regs", COUNT, 8, -1L);
        b.write("regs", COMMAND, 8, RUN | TO_MEMORY);
        b.clock().advance(Edu.WORK_NANOS);
        assertEquals(1, b.log().size());
    }

    @Test
    void addressesAreCutToTheMask() {
        DeviceBench b = DeviceBench.of(factory(), Map.of("dma_mask", "0xffff"));
        b.memory()[MEMORY] = 5;
        b.memory()[MEMORY + 0x10000] = 6;
        dma(b, MEMORY + 0x10000, Edu.BUFFER, 1, RUN);
        b.clock().advance(Edu.WORK_NANOS);
        dma(b, Edu.BUFFER, MEMORY + 1, 1, RUN | TO_MEMORY);
        b.clock().advance(Edu.WORK_NANOS);
        assertEquals(5, b.memory()[MEMORY + 1]);
    }

    @Test
    void maskThatIsNoNumberIsRefused() {
        String message = assertThrows(IllegalArgumentException.class, () -> DeviceBench.of(factory(), Map.of("dma_mask", "28 bits")))
                .getMessage();
        assertTrue(message.contains("28 bits"), message);
    }

    @Test
    void workUnderWaySurvivesASwap() throws Exception {
        DeviceBench b = fresh();
        write(b, STATUS, INTERRUPT);
        write(b, FACTORIAL, 5);
        b.clock().advance(Edu.WORK_NANOS / 2);
        b.swap(factory());
        b.clock().advance(Edu.WORK_NANOS / 2);
        assertEquals(120, read(b, FACTORIAL));
        assertTrue(b.irq("irq").level());
    }

    @Test
    void workWithoutItsDeadlineStartsAnew() throws Exception {
        DeviceBench b = fresh();
        write(b, FACTORIAL, 5);
        CardState state = b.save();
        DeviceBench other = DeviceBench.unattached(factory(), Map.of()).attach().load(state);
        other.clock().advance(Edu.WORK_NANOS);
        assertEquals(120, read(other, FACTORIAL));
    }
}
