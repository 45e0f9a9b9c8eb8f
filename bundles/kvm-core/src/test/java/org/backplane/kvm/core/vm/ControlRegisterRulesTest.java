package org.backplane.kvm.core.vm;

import static org.backplane.kvm.spi.cpu.CpuState.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.backplane.kvm.core.cpu.ControlRegisters;
import org.backplane.kvm.spi.cpu.CpuState;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a control register refuses is #GP(0) for the guest (SDM 3A 2.5, 4.1; kvm-internals 3), and nothing has changed then. */
class ControlRegisterRulesTest {
    private static final long PDPTES = 0x2000;

    private final HandMadeVm machine = new HandMadeVm();
    private ControlRegisters control;
    private CpuState s;

    @BeforeEach
    void create() {
        machine.boot("direct", "f4");
        control = machine.vcpu.control();
        s = machine.vcpu.context().state;
        s.cr0 = CR0_PE | CR0_ET;
    }

    @AfterEach
    void close() {
        machine.close();
    }

    private void refusesCr0(long value) {
        long before = s.cr0;
        assertFalse(control.setCr0(value));
        assertEquals(before, s.cr0);
    }

    private void pdpte(int n, long value) {
        machine.vm.memory().write(PDPTES + 8L * n, 8, value);
    }

    private void longMode() {
        s.cr4 = CR4_PAE;
        s.efer = EFER_LME;
        assertTrue(control.setCr0(s.cr0 | CR0_PG));
        assertTrue(s.longModeActive());
    }

    @Test
    void reservedBitsOfCr0AreRefused() {
        for (int bit : new int[] {32, 63}) refusesCr0(s.cr0 | 1L << bit);
        assertTrue(control.setCr0(s.cr0 | CR0_TS));
    }

    @Test
    void nwNeedsCd() {
        refusesCr0(s.cr0 | CR0_NW);
        assertTrue(control.setCr0(s.cr0 | CR0_NW | CR0_CD));
    }

    @Test
    void pgNeedsPe() {
        refusesCr0(s.cr0 & ~CR0_PE | CR0_PG);
        assertTrue(control.setCr0(s.cr0 | CR0_PG));
    }

    @Test
    void longModePagingNeedsPae() {
        s.efer = EFER_LME;
        refusesCr0(s.cr0 | CR0_PG);
        longMode();
    }

    @Test
    void longModePagingNeedsACodeSegmentThatIsNot64Bit() {
        s.segAr[CS] |= AR_L;
        s.cr4 = CR4_PAE;
        s.efer = EFER_LME;
        refusesCr0(s.cr0 | CR0_PG);
        s.segAr[CS] &= ~AR_L;
        longMode();
    }

    @Test
    void paeStaysInLongMode() {
        longMode();
        assertFalse(control.setCr4(0));
        assertEquals(CR4_PAE, s.cr4);
        assertTrue(control.setCr4(CR4_PAE | CR4_PGE));
    }

    @Test
    void vmxeAndOtherUnknownBitsOfCr4AreRefused() {
        for (int bit : new int[] {11, 12, 13, 14, 22, 32, 63}) {
            assertFalse(control.setCr4(1L << bit), "bit " + bit);
            assertEquals(0, s.cr4);
        }
        assertTrue(control.setCr4(CR4_VME | CR4_PSE));
    }

    @Test
    void badPdptesAreRefusedByEveryRegisterThatLoadsThem() {
        s.cr3 = PDPTES;
        pdpte(2, 0xfff0_0000_0000_01e6L);
        assertTrue(turnsOnPae(), "an entry that is not present may hold anything");
        for (int bit : new int[] {1, 2, 5, 6, 7, 8, 36, 63}) {
            pdpte(2, 1 | 1L << bit);
            assertFalse(turnsOnPae(), "CR0, bit " + bit);
            assertFalse(control.setCr3(PDPTES), "CR3, bit " + bit);
            assertFalse(setsPae(), "CR4, bit " + bit);
        }
        pdpte(2, 1 | 1 << 3 | 1 << 4 | 7 << 9);
        assertTrue(turnsOnPae(), "PWT, PCD and what software may use");
        assertTrue(control.setCr3(PDPTES));
        assertTrue(setsPae());
    }

    private boolean turnsOnPae() {
        s.cr0 = CR0_PE | CR0_ET;
        s.cr4 = CR4_PAE;
        boolean done = control.setCr0(s.cr0 | CR0_PG);
        s.cr0 |= CR0_PG;
        return done;
    }

    private boolean setsPae() {
        s.cr4 = 0;
        boolean done = control.setCr4(CR4_PAE);
        assertEquals(done ? CR4_PAE : 0, s.cr4);
        s.cr4 = CR4_PAE;
        return done;
    }

    @Test
    void cr3Has32BitsOutsideOfLongMode() {
        assertFalse(control.setCr3(1L << 32));
        assertEquals(0, s.cr3);
        longMode();
        assertTrue(control.setCr3(1L << 32));
    }

    @Test
    void cr3HasAsManyBitsAsAPhysicalAddressInLongMode() {
        longMode();
        assertFalse(control.setCr3(1L << 36));
        assertEquals(0, s.cr3);
        assertTrue(control.setCr3(1L << 35));
    }

    /** kvm-internals 3. With paging off CR3 is not used, and may hold anything (SDM 3A 4.3). */
    @Test
    void cr3OutsideOfMemoryIsRefusedWhereTablesAreShadowed() {
        machine.install("shadow");
        long outside = 1 << 20;
        assertTrue(control.setCr3(outside));
        assertTrue(control.setCr3(0));
        assertTrue(control.setCr0(s.cr0 | CR0_PG));
        assertFalse(control.setCr3(outside));
        assertFalse(control.setCr3(0xfffff000L));
        assertEquals(0, s.cr3);
        assertTrue(control.setCr3(outside - 0x1000), "the last page");
        machine.vm.setMemoryRegion(1, 0, outside, 4096);
        assertTrue(control.setCr3(outside), "memory that came later");
        s.cr4 = CR4_PAE;
        assertFalse(control.setCr3(outside + 4096));
        assertTrue(control.setCr3(outside + 4064), "the last PDPTEs");
        machine.install("direct");
        assertTrue(control.setCr3(outside + 4096), "with EPT the processor loads it, and a walk finds nothing");
    }

    @Test
    void lmeStaysWhilePagingIsOn() {
        long known = EFER_SCE | EFER_LME | EFER_NX;
        assertTrue(control.setCr0(s.cr0 | CR0_PG));
        assertFalse(control.setEfer(EFER_LME, known));
        assertEquals(0, s.efer);
        assertTrue(control.setEfer(EFER_NX, known));
        assertTrue(control.setCr0(s.cr0 & ~CR0_PG));
        assertTrue(control.setEfer(EFER_LME, known));
    }
}
