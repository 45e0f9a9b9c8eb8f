package org.backplane.vmx.realmode;

import static org.backplane.kvm.spi.cpu.CpuState.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.RealModePages;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** kvm-internals 4: entering and leaving virtual-8086 mode in real mode's place. */
class RealModeViewTest {
    private final CpuState s = new CpuState();
    private final RealModeView view = new RealModeView(s);

    @BeforeEach
    void realMode() {
        s.reset();
        s.segBase[CS] = 0xf0000;
        s.segSel[DS] = 0x1234;
        s.segBase[DS] = 0x12340;
        s.setRflags(IF | CF | 2);
        view.configure(false, false, RealModePages.STANDARD);
    }

    private void legacy() {
        view.configure(true, false, RealModePages.STANDARD);
    }

    @Test
    void everySegmentBecomesBaseOver16With64KAndRightsF3() {
        view.toVm86();
        for (int seg = ES; seg <= GS; seg++) {
            assertEquals(s.segBase[seg], (long) s.segSel[seg] << 4);
            assertEquals(0xffff, s.segLimit[seg]);
            assertEquals(0xf3, s.segAr[seg]);
        }
        assertEquals(0x1234, s.segSel[DS]);
        assertEquals(0xf000, s.segSel[CS]);
    }

    @Test
    void theProcessorIsInProtectedModeAtLevel3WithVmAndNoIopl() {
        s.rflagsOther |= 2 << 12;
        view.toVm86();
        assertTrue(s.vm86());
        assertEquals(3, s.cpl);
        assertEquals(0, s.rflagsOther & IOPL, "what shows IOPL must trap");
        assertTrue(s.protectedMode());
        assertTrue(s.interruptsEnabled() && s.cf(), "the guest's other flags stay");
        view.toGuest();
        assertEquals(2 << 12, s.rflagsOther & (IOPL | VM));
        assertEquals(0, s.cpl);
        assertFalse(s.protectedMode());
    }

    @Test
    void trIsTheReservedTssAndComesBack() {
        s.segSel[TR] = 0x28;
        s.segBase[TR] = 0x5000;
        s.segLimit[TR] = 0x67;
        s.segAr[TR] = 0x83;
        view.toVm86();
        assertEquals(RealModePages.STANDARD.tss(), s.segBase[TR]);
        assertEquals(0x2088, s.segLimit[TR]);
        assertEquals(0x8b, s.segAr[TR]);
        view.toGuest();
        assertEquals(0x28, s.segSel[TR]);
        assertEquals(0x5000, s.segBase[TR]);
        assertEquals(0x67, s.segLimit[TR]);
        assertEquals(0x83, s.segAr[TR]);
    }

    @Test
    void aSegmentWithItsBaseUnchangedComesBackAsSaved() {
        s.segAr[DS] = 0x91;
        view.toVm86();
        view.toGuest();
        assertEquals(0x91, s.segAr[DS]);
        assertEquals(0x9b, s.segAr[CS]);
        assertEquals(0xf000, s.segSel[CS]);
    }

    @Test
    void aSegmentThatWasLoadedComesBackAsARealModeLoadLeavesIt() {
        s.segAr[DS] = 0x91;
        view.toVm86();
        s.segSel[DS] = 0x4000;
        s.segBase[DS] = 0x40000;
        s.segSel[CS] = 0x7c0;
        s.segBase[CS] = 0x7c00;
        view.toGuest();
        assertEquals(0x4000, s.segSel[DS]);
        assertEquals(0x93, s.segAr[DS]);
        assertEquals(0xffff, s.segLimit[DS]);
        assertEquals(0x9b, s.segAr[CS]);
    }

    @Test
    void whatRealModeDoesNotHaveIsOutOfReach() {
        s.cr0 |= CR0_AM;
        s.sysenterCs = 8;
        view.toVm86();
        assertEquals(0, s.cr0 & CR0_AM, "alignment checks");
        assertEquals(0, s.sysenterCs, "SYSENTER");
        assertEquals(0x60000010L | CR0_AM, view.guestCr0(), "SMSW reads the guest's CR0");
        view.toGuest();
        assertEquals(0x60000010L | CR0_AM, s.cr0);
        assertEquals(8, s.sysenterCs);
    }

    @Test
    void theResetStateIsNotExpressible() {
        assertTrue(view.expressible());
        s.reset();
        assertFalse(view.expressible(), "the base of CS is FFFF0000");
    }

