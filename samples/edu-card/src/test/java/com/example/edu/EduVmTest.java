package com.example.edu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.backplane.junit.TestVm;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The card in a VM, driven by a guest. */
class EduVmTest {
    private static final long REGS = 0xfea00000L, BUFFER = 0x40000;
    private static final int FACTORIAL = 8, STATUS = 0x20, INTERRUPTS = 0x24, ACKNOWLEDGE = 0x64;
    private static final int SOURCE = 0x80, DESTINATION = 0x88, COUNT = 0x90, COMMAND = 0x98;
    private static final int RUN = 1, TO_MEMORY = 2, INTERRUPT = 4;
    private static final int IRQ = 11;

    @RegisterExtension
    static final TestVm vm = TestVm.builder().card(EduFactory.class).device("edu").build();

    @Test
    void guestIsToldTheFactorialByAnInterrupt() {
        vm.probe().write32(REGS + STATUS, 0x80);
        vm.probe().write32(REGS + FACTORIAL, 10);
        vm.probe().awaitInterrupt(IRQ);
        assertEquals(1, vm.probe().read32(REGS + INTERRUPTS));
        vm.probe().write32(REGS + ACKNOWLEDGE, 1);
        assertEquals(3_628_800, vm.probe().read32(REGS + FACTORIAL));
    }

    @Test
    void dmaMovesMemoryToTheBufferAndBack() {
        vm.probe().write32(0x200000, 0x64636261);
        vm.probe().write32(0x200004, 0x68676665);
        move(0x200000, BUFFER, RUN | INTERRUPT);
        move(BUFFER, 0x300000, RUN | TO_MEMORY | INTERRUPT);
        assertArrayEquals("abcdefgh".getBytes(), vm.machine().readPhysical(0x300000, 8));
    }

    private void move(long from, long to, int command) {
        vm.probe().write32(REGS + SOURCE, from);
        vm.probe().write32(REGS + DESTINATION, to);
        vm.probe().write32(REGS + COUNT, 8);
        vm.probe().write32(REGS + COMMAND, command);
        vm.probe().awaitInterrupt(IRQ);
        vm.probe().write32(REGS + ACKNOWLEDGE, 0x100);
    }
}
