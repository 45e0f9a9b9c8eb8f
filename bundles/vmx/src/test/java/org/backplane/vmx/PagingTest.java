package org.backplane.vmx;

import static org.backplane.kvm.spi.cpu.CpuState.*;
import static org.backplane.kvm.spi.cpu.Intercepts.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.backplane.kvm.spi.cpu.Emulator;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.SoftTlb;
import org.backplane.kvm.spi.exit.ExitReasons;
import org.backplane.kvm.spi.mmu.FrameTable;
import org.backplane.kvm.spi.mmu.Spte;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The paging unit over tables made by hand. */
class PagingTest {
    private static final long RWU = Spte.P | Spte.W | Spte.U;

    private Rig rig;
    private FrameTable frames;

    /** The leaf table of the addresses below 2 MiB, in both kinds. */
    private long leafTable;

    private void shadow() {
        rig = Rig.shadow().flat();
        frames = rig.memory.frames();
        long l2 = frames.allocate();
        leafTable = frames.allocate();
        rig.v.paeRoot[0] = Spte.of(l2, Spte.P);
        frames.setEntry(l2, 0, Spte.of(leafTable, RWU));
        // The vCPU has been entered once, so that an exit in translate is one of a running guest.
        rig.enter();
    }

    private void direct() {
        rig = Rig.direct().flat();
        frames = rig.memory.frames();
        long[] t = {frames.allocate(), frames.allocate(), frames.allocate(), frames.allocate()};
        rig.v.root = t[0];
        for (int i = 0; i < 3; i++) frames.setEntry(t[i], 0, Spte.of(t[i + 1], RWU));
        leafTable = t[3];
        rig.enter();
    }

    @AfterEach
    void close() {
        rig.close();
    }

    private long frame(int gfn) {
        return rig.memory.frame(gfn);
    }

    private long host(long gpa) {
        return rig.memory.host(gpa);
    }

    private void leaf(int index, long e) {
        frames.setEntry(leafTable, index, e);
    }

    private long leaf(int index) {
        return frames.entry(leafTable, index);
    }

    private long translate(long gva, int access) {
        long[] answer = new long[1];
        rig.enter(i -> {
            answer[0] = i.translate(rig.v, gva, access);
            return answer[0] == T_EXIT ? Emulator.EXITED : Emulator.BUDGET;
        });
        return answer[0];
    }

    private boolean tagged(int half, long gva, int kind) {
        return rig.v.tlb.entries[half + SoftTlb.slot(gva) + kind] == (gva & SoftTlb.PAGE);
    }

    // ---- shadow ----

    @Test
    void shadowReadSetsAAndGivesNoWriteTagToACleanPage() {
        shadow();
        leaf(3, Spte.of(frame(7), RWU));
        assertEquals(host(0x7123), translate(0x3123, READ));
        assertEquals(Spte.A, leaf(3) & (Spte.A | Spte.D));
        assertTrue(tagged(SoftTlb.SUPERVISOR, 0x3000, SoftTlb.READ));
        assertFalse(tagged(SoftTlb.SUPERVISOR, 0x3000, SoftTlb.WRITE));
        assertFalse(tagged(SoftTlb.USER, 0x3000, SoftTlb.READ));
        assertEquals(host(0x7123), translate(0x3123, WRITE));
        assertEquals(Spte.A | Spte.D, leaf(3) & (Spte.A | Spte.D));
        assertTrue(tagged(SoftTlb.SUPERVISOR, 0x3000, SoftTlb.WRITE));
        assertEquals(0, rig.core.handled);
    }

