package org.backplane.devserial;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.backplane.devicekit.test.BenchChar;
import org.backplane.devicekit.test.BenchIrq;
import org.backplane.devicekit.test.DeviceBench;
import org.backplane.devicekit.test.DeviceContractTest;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.junit.jupiter.api.Test;

class UartTest extends DeviceContractTest {
    private static final int DATA = 0x3f8;
    private static final int IER = 0x3f9;
    private static final int IIR = 0x3fa;
    private static final int FCR = 0x3fa;
    private static final int LCR = 0x3fb;
    private static final int MCR = 0x3fc;
    private static final int LSR = 0x3fd;
    private static final int MSR = 0x3fe;
    private static final int SCR = 0x3ff;

    @Override
    protected DeviceFactory factory() {
        return new SerialFactory();
    }

    @Override
    protected void exercise(DeviceBench b) {
        b.outb(LCR, 0x83);
        b.outb(DATA, 1);
        b.outb(LCR, 0x03);
        b.outb(FCR, 0x81);
        b.outb(IER, 0x0f);
        b.outb(MCR, 0x0b);
        b.outb(SCR, 0x5a);
        b.outb(DATA, 'x');
        b.character("chardev").input("a longer text than the FIFO holds");
        b.inb(DATA);
    }

    private final DeviceBench b = DeviceBench.of(new SerialFactory());
    private final BenchChar line = b.character("chardev");
    private final BenchIrq irq = b.irq("irq");

    /** Timing of the tests: divisor 1, 8N1, so that a character takes 86.8 microseconds. */
    private void fastLine() {
        b.outb(LCR, 0x83);
        b.outb(DATA, 1);
        b.outb(IER, 0);
        b.outb(LCR, 0x03);
    }

    // ---- registers ----

    @Test
    void powerOnValuesAreThoseOfTheDatasheet() {
        assertEquals(0x00, b.inb(IER));
        assertEquals(0x01, b.inb(IIR));
        assertEquals(0x00, b.inb(LCR));
        assertEquals(0x00, b.inb(MCR));
        assertEquals(0x60, b.inb(LSR));
        assertEquals(0xb0, b.inb(MSR));
    }

    @Test
    void reservedBitsReadAsZero() {
        b.outb(IER, 0xff);
        b.outb(MCR, 0xff);
        assertEquals(0x0f, b.inb(IER));
        assertEquals(0x1f, b.inb(MCR));
    }

    @Test
    void scratchKeepsItsValueAndDlabShowsTheDivisor() {
        b.outb(SCR, 0xa5);
        b.outb(IER, 0x05);
        b.outb(LCR, 0x80);
        b.outb(DATA, 0x34);
        b.outb(IER, 0x12);
        assertEquals(0x34, b.inb(DATA));
        assertEquals(0x12, b.inb(IER));
        assertEquals(0xa5, b.inb(SCR));
        b.outb(LCR, 0x03);
        assertEquals(0x05, b.inb(IER));
        assertEquals("", line.output());
    }

    @Test
    void fifoBitsOfIirFollowTheEnableBit() {
        b.outb(FCR, 0x01);
        assertEquals(0xc1, b.inb(IIR));
        b.outb(FCR, 0xc0);
        assertEquals(0x01, b.inb(IIR), "without bit 0 nothing else is programmed");
    }

    // ---- transmitter ----

    @Test
    void characterLeavesWithTheWriteAndTheTransmitterIsEmpty() {
        b.outb(DATA, 'H');
        b.outb(DATA, 'i');
        assertEquals("Hi", line.output());
        assertEquals(0x60, b.inb(LSR));
        assertFalse(irq.level());
    }

    @Test
    void enablingTheThreInterruptOverAnEmptyTransmitterRequestsEachTime() {
        for (int i = 1; i <= 2; i++) {
            b.outb(IER, 0x02);
            assertEquals(0x02, b.inb(IIR));
            assertEquals(0x01, b.inb(IIR), "told once");
            assertFalse(irq.level());
            b.outb(IER, 0x00);
            assertEquals(i, irq.edges());
        }
    }

