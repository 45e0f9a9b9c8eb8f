package com.example.gpio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.backplane.devicekit.test.DeviceBench;
import org.backplane.devicekit.test.DeviceContractTest;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.junit.jupiter.api.Test;

class GpioTest extends DeviceContractTest {
    private static final int A = 0x240, B = 0x248;
    private static final int PINS = 0, OUT = 1, DIRECTION = 2, SET = 3, CLEAR = 4, TOGGLE = 5, ENABLE = 6, STATUS = 7;

    @Override
    protected DeviceFactory factory() {
        return new GpioFactory();
    }

    /** LEDs are lit, one button is held, another is pressed and will come up, and the line is high. */
    @Override
    protected void exercise(DeviceBench b) {
        b.outb(A + DIRECTION, 0xf0);
        b.outb(A + OUT, 0x35);
        b.outb(B + ENABLE, 0xff);
        b.use("hold", "1");
        b.use("press", "6");
    }

    private static String picture(String leds, String buttons) {
        return "           7 6 5 4 3 2 1 0\nA LEDs     " + leds + "\nB buttons  " + buttons;
    }

    @Test
    void outputsHaveTheirLevelAndLightTheLeds() {
        DeviceBench b = fresh();
        b.outb(A + OUT, 0x81);
        assertEquals(picture(". . . . . . . .", ". . . . . . . ."), b.use("show"), "inputs light nothing");
        b.outb(A + DIRECTION, 0xf0);
        assertEquals(0x80, b.inb(A + PINS));
        assertEquals(picture("* . . . . . . .", ". . . . . . . ."), b.use("show"));
        assertEquals(0x81, b.inb(A + OUT));
    }

    @Test
    void pinsAreSetClearedAndToggledWithoutTheOthers() {
        DeviceBench b = fresh();
        b.outb(B + DIRECTION, 0xff);
        b.outb(B + SET, 0x0f);
        b.outb(B + CLEAR, 0x03);
        b.outb(B + TOGGLE, 0x18);
        assertEquals(0x14, b.inb(B + PINS));
        assertEquals(0, b.inb(A + OUT), "the ports are apart");
    }

    @Test
    void pressComesUpAfterAMomentAndBothAreChanges() {
        DeviceBench b = fresh();
        b.outb(B + ENABLE, 0x08);
        b.use("press", "3");
        b.settle();
        assertEquals(0x08, b.inb(B + PINS));
        assertEquals(picture(". . . . . . . .", ". . . . # . . ."), b.use("show"));
        assertTrue(b.irq("irq").level());
        b.outb(B + STATUS, 0x08);
        assertFalse(b.irq("irq").level());
        b.clock().advance(Gpio.PRESS_NANOS);
        assertEquals(0, b.inb(B + PINS));
        assertEquals(0x08, b.inb(B + STATUS));
        assertTrue(b.irq("irq").level());
    }

    @Test
    void heldButtonStaysDownUntilItIsReleased() {
        DeviceBench b = fresh();
        b.use("press", "0");
        b.use("hold", "0");
        b.clock().advance(2 * Gpio.PRESS_NANOS);
        assertEquals(1, b.inb(B + PINS));
        b.use("release", "0");
        assertEquals(0, b.inb(B + PINS));
    }

    @Test
    void changesOfPinsWithoutAnEnabledInterruptAreSilent() {
        DeviceBench b = fresh();
        b.outb(B + DIRECTION, 0x02);
        b.outb(B + ENABLE, 0x02);
        b.use("hold", "0");
        b.use("hold", "1");
        assertEquals(0x01, b.inb(B + STATUS), "pin 1 is an output and does not see its button");
        assertFalse(b.irq("irq").level());
    }

    @Test
    void resetLetsGoOfNoButton() {
        DeviceBench b = fresh();
        b.use("hold", "4");
        b.reset();
        assertEquals(0x10, b.inb(B + PINS));
        assertEquals(0, b.inb(B + STATUS));
    }

    @Test
    void swapHandsButtonsOverAndTheyComeUpInTime() throws Exception {
        DeviceBench b = fresh();
        b.use("press", "2");
        b.swap(factory());
        assertEquals(0x04, b.inb(B + PINS));
        assertEquals(0, b.inb(B + STATUS) & ~0x04, "nothing else has changed");
        b.clock().advance(Gpio.PRESS_NANOS);
        assertEquals(0, b.inb(B + PINS));
    }

    @Test
    void aButtonThatIsNotThereIsRefused() {
        DeviceBench b = fresh();
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> b.use("press", "8"));
        assertEquals("'8' is no number from 0 to 7", e.getMessage());
    }
}