    @ParameterizedTest
    @ValueSource(ints = {ES, CS, SS, DS, FS, GS})
    void unrealModeIsNotExpressible(int seg) {
        s.segLimit[seg] = 0xffffffffL;
        assertFalse(view.expressible());
    }

    @ParameterizedTest
    @ValueSource(ints = {ES, CS, SS, DS, FS, GS})
    void aBaseThatIsNotSelectorTimes16IsNotExpressible(int seg) {
        s.segSel[seg] ^= 8;
        assertFalse(view.expressible());
    }

    @ParameterizedTest
    @ValueSource(ints = {AR_DB | 0x93, AR_UNUSABLE | 0x93, 0x97, 0x13})
    void bigStacksUnusableExpandDownAndAbsentSegmentsAreNotExpressible(int rights) {
        s.segAr[SS] = rights;
        assertFalse(view.expressible());
    }

    @Test
    void underEptTheProcessorWalksTheIdentityMap() {
        view.configure(false, true, RealModePages.STANDARD);
        s.cr3 = 0x1000;
        s.cr4 = CR4_PAE;
        s.efer = EFER_LME;
        view.toVm86();
        assertTrue(s.paging());
        assertEquals(0xfffbc000L, s.cr3);
        assertEquals(CR4_PSE, s.cr4 & (CR4_PSE | CR4_PAE));
        assertEquals(0, s.efer);
        view.toGuest();
        assertFalse(s.paging());
        assertEquals(0x1000, s.cr3);
        assertEquals(CR4_PAE, s.cr4);
        assertEquals(EFER_LME, s.efer);
    }

    @Test
    void protectedModeWithoutPagingKeepsWhatItWroteOverTheIdentityMap() {
        s.cr0 |= CR0_PE;
        s.cr3 = 0x1000;
        s.cr4 = CR4_PAE;
        view.configure(false, true, RealModePages.STANDARD);
        view.toIdentity();
        assertEquals(0x60000011L, view.guestCr0());
        assertEquals(CR4_PAE, view.guestCr4());
        s.cr0 |= CR0_TS;
        s.cr4 |= CR4_TSD;
        view.toGuest();
        assertEquals(0x60000011L | CR0_TS, s.cr0);
        assertEquals(CR4_PAE | CR4_TSD, s.cr4);
        assertEquals(0x1000, s.cr3);
    }

    // ---- as in 2007 ----

    @Test
    void kvmOf2007TookIopl3AndVme() {
        legacy();
        view.toVm86();
        assertEquals(IOPL, s.rflagsOther & IOPL);
        assertEquals(CR4_VME, s.cr4 & CR4_VME);
        view.toGuest();
        assertEquals(0, s.rflagsOther & IOPL);
        assertEquals(0, s.cr4);
    }

    @Test
    void kvmOf2007StartedAtF0000() {
        legacy();
        s.reset();
        assertTrue(view.expressible());
        view.toVm86();
        assertEquals(0xf0000, s.segBase[CS]);
        assertEquals(0xf000, s.segSel[CS]);
        view.toGuest();
        assertEquals(0xf0000, s.segBase[CS]);
    }

    @Test
    void kvmOf2007MadeTheSelectorOfTheBaseAndTheLimit64K() {
        legacy();
        s.segSel[DS] = 0x10;
        s.segBase[DS] = 0x23450;
        s.segLimit[DS] = 0x1fff;
        view.toVm86();
        assertEquals(0x2345, s.segSel[DS]);
        assertEquals(0xffff, s.segLimit[DS]);
        view.toGuest();
        assertEquals(0x10, s.segSel[DS], "as it was");
        assertEquals(0x1fff, s.segLimit[DS]);
    }

    @Test
    void kvmOf2007MadeTheSegmentsValidWhenRealModeWasLeft() {
        s.segSel[CS] = 0xf003;
        s.segSel[SS] = 0x1001;
        s.segSel[DS] = 0x1002;
        view.legacyLeave();
        assertEquals(0, s.segSel[SS]);
        assertEquals(0x93, s.segAr[SS]);
        assertEquals(0xf000, s.segSel[CS]);
        assertEquals(0x9b, s.segAr[CS]);
        assertEquals(0x93 | 2 << 5, s.segAr[DS], "DPL is RPL");
    }
}
