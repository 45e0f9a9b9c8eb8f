package com.example.sensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.backplane.junit.TestVm;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The card in a VM, driven by a guest. */
class SensorVmTest {
    private static final long REGS = 0xfeb00000L;
    private static final int CONTROL = 4, TEMPERATURE = 0xc, RATE = 0x18, SAMPLES = 0x1c;
    private static final int ENABLE = 1, SAMPLE_INTERRUPT = 4;

    @RegisterExtension
    static final TestVm vm =
            TestVm.builder().card(SensorFactory.class).device("sensor,coldest=17,hottest=17").build();

    @Test
    void guestTakesSamplesOneByOneAlsoFromAnUpdatedCard() {
        vm.probe().write32(REGS + RATE, 100);
        vm.probe().write32(REGS + CONTROL, ENABLE | SAMPLE_INTERRUPT);
        vm.probe().awaitInterrupt(10);
        assertEquals(17_000, vm.probe().read32(REGS + TEMPERATURE));
        long before = vm.probe().read32(REGS + SAMPLES);
        vm.updateCards();
        vm.probe().read32(REGS + TEMPERATURE);
        vm.probe().interrupts(10);
        vm.probe().awaitInterrupt(10);
        assertEquals(17_000, vm.probe().read32(REGS + TEMPERATURE));
        assertTrue(vm.probe().read32(REGS + SAMPLES) > before, "it goes on counting where it was");
    }
}
