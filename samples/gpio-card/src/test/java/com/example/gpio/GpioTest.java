package com.example.gpio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.backplane.devicekit.test.DeviceBench;
import org.backplane.devicekit.test.DeviceContractTest;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.junit.jupiter.api.Test;

class GpioTest extends DeviceContractTest {
    private static final int A = 0x240, B = 0x248;
    private static final int PINS = 0, OUT = 1, DIRECTION = 2, SET = 3, CLEAR = 4, TOGGLE = 5, ENABLE = 6, STATUS = 7;

    private final List<String> told = new ArrayList<>();
    private final Panels panels = new Panels(new Panels.Listener() {
        @Override
        public void first(Panels p) {
            told.add("first");
        }

        @Override
        public void last() {
            told.add("last");
        }
    });

    @Override
    protected DeviceFactory factory() {
        return new GpioFactory(panels);
    }

    /** LEDs are lit, one button is held, another is pressed and will come up, and the line is high. */
    @Override
    protected void exercise(DeviceBench b) {
        b.outb(A + DIRECTION, 0xf0);
        b.outb(A + OUT, 0x35);
        b.outb(B + ENABLE, 0xff);
        panel(b).hold(1);
        panel(b).press(6);
        b.settle();
    }

    private static Panel panel(DeviceBench b) {
        return (Panel) b.device();
    }

    @Test
    void outputsHaveTheirLevelAndLightTheLeds() {
        DeviceBench b = fresh();
        b.outb(A + OUT, 0x81);
        assertEquals(0, panel(b).view(), "inputs light nothing");
        b.outb(A + DIRECTION, 0xf0);
        assertEquals(0x80, b.inb(A + PINS));
        assertTrue(Panel.lit(panel(b).view(), 7));
        assertFalse(Panel.lit(panel(b).view(), 0));
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
        panel(b).press(3);
        assertEquals(0, b.inb(B + PINS), "it is posted");
        b.settle();
        assertEquals(0x08, b.inb(B + PINS));
        assertTrue(Panel.down(panel(b).view(), 3));
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
        panel(b).press(0);
        panel(b).hold(0);
        b.settle();
        b.clock().advance(2 * Gpio.PRESS_NANOS);
        assertEquals(1, b.inb(B + PINS));
        panel(b).release(0);
        b.settle();
        assertEquals(0, b.inb(B + PINS));
    }

    @Test
    void changesOfPinsWithoutAnEnabledInterruptAreSilent() {
        DeviceBench b = fresh();
        b.outb(B + DIRECTION, 0x02);
        b.outb(B + ENABLE, 0x02);
        panel(b).hold(0);
        panel(b).hold(1);
        b.settle();
        assertEquals(0x01, b.inb(B + STATUS), "pin 1 is an output and does not see its button");
        assertFalse(b.irq("irq").level());
    }

    @Test
    void resetLetsGoOfNoButton() {
        DeviceBench b = fresh();
        panel(b).hold(4);
        b.settle();
        b.reset();
        assertTrue(Panel.down(panel(b).view(), 4));
        assertEquals(0x10, b.inb(B + PINS));
        assertEquals(0, b.inb(B + STATUS));
    }

    @Test
    void panelIsKnownFromResumeToQuiesce() {
        DeviceBench b = fresh();
        assertEquals(List.of(), panels.all());
        b.resume();
        assertEquals(List.of(panel(b)), panels.all());
        b.quiesce();
        assertEquals(List.of(), panels.all());
        assertEquals(List.of("first", "last"), told);
    }

    @Test
    void swapHandsButtonsAndPanelOver() throws Exception {
        DeviceBench b = fresh();
        b.resume();
        panel(b).press(2);
        b.settle();
        Panel old = panel(b);
        b.swap(factory());
        assertEquals(List.of(panel(b)), panels.all());
        assertTrue(Panel.down(panel(b).view(), 2));
        assertEquals(0x04, b.inb(B + PINS));
        b.clock().advance(Gpio.PRESS_NANOS);
        assertEquals(0, b.inb(B + PINS));
        assertThrows(IllegalArgumentException.class, () -> old.press(1), "the old card has left");
    }

    @Test
    void panelsAreFoundByNameOrAlone() {
        assertThrows(IllegalArgumentException.class, () -> panels.find(null));
        DeviceBench one = DeviceBench.of(factory(), Map.of("panel", "front"));
        one.resume();
        assertEquals(panel(one), panels.find(null));
        DeviceBench two = DeviceBench.of(factory(), Map.of("panel", "back"));
        two.resume();
        assertThrows(IllegalArgumentException.class, () -> panels.find(null));
        assertEquals(panel(two), panels.find("back"));
        DeviceBench three = DeviceBench.of(factory(), Map.of("panel", "back"));
        three.resume();
        assertThrows(IllegalArgumentException.class, () -> panels.find("back"));
    }

    @Test
    void bundleThatStopsTakesItsPanelsAway() {
        DeviceBench b = fresh();
        b.resume();
        panels.close();
        b.quiesce();
        b.resume();
        assertEquals(List.of(), panels.all());
        assertEquals(List.of("first", "last"), told);
    }
}