    @Test
    void shadowFaultIsExit0WithItsErrorCodeAndTheTablesAreWalkedAgain() {
        shadow();
        rig.core.handler = v -> {
            assertEquals(ExitReasons.EXCEPTION_NMI, v.exit.reason);
            assertEquals(0x3123, v.exit.qualification);
            assertEquals(INFO_VALID | TYPE_HARDWARE_EXCEPTION | INFO_ERROR_CODE | 14, v.exit.interruptionInfo);
            assertEquals(WRITE | USER, v.exit.interruptionError);
            leaf(3, Spte.of(frame(7), RWU));
            return RETRY;
        };
        assertEquals(host(0x7123), translate(0x3123, WRITE | USER));
        assertEquals(1, rig.count(ExitReasons.EXCEPTION_NMI));
        leaf(4, Spte.of(frame(8), Spte.P | Spte.U));
        rig.core.handler = v -> {
            assertEquals(7, v.exit.interruptionError, "P, W, U");
            return v.fault(14, 7);
        };
        assertEquals(T_FAULT, translate(0x4000, WRITE | USER));
    }

    @Test
    void shadowSupervisorNeedsWLikeAnyone() {
        shadow();
        leaf(3, Spte.of(frame(7), Spte.P | Spte.U));
        rig.core.handler = v -> v.fault(14, 3);
        assertEquals(T_FAULT, translate(0x3000, WRITE));
        leaf(3, Spte.of(frame(7), Spte.P | Spte.W));
        assertEquals(T_FAULT, translate(0x3000, USER));
        leaf(3, Spte.of(frame(7), RWU | Spte.NX));
        assertEquals(T_FAULT, translate(0x3000, FETCH));
        assertEquals(host(0x7000), translate(0x3000, READ));
        assertFalse(tagged(SoftTlb.SUPERVISOR, 0x3000, SoftTlb.EXEC));
    }

    @Test
    void shadowMmioMarkIsADeviceAccessWithinItsRights() {
        shadow();
        leaf(5, Spte.of(0xfee00, Spte.MMIO | Spte.U));
        assertEquals(T_MMIO, translate(0x5010, USER));
        assertEquals(0xfee00010L, rig.v.gpa);
        assertEquals(0, rig.core.handled);
        rig.core.handler = v -> v.fault(14, 6);
        assertEquals(T_FAULT, translate(0x5010, WRITE | USER));
        assertFalse(tagged(SoftTlb.USER, 0x5000, SoftTlb.READ));
    }

    @Test
    void emulatedInstructionIsNotWalkedAgain() {
        shadow();
        rig.core.handler = v -> {
            v.state.rip += 3;
            return RETRY;
        };
        assertEquals(T_RETRY, translate(0x9000, WRITE));
    }

    @Test
    void handlerThatNeverHelpsGivesTheEngineATurn() {
        shadow();
        rig.core.handler = v -> RETRY;
        assertEquals(T_RETRY, translate(0x9000, WRITE));
    }

    @Test
    void pageFaultThatAnObserverTakesLeavesTheGuest() {
        shadow();
        rig.core.observed = ExitReasons.EXCEPTION_NMI;
        rig.core.takes = true;
        assertEquals(ExitReasons.EXCEPTION_NMI, rig.enter(i -> i.translate(rig.v, 0x9000, WRITE) == T_EXIT ? Emulator.EXITED : 0));
        assertEquals(0, rig.core.handled);
        assertEquals(0x9000, rig.v.exit.gva);
    }

    @Test
    void pageFaultOutsideOfMaskAndMatchGoesToTheGuest() {
        shadow();
        rig.vcpu().vmcs.vmwrite(0x4006, USER);
        rig.vcpu().vmcs.vmwrite(0x4008, USER);
        assertEquals(T_FAULT, translate(0x9000, WRITE));
        assertEquals(14, rig.v.faultVector);
        assertEquals(2, rig.v.faultError);
        assertEquals(0x9000, rig.s.cr2);
        assertEquals(0, rig.core.handled);
    }

    @Test
    void entryWithAWrongFrameIsAReportAndNoCrash() {
        shadow();
        leaf(6, Spte.of(0x123456789L, RWU));
        assertEquals(ExitReasons.MACHINE_CHECK, rig.enter(i -> i.translate(rig.v, 0x6000, READ) == T_EXIT ? Emulator.EXITED : 0));
        assertTrue(rig.v.exit.failedCheck.contains("0x123456789"), rig.v.exit.failedCheck);
        rig.v.paeRoot[0] = Spte.of(0x7777777, Spte.P);
        assertEquals(T_EXIT, translate(0x6000, READ));
    }