    @Test
    void writingIerAgainDoesNotRequestAgain() {
        b.outb(IER, 0x02);
        b.inb(IIR);
        b.outb(IER, 0x0a);
        assertFalse(irq.level());
    }

    @Test
    void eachCharacterMakesAnEdgeForTheNextThreInterrupt() {
        b.outb(IER, 0x02);
        int edges = irq.edges();
        b.outb(DATA, 'x');
        assertTrue(irq.level());
        assertEquals(edges + 1, irq.edges(), "the line was low in between although the request was not read");
        assertEquals(0x02, b.inb(IIR));
        assertFalse(irq.level());
        b.outb(DATA, 'y');
        assertTrue(irq.level());
    }

    // ---- receiver ----

    @Test
    void withoutFifosOneCharacterIsTakenAtATime() {
        b.outb(IER, 0x01);
        line.input("abc");
        assertEquals(2, line.waiting());
        assertTrue(irq.level());
        assertEquals(0x04, b.inb(IIR));
        assertEquals('a', b.inb(DATA));
        assertEquals(2, irq.edges(), "the next character makes its own edge");
        assertEquals('b', b.inb(DATA));
        assertEquals('c', b.inb(DATA));
        assertFalse(irq.level());
        assertEquals(0x60, b.inb(LSR));
        assertEquals('c', b.inb(DATA), "RBR keeps the last character");
    }

    @Test
    void inputBeyondTheFifoWaitsAndComesInOrder() {
        b.outb(FCR, 0x01);
        b.outb(IER, 0x01);
        line.input("0123456789abcdefghijklmnopqrstuvwxyz");
        assertEquals(20, line.waiting());
        StringBuilder got = new StringBuilder();
        while ((b.inb(LSR) & 1) != 0) got.append((char) b.inb(DATA));
        assertEquals("0123456789abcdefghijklmnopqrstuvwxyz", got.toString());
        assertEquals(0, b.inb(LSR) & 0x1e, "no overrun");
        line.input("!");
        assertEquals('!', b.inb(DATA));
    }

    @Test
    void aSwapOnAnIdleLineChangesNothingForAGuestThatPolls() throws Exception {
        for (boolean swapped : new boolean[] {false, true}) {
            DeviceBench b = DeviceBench.of(factory());
            b.inb(LSR);
            b.inb(LSR);
            if (swapped) b.swap(factory());
            b.outb(MCR, 0);
            b.inb(LSR);
            b.inb(LSR);
            b.character("chardev").input("x");
            assertEquals(0, b.character("chardev").waiting(), "swapped: " + swapped);
        }
    }

    @Test
    void guestThatPollsGetsItsInput() {
        line.input("ls\n");
        StringBuilder got = new StringBuilder();
        for (int i = 0; i < 10; i++) if ((b.inb(LSR) & 1) != 0) got.append((char) b.inb(DATA));
        assertEquals("ls\n", got.toString());
        line.input("x");
        assertEquals('x', b.inb(DATA), "a poller hears of later input too");
    }

    @Test
    void inputWaitsUntilTheDriverHasOpenedThePort() {
        line.input("typed ahead");
        // Linux prints boot messages by polling, probes, and opens the port: LSR, RBR, IIR and MSR are read to clear them.
        for (int i = 0; i < 5; i++) {
            b.inb(LSR);
            b.outb(DATA, '.');
        }
        for (int fcr : new int[] {0x01, 0x07, 0x00}) b.outb(FCR, fcr);
        for (int i = 0; i < 2; i++) {
            for (int port : new int[] {LSR, DATA, IIR, MSR}) b.inb(port);
            b.outb(IER, 0x02);
            b.outb(IER, 0x00);
        }
        b.outb(FCR, 0x81);
        assertEquals(11, line.waiting());
        b.outb(IER, 0x05);
        StringBuilder got = new StringBuilder();
        while ((b.inb(LSR) & 1) != 0) got.append((char) b.inb(DATA));
        assertEquals("typed ahead", got.toString());
    }

