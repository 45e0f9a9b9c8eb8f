package com.example.gpio;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.backplane.junit.TestVm;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The card in a VM, driven by a guest; there is no shell, as under {@code backplane run}. */
class GpioVmTest {
    private static final int A = 0x240, PINS = 0, OUT = 1, DIRECTION = 2, SET = 3, CLEAR = 4;

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
}