    @Test
    void pageWithCodeGetsNoWriteTag() {
        shadow();
        leaf(3, Spte.of(frame(7), RWU));
        frames.setCodeMask(frame(7), 1);
        assertEquals(host(0x7000), translate(0x3000, WRITE));
        assertTrue(rig.v.codePage);
        assertFalse(tagged(SoftTlb.SUPERVISOR, 0x3000, SoftTlb.WRITE));
        frames.setCodeMask(frame(7), 0);
        translate(0x3000, WRITE);
        assertFalse(rig.v.codePage);
        assertTrue(tagged(SoftTlb.SUPERVISOR, 0x3000, SoftTlb.WRITE));
    }

    @Test
    void globalShadowLeafSurvivesALoadOfCr3UnderPge() {
        shadow();
        leaf(5, Spte.of(frame(9), RWU | Spte.G));
        translate(0x5000, READ);
        rig.v.tlb.flush(true);
        assertFalse(tagged(SoftTlb.SUPERVISOR, 0x5000, SoftTlb.READ), "without CR4.PGE nothing is global");
        rig.s.cr4 |= CR4_PGE;
        leaf(3, Spte.of(frame(7), RWU | Spte.G));
        leaf(4, Spte.of(frame(8), RWU));
        translate(0x3000, READ);
        translate(0x4000, READ);
        rig.v.tlb.flush(true);
        assertTrue(tagged(SoftTlb.SUPERVISOR, 0x3000, SoftTlb.READ));
        assertFalse(tagged(SoftTlb.SUPERVISOR, 0x4000, SoftTlb.READ));
    }

    @Test
    void smepAndSmapKeepTheSupervisorOutOfUserPagesOfTheShadow() {
        shadow();
        rig.s.cr0 |= CR0_PG;
        rig.s.cr4 |= CR4_SMEP | CR4_SMAP;
        leaf(3, Spte.of(frame(7), RWU));
        leaf(4, Spte.of(frame(8), Spte.P | Spte.W));
        rig.core.handler = v -> v.fault(14, 1);
        assertEquals(T_FAULT, translate(0x3000, READ));
        rig.s.setRflags(AC | 2);
        assertEquals(host(0x7000), translate(0x3000, WRITE));
        assertFalse(tagged(SoftTlb.SUPERVISOR, 0x3000, SoftTlb.WRITE), "AC changes without a flush");
        assertEquals(T_FAULT, translate(0x3000, FETCH));
        assertEquals(host(0x7000), translate(0x3000, FETCH | USER));
        assertEquals(host(0x8000), translate(0x4000, FETCH));
    }

    @Test
    void pageFaultDropsWhatTheTlbHasForItsAddress() {
        direct();
        guestPaging();
        identity(1, 2, 5);
        rig.memory.write(0x2000 + 3 * 4, 4, 0x5067);
        translate(0x3000, READ);
        rig.memory.write(0x2000 + 3 * 4, 4, 0);
        assertTrue(tagged(SoftTlb.SUPERVISOR, 0x3000, SoftTlb.READ));
        assertEquals(T_FAULT, translate(0x3000, WRITE));
        assertFalse(tagged(SoftTlb.SUPERVISOR, 0x3000, SoftTlb.READ), "SDM 3A 4.10.4.1");
    }

    @Test
    void invlpgDropsEveryPartOfALargePageOfTheShadow() {
        shadow();
        leaf(3, Spte.of(frame(7), RWU | Spte.LARGE));
        leaf(4, Spte.of(frame(8), RWU | Spte.LARGE));
        translate(0x3000, READ);
        translate(0x4000, READ);
        rig.enter(i -> {
            i.invlpg(rig.v, 0x3000);
            return Emulator.BUDGET;
        });
        assertFalse(tagged(SoftTlb.SUPERVISOR, 0x4000, SoftTlb.READ));
    }