    @Test
    void dataInterruptComesAtEachTriggerLevel() {
        int[] levels = {1, 4, 8, 14};
        for (int i = 0; i < 4; i++) {
            DeviceBench c = DeviceBench.of(new SerialFactory());
            c.outb(FCR, 0x01 | i << 6);
            c.outb(IER, 0x01);
            for (int n = 1; n < levels[i]; n++) {
                c.character("chardev").input("x");
                assertEquals(0xc1, c.inb(IIR), "below the level");
            }
            c.character("chardev").input("x");
            assertEquals(0xc4, c.inb(IIR));
            c.inb(DATA);
            assertEquals(0xc1, c.inb(IIR), "ends below the level");
        }
    }

    @Test
    void timeoutInterruptComesAfterFourCharacterTimes() {
        fastLine();
        b.outb(FCR, 0xc1);
        b.outb(IER, 0x01);
        line.input("ab");
        b.clock().advance(4 * 86_805 - 10);
        assertFalse(irq.level());
        b.clock().advance(20);
        assertEquals(0xcc, b.inb(IIR));
        assertEquals('a', b.inb(DATA));
        assertEquals(0xc1, b.inb(IIR), "reading a character ends it");
        b.clock().advance(400_000);
        assertEquals(0xcc, b.inb(IIR), "and starts it again while there are more");
        b.inb(DATA);
        assertFalse(b.clock().timer("timeout").armed());
    }

    @Test
    void newCharacterPutsTheTimeoutOff() {
        fastLine();
        b.outb(FCR, 0xc1);
        b.outb(IER, 0x01);
        line.input("a");
        b.clock().advance(300_000);
        line.input("b");
        b.clock().advance(300_000);
        assertFalse(irq.level());
        b.clock().advance(50_000);
        assertTrue(irq.level());
    }

    @Test
    void clearingTheReceiveFifoDropsWhatIsInIt() {
        b.outb(FCR, 0x01);
        b.outb(IER, 0x01);
        line.input("abc");
        b.outb(FCR, 0x03);
        assertEquals(0, b.inb(LSR) & 1);
        line.input("d");
        assertEquals('d', b.inb(DATA));
    }

    // ---- priorities, modem lines, loopback ----

    @Test
    void interruptsAreIdentifiedInTheOrderOfThePriorities() {
        b.outb(MCR, 0x10);
        b.inb(MSR);
        b.outb(DATA, 'a');
        b.outb(DATA, 'b');
        b.outb(MCR, 0x11);
        b.outb(IER, 0x0f);
        assertEquals(0x06, b.inb(IIR), "overrun: line status");
        assertEquals(0x63, b.inb(LSR));
        assertEquals(0x04, b.inb(IIR), "received data");
        assertEquals('b', b.inb(DATA), "without FIFOs the new character wins");
        assertEquals(0x02, b.inb(IIR), "transmitter");
        assertEquals(0x00, b.inb(IIR), "modem status");
        assertEquals(0x22, b.inb(MSR));
        assertEquals(0x01, b.inb(IIR));
        assertFalse(irq.level());
    }

    @Test
    void loopbackTurnsModemOutputsIntoInputs() {
        b.outb(MCR, 0x1a);
        assertEquals(0x90, b.inb(MSR) & 0xf0, "what Linux's autoconfig looks for");
        b.outb(MCR, 0x1f);
        assertEquals(0xf2, b.inb(MSR), "DSR and RI came; RI counts only when it goes");
        b.outb(MCR, 0x1b);
        assertEquals(0xb4, b.inb(MSR));
        b.outb(MCR, 0x0b);
        assertEquals(0xb0, b.inb(MSR));
    }

    @Test
    void loopbackSendsNothingOutAndTakesNothingIn() {
        b.outb(MCR, 0x10);
        b.outb(FCR, 0x01);
        b.outb(IER, 0x01);
        line.input("outside");
        b.outb(DATA, 'q');
        assertEquals('q', b.inb(DATA));
        assertEquals("", line.output());
        assertEquals(7, line.waiting());
        b.outb(MCR, 0x00);
        assertEquals('o', b.inb(DATA), "input comes when loopback is left");
    }

