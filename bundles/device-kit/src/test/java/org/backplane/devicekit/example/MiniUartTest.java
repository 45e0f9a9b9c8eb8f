package org.backplane.devicekit.example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.backplane.devicekit.test.DeviceBench;
import org.backplane.devicekit.test.DeviceContractTest;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.junit.jupiter.api.Test;

/** How a card is tested: the contract, and its own rules on the bench. */
class MiniUartTest extends DeviceContractTest {
    private static final int DATA = 0x2e0;
    private static final int STATUS = 0x2e1;
    private static final int CONTROL = 0x2e2;

    private final DeviceBench b = DeviceBench.of(factory());

    @Override
    protected DeviceFactory factory() {
        return new MiniUartFactory();
    }

    /** A character received and another on the wire, with interrupts. */
    @Override
    protected void exercise(DeviceBench b) {
        b.outb(CONTROL, 0x83);
        b.outb(DATA, 'x');
        b.character("chardev").input("ab");
    }

    @Test
    void aCharacterTakesItsTimeOnTheWire() {
        b.outb(DATA, 'x');
        assertEquals(0, b.inb(STATUS), "the transmitter is busy");
        b.clock().advance(87_000);
        assertEquals("x", b.character("chardev").output());
        assertEquals(0x0a, b.inb(STATUS), "empty, sent");
        b.outb(STATUS, 0x08);
        assertEquals(0x02, b.inb(STATUS), "a one clears 'sent'");
    }

    @Test
    void anOverwrittenCharacterIsAnOverrunThatReadingClears() {
        b.outb(DATA, 'x');
        b.outb(DATA, 'y');
        assertEquals(0x04, b.inb(STATUS));
        assertEquals(0x00, b.inb(STATUS));
    }

    @Test
    void inputInterruptsUntilItIsReadAndWaitsItsTurn() {
        b.outb(CONTROL, 0x01);
        b.character("chardev").input("ab");
        assertTrue(b.irq("irq").level());
        assertEquals('a', b.inb(DATA));
        assertEquals('b', b.inb(DATA));
        assertFalse(b.irq("irq").level());
        b.character("chardev").input("c");
        assertTrue(b.irq("irq").level(), "the next one is told again");
    }

    @Test
    void aSwapInTheMiddleOfACharacterLosesNothing() throws Exception {
        b.outb(DATA, 'x');
        b.clock().advance(50_000);
        b.swap(factory());
        b.clock().advance(37_000);
        assertEquals("x", b.character("chardev").output());
    }

    @Test
    void parityIsToldToBeMissing() {
        b.outb(CONTROL, 0x10);
        assertEquals("mini-uart: control.parity is not implemented (0x1 written)", b.log().getFirst());
    }
}
