package org.backplane.vmx;

import static org.backplane.kvm.spi.cpu.CpuState.*;
import static org.backplane.kvm.spi.cpu.Intercepts.DONE;
import static org.backplane.kvm.spi.cpu.Intercepts.EXIT;
import static org.backplane.kvm.spi.cpu.Intercepts.FAULT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.backplane.kvm.spi.cpu.CpuBackend;
import org.backplane.kvm.spi.cpu.Emulator;
import org.backplane.kvm.spi.cpu.RealMode;
import org.backplane.kvm.spi.cpu.RealModePages;
import org.backplane.kvm.spi.cpu.SoftTlb;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.exit.ExitReasons;
import org.backplane.kvm.spi.mmu.Mmu;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class VmxVcpuTest {
    private Rig rig = Rig.direct().flat();

    @AfterEach
    void close() {
        rig.close();
    }

    private void useShadow() {
        rig.close();
        rig = Rig.shadow().flat();
    }

    // ---- entry ----

    @Test
    void budgetAndLeaveAreNoExits() {
        assertEquals(CpuBackend.NO_EXIT, rig.enter(i -> Emulator.BUDGET));
        rig.v.leaveAfterExit = true;
        assertEquals(CpuBackend.NO_EXIT, rig.enter(i -> Emulator.LEFT), "the handler of an exit asked");
        assertEquals(CpuBackend.NO_EXIT, rig.enter(i -> Emulator.HALTED));
        assertEquals(3, rig.backend.counters().get("entries"));
        assertEquals(0, rig.backend.counters().get("exits"));
    }

    @Test
    void invalidGuestStateIsExit33WithTheRuleAndRunsNothing() {
        rig.s.segAr[TR] = 0;
        boolean[] ran = new boolean[1];
        int reason = rig.enter(i -> {
            ran[0] = true;
            return Emulator.BUDGET;
        });
        assertEquals(ExitReasons.INVALID_GUEST_STATE | ExitReasons.ENTRY_FAILURE, reason);
        assertEquals(reason, rig.v.exit.reason);
        assertEquals(EntryRule.TR_TYPE.toString(), rig.v.exit.failedCheck);
        assertFalse(ran[0]);
        assertEquals(1, rig.count(ExitReasons.INVALID_GUEST_STATE));
        rig.s.segAr[TR] = 0x8b;
        assertEquals(CpuBackend.NO_EXIT, rig.enter());
    }

    @Test
    void entryDeliversTheInjectedEventOnce() {
        rig.s.setRflags(0x202);
        rig.s.activity = HLT;
        rig.s.injectInfo = INFO_VALID | 0x31;
        rig.enter(i -> {
            assertEquals(ACTIVE, rig.s.activity, "the event wakes a halted guest");
            return Emulator.BUDGET;
        });
        rig.enter();
        assertEquals(List.of(INFO_VALID | 0x31), rig.engine.delivered);
        assertEquals(0, rig.s.injectInfo);
        assertEquals(1, rig.backend.counters().get("injections"));
    }

    @Test
    void injectedNmiBlocksNmis() {
        rig.s.injectInfo = INFO_VALID | TYPE_NMI | 2;
        rig.enter();
        assertEquals(BLOCKING_NMI, rig.s.blocking);
    }

    @Test
    void exitDuringDeliveryEndsTheEntry() {
        rig.s.setRflags(0x202);
        rig.s.injectInfo = INFO_VALID | 0x31;
        rig.engine.deliverAnswer = EXIT;
        assertEquals(ExitReasons.TRIPLE_FAULT, rig.enter(i -> {
            throw new AssertionError("the guest must not run");
        }));
        assertEquals(1, rig.count(ExitReasons.TRIPLE_FAULT));
    }

    @Test
    void vectoringInformationOfTheLastExitIsGoneAtEntry() {
        rig.s.vectoringInfo = INFO_VALID | 14;
        rig.enter();
        assertEquals(0, rig.s.vectoringInfo);
    }

    @Test
    void controlsFollowTheMmu() {
        rig.mmu.become(Mmu.Kind.SHADOW);
        rig.backend.realMode(RealMode.VM86, RealModePages.STANDARD);
        rig.backend.mmuChanged(rig.v);
        assertFalse(rig.vcpu().vmcs.ept());
        assertEquals(CpuBackend.NO_EXIT, rig.enter());
        assertEquals(0, rig.v.exceptionBitmap & 1 << 14, "the paging unit makes #PF exits, not the engine");
    }

    // ---- ports and MMIO ----

    @Test
    void portAccessIsAFastExit() {
        assertEquals(CpuBackend.NO_EXIT, rig.call(i -> i.portIn(rig.v, 0x3f8, 1)));
        assertEquals(DONE, rig.engine.answer);
        assertEquals(0x3f8, rig.v.ioValue);
        rig.call(i -> i.portOut(rig.v, 0x80, 1, 5));
        assertEquals(2, rig.count(ExitReasons.IO));
    }

    @Test
    void observedPortAccessIsShownWithItsRecordAndServedInPlace() {
        rig.core.observed = ExitReasons.IO;
        rig.v.insnLength = 2;
        rig.v.ioString = VcpuContext.STRING | VcpuContext.REP;
        assertEquals(CpuBackend.NO_EXIT, rig.call(i -> i.portIn(rig.v, 0x1f0, 2)));
        assertEquals(0x1f0, rig.v.ioValue);
        assertEquals(0x01f0_0000L | 1 | 1 << 3 | 1 << 4 | 1 << 5, rig.v.exit.qualification);
        assertEquals(2, rig.v.exit.insnLength);
        rig.v.ioString = 0;
        assertEquals(CpuBackend.NO_EXIT, rig.call(i -> i.portOut(rig.v, 0xf0f0, 4, 77)));
        assertEquals(0xf0f0_0003L, rig.v.exit.qualification);
        assertEquals(77, rig.v.exit.value);
        assertEquals(2, rig.count(ExitReasons.IO));
        assertEquals(List.of(ExitReasons.IO, ExitReasons.IO), rig.core.shown);
    }

    @Test
    void exitThatAnObserverTakesLeavesTheGuestUnserved() {
        rig.core.observed = ExitReasons.CPUID;
        rig.core.takes = true;
        assertEquals(ExitReasons.CPUID, rig.call(i -> i.cpuid(rig.v)));
        assertEquals(0, rig.core.handled);
        assertEquals(1, rig.count(ExitReasons.CPUID));
    }

    @Test
    void observedTaskSwitchIsCarriedOutInPlace() {
        rig.core.observed = ExitReasons.TASK_SWITCH;
        assertEquals(CpuBackend.NO_EXIT, rig.call(i -> i.taskSwitch(rig.v, 0x28, 1)));
        assertEquals(DONE, rig.engine.answer);
        assertEquals(List.of(ExitReasons.TASK_SWITCH), rig.core.shown);
    }

    @Test
    void portThatTheCallerServesIsCountedOnce() {
        rig.core.answer = EXIT;
        assertEquals(ExitReasons.IO, rig.call(i -> i.portOut(rig.v, 0x80, 1, 5)));
        assertEquals(1, rig.count(ExitReasons.IO));
    }

    @Test
    void mmioIsAnEptViolationOrAPageFault() {
        rig.call(i -> i.mmioRead(rig.v, 0xfee00000L, 4));
        assertEquals(1, rig.count(ExitReasons.EPT_VIOLATION));
        assertEquals(0xfee00000L, rig.v.ioValue);
        useShadow();
        rig.call(i -> i.mmioWrite(rig.v, 0xfee00000L, 4, 1));
        assertEquals(1, rig.count(ExitReasons.EXCEPTION_NMI));
        rig.core.answer = EXIT;
        assertEquals(ExitReasons.EXCEPTION_NMI, rig.call(i -> i.mmioWrite(rig.v, 0xfee00000L, 4, 1)));
        assertEquals(0xfee00000L, rig.v.exit.gpa);
        assertEquals(14, rig.v.exit.interruptionInfo & 0xff);
    }

    // ---- instructions ----

    @Test
    void cpuidAndMsrsExitAlways() {
        rig.call(i -> i.cpuid(rig.v));
        rig.call(i -> i.rdmsr(rig.v, 0x10));
        rig.call(i -> i.wrmsr(rig.v, 0x10, 0x1234567890L));
        assertEquals(0x1234567890L, rig.v.exit.value);
        assertEquals(1, rig.count(ExitReasons.CPUID));
        assertEquals(1, rig.count(ExitReasons.RDMSR));
        assertEquals(1, rig.count(ExitReasons.WRMSR));
        assertEquals(3, rig.core.handled);
    }

    @Test
    void faultAnswerIsInjectedAndDoesNotExitAgain() {
        rig.vcpu().vmcs.vmwrite(0x4004, -1);
        rig.core.handler = v -> v.fault(13, 0);
        rig.enter(i -> {
            assertEquals(FAULT, i.wrmsr(rig.v, 1, 0));
            assertEquals(DONE, i.exception(rig.v, 13, 0, 0), "an injected exception does not exit");
            assertEquals(EXIT, i.exception(rig.v, 13, 0, 0), "the guest's own does");
            return Emulator.EXITED;
        });
        assertEquals(INFO_VALID | TYPE_HARDWARE_EXCEPTION | INFO_ERROR_CODE | 13, rig.v.exit.interruptionInfo);
    }

    @Test
    void rdtscIsTheTscOfTheGuestWithoutAnExit() {
        assertEquals(CpuBackend.NO_EXIT, rig.call(i -> i.rdtsc(rig.v)));
        assertEquals(1000, rig.v.ioValue);
        rig.vcpu().vmcs.vmwrite(0x2010, -400);
        rig.call(i -> i.rdtsc(rig.v));
        assertEquals(600, rig.v.ioValue);
        assertEquals(0, rig.count(ExitReasons.RDTSC));
        Vmcs m = rig.vcpu().vmcs;
        m.vmwrite(0x4002, m.vmread(0x4002) | Controls.RDTSC_EXITING);
        rig.call(i -> i.rdtsc(rig.v));
        assertEquals(1, rig.count(ExitReasons.RDTSC));
    }

    @Test
    void instructionsExitAsTheControlsSay() {
        Vmcs m = rig.vcpu().vmcs;
        int[][] controlled = {
            {ExitReasons.HLT, Controls.HLT_EXITING},
            {ExitReasons.RDPMC, Controls.RDPMC_EXITING},
            {ExitReasons.MWAIT, Controls.MWAIT_EXITING},
            {ExitReasons.MONITOR, Controls.MONITOR_EXITING},
            {ExitReasons.PAUSE, Controls.PAUSE_EXITING}
        };
        for (int[] c : controlled) {
            m.vmwrite(0x4002, m.vmread(0x4002) & ~c[1]);
            rig.call(i -> i.instruction(rig.v, c[0]));
            assertEquals(0, rig.count(c[0]));
            m.vmwrite(0x4002, m.vmread(0x4002) | c[1]);
            rig.call(i -> i.instruction(rig.v, c[0]));
            assertEquals(1, rig.count(c[0]), ExitReasons.name(c[0]));
        }
        for (int reason : new int[] {ExitReasons.GDTR_IDTR, ExitReasons.LDTR_TR, ExitReasons.WBINVD}) {
            rig.call(i -> i.instruction(rig.v, reason));
            assertEquals(0, rig.count(reason));
        }
        m.vmwrite(0x401e, m.vmread(0x401e) | Controls.DESCRIPTOR_TABLE | Controls.WBINVD_EXITING);
        for (int reason : new int[] {ExitReasons.GDTR_IDTR, ExitReasons.LDTR_TR, ExitReasons.WBINVD}) {
            rig.call(i -> i.instruction(rig.v, reason));
            assertEquals(1, rig.count(reason));
        }
        for (int reason : new int[] {ExitReasons.INVD, ExitReasons.VMCALL, ExitReasons.VMXON, ExitReasons.XSETBV}) {
            rig.call(i -> i.instruction(rig.v, reason));
            assertEquals(1, rig.count(reason), "unconditional");
        }
    }

    @Test
    void taskSwitchExitsWithSelectorAndSource() {
        rig.call(i -> i.taskSwitch(rig.v, 0x28, 2));
        assertEquals(0x28 | 2L << 30, rig.v.exit.qualification);
        assertEquals(1, rig.count(ExitReasons.TASK_SWITCH));
    }

    @Test
    void windowsExitWithoutTheHandler() {
        assertEquals(ExitReasons.INTERRUPT_WINDOW, rig.call(i -> i.interruptWindow(rig.v)));
        assertEquals(ExitReasons.NMI_WINDOW, rig.call(i -> i.nmiWindow(rig.v)));
        assertEquals(0, rig.core.handled);
    }

    // ---- control registers ----

    @Test
    void changeOfAnOwnedCr0BitExitsAndOthersDoNot() {
        assertEquals(CpuBackend.NO_EXIT, rig.call(i -> i.writeCr(rig.v, 0, rig.s.cr0 | CR0_TS | CR0_MP)));
        assertEquals(0, rig.count(ExitReasons.CR_ACCESS));
        assertTrue((rig.s.cr0 & CR0_TS) != 0);
        rig.call(i -> i.writeCr(rig.v, 0, rig.s.cr0 | CR0_WP));
        assertEquals(1, rig.count(ExitReasons.CR_ACCESS));
        assertEquals(rig.s.cr0 | CR0_WP, rig.v.exit.value);
        rig.call(i -> i.writeCr(rig.v, 0, rig.s.cr0 & ~CR0_ET));
        assertTrue((rig.s.cr0 & CR0_ET) != 0, "ET is fixed");
        rig.call(i -> i.clts(rig.v));
        assertEquals(0, rig.s.cr0 & CR0_TS);
        assertEquals(1, rig.count(ExitReasons.CR_ACCESS));
    }

    @Test
    void changeOfAnOwnedCr4BitExitsAndOthersDoNot() {
        rig.call(i -> i.writeCr(rig.v, 4, CR4_DE | CR4_TSD | CR4_OSFXSR));
        assertEquals(CR4_DE | CR4_TSD | CR4_OSFXSR, rig.s.cr4);
        assertEquals(0, rig.count(ExitReasons.CR_ACCESS));
        for (long bit : new long[] {CR4_PSE, CR4_PAE, CR4_PGE, CR4_VMXE, CR4_VME, CR4_SMEP, 1L << 31, 1L << 40}) {
            rig.call(i -> i.writeCr(rig.v, 4, rig.s.cr4 | bit));
        }
        assertEquals(8, rig.count(ExitReasons.CR_ACCESS));
    }

    @Test
    void cr3ExitsInShadowModeOnly() {
        rig.v.tlb.fill(SoftTlb.SUPERVISOR, 0x5000, 0x10000, true, true, true, false);
        rig.call(i -> i.writeCr(rig.v, 3, 0x7000));
        assertEquals(0x7000, rig.s.cr3);
        assertEquals(SoftTlb.INVALID, rig.v.tlb.entries[SoftTlb.slot(0x5000)], "the load flushes");
        rig.call(i -> i.readCr(rig.v, 3));
        assertEquals(0x7000, rig.v.ioValue);
        assertEquals(0, rig.count(ExitReasons.CR_ACCESS));
        useShadow();
        rig.call(i -> i.writeCr(rig.v, 3, 0x7000));
        assertEquals(3, rig.v.exit.qualification & 0x3f);
        rig.call(i -> i.readCr(rig.v, 3));
        assertEquals(3 | 1 << 4, rig.v.exit.qualification & 0x3f);
        assertEquals(2, rig.count(ExitReasons.CR_ACCESS));
    }

    @Test
    void cr3TargetValuesDoNotExit() {
        useShadow();
        Vmcs m = rig.vcpu().vmcs;
        m.vmwrite(0x400a, 2);
        m.vmwrite(0x600a, 0x7000);
        rig.call(i -> i.writeCr(rig.v, 3, 0x7000));
        assertEquals(0, rig.count(ExitReasons.CR_ACCESS));
        rig.call(i -> i.writeCr(rig.v, 3, 0x8000));
        assertEquals(1, rig.count(ExitReasons.CR_ACCESS));
    }

    @Test
    void loadOfCr3InPaeModeLoadsThePdptesOrFaults() {
        rig.s.cr0 |= CR0_PG;
        rig.s.cr4 |= CR4_PAE;
        rig.memory.write(0x7000, 8, 0x1001);
        rig.call(i -> i.writeCr(rig.v, 3, 0x7000));
        assertEquals(0x1001, rig.v.guestPdpte[0]);
        rig.memory.write(0x8000, 8, 0x1021);
        rig.call(i -> i.writeCr(rig.v, 3, 0x8000));
        assertEquals(FAULT, rig.engine.answer);
        assertEquals(13, rig.v.faultVector);
        assertEquals(0x7000, rig.s.cr3);
    }

    @Test
    void lmswCanSetPeButNotClearIt() {
        rig.v.operandGva = -1;
        rig.call(i -> i.lmsw(rig.v, 0xe));
        assertEquals(0xf, rig.s.cr0 & 0xf);
        assertEquals(0, rig.count(ExitReasons.CR_ACCESS));
        rig.s.reset();
        rig.call(i -> i.lmsw(rig.v, 0xfff1));
        assertEquals(1, rig.count(ExitReasons.CR_ACCESS));
        assertEquals(3 << 4 | 0xfff1L << 16, rig.v.exit.qualification);
    }

    @Test
    void qualificationNamesTheRegisterOfTheInstruction() {
        useShadow();
        rig.v.operandGpr = 3;
        rig.call(i -> i.writeCr(rig.v, 3, 0x7000));
        assertEquals(3, rig.v.exit.qualification >> 8);
        rig.v.operandGpr = 14;
        rig.call(i -> i.writeDr(rig.v, 3, 0x7000));
        assertEquals(3 | 14 << 8, rig.v.exit.qualification);
        rig.call(i -> i.readDr(rig.v, 5));
        assertEquals(5 | 1 << 4 | 14 << 8, rig.v.exit.qualification, "DR4 and DR5 are not resolved (SDM 3C 25.1.3)");
    }

    @Test
    void handlerThatBreaksTheGuestStateEndsInExit33() {
        rig.core.handler = v -> {
            v.state.cr0 = v.state.cr0 & ~CR0_PE | CR0_PG;
            return DONE;
        };
        int reason = rig.call(i -> i.writeCr(rig.v, 0, 0x80000001L));
        assertEquals(ExitReasons.INVALID_GUEST_STATE | ExitReasons.ENTRY_FAILURE, reason);
        assertEquals(EntryRule.CR0_PG_PE.toString(), rig.v.exit.failedCheck);
    }

    @Test
    void debugRegistersExitUnlessTheControlIsOff() {
        rig.call(i -> i.writeDr(rig.v, 0, 0x1234));
        assertEquals(1, rig.count(ExitReasons.DR_ACCESS));
        Vmcs m = rig.vcpu().vmcs;
        m.vmwrite(0x4002, m.vmread(0x4002) & ~Controls.MOV_DR);
        rig.call(i -> i.writeDr(rig.v, 7, 0x55));
        assertEquals(0x455, rig.s.dr[7]);
        rig.call(i -> i.writeDr(rig.v, 6, 1L << 32));
        assertEquals(FAULT, rig.engine.answer);
        assertEquals(1, rig.count(ExitReasons.DR_ACCESS));
    }

    @Test
    void invlpgFlushesThePageWithoutAnExit() {
        useShadow();
        rig.v.tlb.fill(SoftTlb.SUPERVISOR, 0x5000, 0x10000, true, true, true, true);
        rig.v.tlb.fill(SoftTlb.USER, 0x5000, 0x10000, true, true, true, true);
        rig.v.tlb.fill(SoftTlb.USER, 0x6000, 0x11000, true, true, true, true);
        rig.call(i -> i.invlpg(rig.v, 0x5fff));
        assertEquals(SoftTlb.INVALID, rig.v.tlb.entries[SoftTlb.slot(0x5000)]);
        assertEquals(SoftTlb.INVALID, rig.v.tlb.entries[SoftTlb.USER + SoftTlb.slot(0x5000)]);
        assertEquals(0x6000, rig.v.tlb.entries[SoftTlb.USER + SoftTlb.slot(0x6000)]);
        assertEquals(0, rig.count(ExitReasons.INVLPG));
    }
}