    @Test
    void longModeWalksFourLevelsFromTheRoot() {
        shadow();
        rig.s.cr0 |= CR0_PG;
        rig.s.cr4 |= CR4_PAE;
        rig.s.efer = EFER_LME | EFER_LMA;
        long[] t = {frames.allocate(), frames.allocate(), frames.allocate(), leafTable};
        rig.v.root = t[0];
        long gva = 0xffff_8012_3460_5678L;
        for (int i = 0; i < 3; i++) frames.setEntry(t[i], Spte.index(gva, 4 - i), Spte.of(t[i + 1], RWU));
        leaf(Spte.index(gva, 1), Spte.of(frame(9), RWU));
        assertEquals(host(0x9678), translate(gva, READ));
    }

    // ---- two-dimensional ----

    private void identity(int... gfns) {
        for (int gfn : gfns) leaf(gfn, Spte.of(frame(gfn), RWU));
    }

    private void guestPaging() {
        rig.s.cr0 |= CR0_PG | CR0_WP;
        rig.s.cr3 = 0x1000;
        rig.memory.write(0x1000, 4, 0x2007);
    }

    @Test
    void realAndUnpagedModeGoThroughEptOnly() {
        direct();
        identity(5);
        assertEquals(host(0x5123), translate(0x5123, WRITE | FETCH));
        assertTrue(tagged(SoftTlb.SUPERVISOR, 0x5000, SoftTlb.WRITE));
    }

    @Test
    void missingEptEntryIsExit48() {
        direct();
        rig.core.handler = v -> {
            assertEquals(ExitReasons.EPT_VIOLATION, v.exit.reason);
            assertEquals(0x5123, v.exit.gpa);
            assertEquals(0x5123, v.exit.gva);
            assertEquals(2 | 1 << 7 | 1 << 8, v.exit.qualification);
            identity(5);
            return RETRY;
        };
        assertEquals(host(0x5123), translate(0x5123, WRITE));
        assertEquals(1, rig.count(ExitReasons.EPT_VIOLATION));
    }

    @Test
    void guestTablesAreReadThroughEptToo() {
        direct();
        guestPaging();
        rig.memory.write(0x2000 + 3 * 4, 4, 0x5007);
        int[] violations = new int[1];
        rig.core.handler = v -> {
            long[] expected = {0x1000, 0x200c, 0x5123};
            assertEquals(expected[violations[0]], v.exit.gpa);
            assertEquals(violations[0] == 2, (v.exit.qualification & 1 << 8) != 0, "an access to a table is told apart");
            violations[0]++;
            identity((int) (v.exit.gpa >> 12));
            return RETRY;
        };
        assertEquals(host(0x5123), translate(0x3123, READ | USER));
        assertEquals(3, violations[0]);
        assertEquals(0x5027, rig.memory.read(0x200c, 4), "accessed");
        assertFalse(tagged(SoftTlb.USER, 0x3000, SoftTlb.WRITE), "clean");
        translate(0x3123, WRITE | USER);
        assertEquals(0x5067, rig.memory.read(0x200c, 4), "dirty");
        assertTrue(tagged(SoftTlb.USER, 0x3000, SoftTlb.WRITE));
    }

    @Test
    void accessedBitInAProtectedTableIsAWriteViolation() {
        direct();
        guestPaging();
        identity(1, 5);
        rig.memory.write(0x2000, 4, 0x5007);
        leaf(2, Spte.of(frame(2), Spte.P | Spte.U));
        rig.core.handler = v -> {
            assertEquals(0x2000, v.exit.gpa);
            assertEquals(2 | 1 << 3 | 1 << 5 | 1 << 7, v.exit.qualification);
            rig.memory.markDirty(2);
            identity(2);
            return RETRY;
        };
        assertEquals(host(0x5000), translate(0, READ));
        assertTrue(rig.memory.dirty.get(2));
        assertEquals(1, rig.count(ExitReasons.EPT_VIOLATION));
    }

