package com.example.gpio;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.backplane.junit.TestVm;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The card in a VM, driven by a guest, with somebody at the front panel. */
class GpioVmTest {
    private static final int A = 0x240, PINS = 0, OUT = 1, DIRECTION = 2, SET = 3, CLEAR = 4, B = 0x248;

    @RegisterExtension
    static final TestVm vm = TestVm.builder().card(GpioFactory.class).device("gpio").build();

    @Test
    void guestDrivesPinsWhichAnUpdateOfTheCardLeavesAlone() {
        vm.probe().out8(A + DIRECTION, 0xff);
        vm.probe().out8(A + OUT, 0);
        vm.probe().out8(A + SET, 0x3c);
        vm.probe().out8(A + CLEAR, 0x10);
        assertEquals(0x2c, vm.probe().in8(A + PINS));
        vm.updateCards();
        assertEquals(0x2c, vm.probe().in8(A + PINS));
    }

    @Test
    void guestSeesTheButtonThatIsHeld() throws Exception {
        vm.machine().use("gpio0", "hold", List.of("3"));
        assertEquals(1 << 3, vm.probe().in8(B + PINS));
        vm.machine().use("gpio0", "release", List.of("3"));
        assertEquals(0, vm.probe().in8(B + PINS));
    }
}