    @Test
    void loopbackOverrunKeepsTheFifo() {
        b.outb(MCR, 0x10);
        b.outb(FCR, 0x01);
        for (int i = 0; i < 17; i++) b.outb(DATA, i);
        assertEquals(0x63, b.inb(LSR));
        for (int i = 0; i < 16; i++) assertEquals(i, b.inb(DATA));
        assertEquals(0x60, b.inb(LSR));
    }

    @Test
    void out2GatesTheInterruptWhenTheSlotSaysSo() {
        DeviceBench at = DeviceBench.of(new SerialFactory(), Map.of("out2", "gate"));
        at.outb(IER, 0x02);
        assertFalse(at.irq("irq").level());
        at.outb(MCR, 0x08);
        assertTrue(at.irq("irq").level());
        at.outb(MCR, 0x18);
        assertFalse(at.irq("irq").level(), "loopback cuts OUT2 off");
        assertThrows(IllegalArgumentException.class, () -> DeviceBench.of(new SerialFactory(), Map.of("out2", "maybe")));
    }

    // ---- Linux's probe (drivers/tty/serial/8250: autoconfig and the THRE tests of startup) ----

    @Test
    void linuxIdentifiesA16550aAndNothingLater() {
        b.outb(IER, 0);
        assertEquals(0, b.inb(IER) & 0x0f);
        b.outb(IER, 0x0f);
        assertEquals(0x0f, b.inb(IER) & 0x0f);
        b.outb(IER, 0);
        b.outb(LCR, 0xbf);
        b.outb(FCR, 0);
        b.outb(LCR, 0);
        b.outb(FCR, 0x01);
        assertEquals(3, b.inb(IIR) >> 6, "FIFOs that work");
        b.outb(LCR, 0xbf);
        assertTrue(b.inb(IIR) != 0, "no EFR");
        b.outb(LCR, 0);
        b.outb(FCR, 0x21);
        assertEquals(6, b.inb(IIR) >> 5);
        b.outb(LCR, 0x80);
        b.outb(FCR, 0x21);
        assertEquals(6, b.inb(IIR) >> 5, "no 64-byte FIFO");
        b.outb(LCR, 0);
        b.outb(IER, 0x40);
        assertEquals(0, b.inb(IER) & 0x40, "no XScale unit enable");
    }

    @Test
    void portsMoveWithTheSlot() {
        DeviceBench com2 = DeviceBench.of(new SerialFactory(), Map.of("regs", "0x2f8", "irq", "3"));
        com2.outb(0x2ff, 0x77);
        assertEquals(0x77, com2.inb(0x2ff));
        assertEquals(0xff, com2.inb(0x3ff));
    }

    // ---- swap ----

    @Test
    void swapLosesNoCharacterInEitherDirection() throws Exception {
        b.outb(FCR, 0x81);
        b.outb(IER, 0x03);
        line.input("the quick brown fox jumps over the lazy dog");
        StringBuilder got = new StringBuilder();
        for (int i = 0; (b.inb(LSR) & 1) != 0; i++) {
            got.append((char) b.inb(DATA));
            b.outb(DATA, 'A' + i % 26);
            if (i % 5 == 0) b.swap(new SerialFactory());
        }
        assertEquals("the quick brown fox jumps over the lazy dog", got.toString());
        assertEquals("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQ", line.output());
        line.input("!");
        assertEquals('!', b.inb(DATA), "the new card hears of new input");
    }

    @Test
    void pendingThreInterruptSurvivesASwap() throws Exception {
        b.outb(IER, 0x02);
        b.swap(new SerialFactory());
        assertTrue(irq.level());
        assertEquals(1, irq.edges(), "no edge of its own");
        assertEquals(0x02, b.inb(IIR));
        assertFalse(irq.level());
    }
}