    @Test
    void accessedBitInAPageWithCodeGoesThroughTheDoor() {
        direct();
        guestPaging();
        identity(1, 2, 5);
        rig.memory.write(0x2000, 4, 0x5007);
        frames.setCodeMask(frame(2), 2);
        translate(0, READ);
        assertEquals(2, frames.codeMask(frame(2)), "other granules stay");
        rig.memory.write(0x2000, 4, 0x5007);
        frames.setCodeMask(frame(2), 1);
        rig.v.tlb.flush(false);
        translate(0, READ);
        assertEquals(0, frames.codeMask(frame(2)), "the code was dropped");
    }

    @Test
    void guestPageFaultIsNoExit() {
        direct();
        guestPaging();
        identity(1, 2);
        assertEquals(T_FAULT, translate(0x3123, WRITE | USER));
        assertEquals(0x3123, rig.s.cr2);
        assertEquals(14, rig.v.faultVector);
        assertEquals(6, rig.v.faultError);
        assertEquals(0, rig.core.handled);
    }

    @Test
    void mmioMarkInEptIsADeviceAccess() {
        direct();
        leaf(0x1f0, Spte.of(0x1f0, Spte.MMIO | Spte.W | Spte.U));
        assertEquals(T_MMIO, translate(0x1f0040, WRITE));
        assertEquals(0x1f0040, rig.v.gpa);
    }

    @Test
    void eptEntryWithAWrongFrameIsMisconfiguration() {
        direct();
        leaf(5, Spte.of(0x123456789L, RWU));
        assertEquals(T_EXIT, translate(0x5000, READ));
        assertEquals(ExitReasons.EPT_MISCONFIGURATION, rig.v.exit.reason);
        rig.v.root = 0;
        assertEquals(T_EXIT, translate(0x5000, READ));
    }

    @Test
    void readOnlyEptLeafGivesNoWriteTag() {
        direct();
        leaf(5, Spte.of(frame(5), Spte.P | Spte.U));
        assertEquals(host(0x5000), translate(0x5000, READ));
        assertFalse(tagged(SoftTlb.SUPERVISOR, 0x5000, SoftTlb.WRITE));
        rig.core.handler = v -> {
            identity(5);
            return RETRY;
        };
        translate(0x5000, WRITE);
        assertTrue(tagged(SoftTlb.SUPERVISOR, 0x5000, SoftTlb.WRITE));
    }

    @Test
    void invlpgInALargePageDropsAllOfIt() {
        direct();
        guestPaging();
        rig.s.cr4 |= CR4_PSE;
        rig.memory.write(0x1000 + 3 * 4, 4, 0xe7 | 0x000000);
        rig.memory.write(0x2000 + 4 * 4, 4, 0x6067);
        identity(1, 2, 5, 6, 7);
        translate(0x00c05000, READ);
        translate(0x00c07000, READ);
        translate(0x4000, READ);
        rig.enter(i -> {
            i.invlpg(rig.v, 0x4000);
            return Emulator.BUDGET;
        });
        assertTrue(tagged(SoftTlb.SUPERVISOR, 0x00c05000, SoftTlb.READ), "INVLPG elsewhere drops one page");
        assertFalse(tagged(SoftTlb.SUPERVISOR, 0x4000, SoftTlb.READ));
        rig.enter(i -> {
            i.invlpg(rig.v, 0x00c05000);
            return Emulator.BUDGET;
        });
        assertFalse(tagged(SoftTlb.SUPERVISOR, 0x00c07000, SoftTlb.READ));
    }

    @Test
    void invlpgThatExitsDropsAllOfALargePageToo() {
        direct();
        guestPaging();
        rig.s.cr4 |= CR4_PSE;
        rig.memory.write(0x1000 + 3 * 4, 4, 0xe7);
        identity(1, 5, 7);
        translate(0x00c05000, READ);
        translate(0x00c07000, READ);
        rig.vcpu().vmcs.primary |= Controls.INVLPG_EXITING;
        rig.enter(i -> {
            i.invlpg(rig.v, 0x00c05000);
            return Emulator.BUDGET;
        });
        assertEquals(1, rig.count(ExitReasons.INVLPG));
        assertFalse(tagged(SoftTlb.SUPERVISOR, 0x00c05000, SoftTlb.READ));
        assertFalse(tagged(SoftTlb.SUPERVISOR, 0x00c07000, SoftTlb.READ));
    }

    @Test
    void largePagesThatAreGoneDoNotMakeInvlpgDropMore() {
        direct();
        guestPaging();
        rig.s.cr4 |= CR4_PSE;
        rig.memory.write(0x1000, 4, 0xe7);
        rig.memory.write(0x1000 + 3 * 4, 4, 0xe7);
        identity(1, 2, 5, 6);
        translate(0x5000, READ);
        translate(0x00c05000, READ);
        rig.v.tlb.flush(false);
        // Now small pages between the two.
        rig.memory.write(0x1000 + 4, 4, 0x2067);
        rig.memory.write(0x2000 + 5 * 4, 4, 0x5067);
        rig.memory.write(0x2000 + 6 * 4, 4, 0x6067);
        translate(0x405000, READ);
        translate(0x406000, READ);
        rig.enter(i -> {
            i.invlpg(rig.v, 0x405000);
            return Emulator.BUDGET;
        });
        assertFalse(tagged(SoftTlb.SUPERVISOR, 0x405000, SoftTlb.READ));
        assertTrue(tagged(SoftTlb.SUPERVISOR, 0x406000, SoftTlb.READ));
    }

    @Test
    void userPagesAreNotCachedForTheSupervisorUnderSmap() {
        direct();
        guestPaging();
        rig.s.cr4 |= CR4_SMAP;
        rig.s.setRflags(AC | 2);
        rig.memory.write(0x2000 + 3 * 4, 4, 0x5067);
        identity(1, 2, 5);
        assertEquals(host(0x5000), translate(0x3000, READ));
        assertFalse(tagged(SoftTlb.SUPERVISOR, 0x3000, SoftTlb.READ));
        rig.s.setRflags(2);
        assertEquals(T_FAULT, translate(0x3000, READ));
    }

    @Test
    void deviceCacheEndsWithAnyFlush() {
        direct();
        leaf(0x1f0, Spte.of(0x1f0, Spte.MMIO | Spte.W | Spte.U));
        assertEquals(T_MMIO, translate(0x1f0040, WRITE));
        rig.v.gpa = 0;
        assertEquals(T_MMIO, translate(0x1f0044, WRITE));
        assertEquals(0x1f0044, rig.v.gpa);
        leaf(0x1f0, Spte.of(frame(5), RWU));
        assertEquals(T_MMIO, translate(0x1f0040, WRITE), "still cached");
        assertEquals(host(0x5040), translate(0x1f0040, READ), "for this access only");
        rig.v.tlb.flush(SoftTlb.Flush.ADDRESS, 0, 0x9000);
        assertEquals(host(0x5040), translate(0x1f0040, WRITE));
    }

    @Test
    void rememberedGuestTableIsForgottenWithAFlush() {
        direct();
        guestPaging();
        identity(1, 2, 5, 6);
        rig.memory.write(0x2000, 4, 0x5067);
        rig.memory.write(0x2004, 4, 0x6067);
        assertEquals(host(0x5000), translate(0, READ));
        leaf(2, 0);
        assertEquals(host(0x6000), translate(0x1000, READ), "EPT without a flush: the old entry may be used");
        rig.v.tlb.flush(true);
        rig.core.handler = v -> {
            identity(2);
            return RETRY;
        };
        assertEquals(host(0x6000), translate(0x1000, READ));
        assertEquals(1, rig.count(ExitReasons.EPT_VIOLATION));
    }

    @Test
    void answersOfTranslateAreNoAddresses() {
        assertTrue(PagingUnit.AGAIN < Intercepts.T_MMIO);
        rig = Rig.direct();
    }
}
