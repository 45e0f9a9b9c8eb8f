package org.backplane.vmx;

import static org.backplane.kvm.spi.cpu.CpuState.*;
import static org.backplane.kvm.spi.cpu.Intercepts.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.function.ToIntFunction;
import org.backplane.kvm.spi.cpu.CpuBackend;
import org.backplane.kvm.spi.cpu.Emulator;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.RealMode;
import org.backplane.kvm.spi.cpu.RealModePages;
import org.backplane.kvm.spi.cpu.VmcsView;
import org.backplane.kvm.spi.exit.ExitReasons;
import org.backplane.kvm.spi.mmu.Mmu;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Real mode at VM entry and VM exit: which way is taken, what the engine executes, and what everybody else sees (kvm-internals 4). */
class RealModeTest {
    private Rig rig;

    private Rig rig(Mmu.Kind kind, RealMode mode) {
        rig = new Rig(kind);
        rig.backend.realMode(mode, RealModePages.STANDARD);
        rig.backend.mmuChanged(rig.v);
        rig.s.segBase[CS] = 0xf0000;
        return rig;
    }

    private Rig shadow(RealMode mode) {
        return rig(Mmu.Kind.SHADOW, mode);
    }

    private Rig direct(RealMode mode) {
        return rig(Mmu.Kind.TWO_DIMENSIONAL, mode);
    }

    @AfterEach
    void close() {
        rig.close();
    }

    private long counter(String name) {
        return rig.backend.counters().get("realmode." + name);
    }

    private void assertGuestView() {
        assertFalse(rig.s.vm86());
        assertFalse(rig.s.protectedMode());
        assertEquals(0, rig.s.cpl);
        assertEquals(0x9b, rig.s.segAr[CS]);
        assertEquals(0x8b, rig.s.segAr[TR]);
        assertEquals(0, rig.s.segBase[TR]);
    }

    // ---- virtual-8086 mode ----

    @Test
    void theEngineExecutesVirtual8086Code() {
        shadow(RealMode.VM86);
        int[] ran = {0};
        rig.enter(i -> {
            ran[0]++;
            assertTrue(rig.s.vm86());
            assertEquals(3, rig.s.cpl);
            assertEquals(-1, rig.v.exceptionBitmap, "every exception exits");
            assertNull(EntryChecks.needsUnrestrictedGuest(rig.s));
            return Emulator.BUDGET;
        });
        assertEquals(1, ran[0]);
        assertGuestView();
        assertEquals(1, counter("vm86_entries"));
    }

    @Test
    void whoIsCalledFromInsideSeesRealMode() {
        shadow(RealMode.VM86);
        rig.core.handler = v -> {
            assertGuestView();
            return DONE;
        };
        rig.call(i -> {
            int answer = i.cpuid(rig.v);
            assertTrue(rig.s.vm86(), "and the processor goes on as before");
            return answer;
        });
        assertEquals(1, rig.core.handled);
    }

    @Test
    void aTrapThatTheCoreEmulatesGoesOnBehindTheInstruction() {
        shadow(RealMode.VM86);
        rig.core.handler = v -> {
            assertEquals(13, v.exit.interruptionInfo & 0xff);
            v.state.rip += 1;
            return RETRY;
        };
        rig.call(i -> i.exception(rig.v, 13, 0, 0));
        assertEquals(RETRY, rig.engine.answer);
        assertEquals(0xfff1, rig.s.rip);
        assertEquals(1, counter("vm86_traps_emulated"));
        assertEquals(1, rig.count(ExitReasons.EXCEPTION_NMI));
    }

    @Test
    void anExceptionOfTheGuestIsDeliveredThroughTheIvtByHand() {
        shadow(RealMode.VM86);
        rig.memory.write(6 * 4, 4, 0x20000100);
        rig.s.gpr[RSP] = 0x1000;
        rig.core.handler = v -> v.fault(6, -1);
        rig.call(i -> {
            int answer = i.exception(rig.v, 6, -1, 0);
            assertTrue(rig.s.vm86(), "the handler runs in virtual-8086 mode too");
            return answer;
        });
        assertEquals(RETRY, rig.engine.answer);
        assertEquals(0x2000, rig.s.segSel[CS]);
        assertEquals(0x100, rig.s.rip);
        assertEquals(0xffa, rig.s.gpr[RSP]);
        assertEquals(1, counter("injected_by_hand"));
        assertTrue(rig.engine.delivered.isEmpty(), "not through an IDT");
    }

    @Test
    void anInterruptAtEntryIsDeliveredByHand() {
        shadow(RealMode.VM86);
        rig.memory.write(8 * 4, 4, 0x30000200);
        rig.s.setRflags(IF | 2);
        rig.s.gpr[RSP] = 0x1000;
        rig.s.injectInfo = INFO_VALID | 8;
        rig.enter();
        assertEquals(0x200, rig.s.rip);
        assertEquals(0, rig.s.injectInfo);
        assertTrue(rig.engine.delivered.isEmpty());
    }

    @Test
    void anEventThatCannotBeDeliveredIsATripleFault() {
        shadow(RealMode.VM86);
        rig.s.idtLimit = 0;
        rig.s.injectInfo = INFO_VALID | 8;
        assertEquals(ExitReasons.TRIPLE_FAULT, rig.enter(i -> {
            throw new AssertionError("the guest must not run");
        }));
    }

    /** Who observes exit 2 is called from inside the guest; afterwards nobody is there any more. */
    @Test
    void anObservedTripleFaultLeavesTheGuestsView() {
        shadow(RealMode.VM86);
        rig.core.observed = ExitReasons.TRIPLE_FAULT;
        rig.s.idtLimit = 0;
        rig.s.injectInfo = INFO_VALID | 8;
        assertEquals(ExitReasons.TRIPLE_FAULT, rig.enter());
        assertEquals(List.of(ExitReasons.TRIPLE_FAULT), rig.core.shown);
        assertGuestView();
        rig.s.reset();
        rig.s.segBase[CS] = 0xf0000;
        rig.enter();
        assertGuestView();
    }

    /** The guest left virtual-8086 mode; that its entry had to end says nothing about a delivery of the next one. */
    @Test
    void anExitMendedDuringADeliveryByHandGoesOnWithIt() {
        leaveVm86WithStaleSegments();
        rig.core.handler = v -> RETRY;
        rig.engine.delivery = v -> v.intercepts.cpuid(v) == RETRY ? DONE : EXIT;
        rig.core.emulation = v -> EXIT;
        rig.s.injectInfo = INFO_VALID | 0x20;
        assertEquals(CpuBackend.NO_EXIT, rig.enter());
        assertEquals(List.of(INFO_VALID | 0x20), rig.engine.delivered);
        assertEquals(1, rig.core.emulated, "the emulator goes on behind the delivery");
        assertEquals(0, rig.count(ExitReasons.TRIPLE_FAULT));
    }

    @Test
    void anExitThatEndsADeliveryByHandLeavesWithItsOwnReason() {
        leaveVm86WithStaleSegments();
        rig.core.handler = v -> EXIT;
        rig.engine.delivery = v -> v.intercepts.cpuid(v);
        rig.s.injectInfo = INFO_VALID | 0x20;
        assertEquals(ExitReasons.CPUID, rig.enter());
        assertEquals(ExitReasons.CPUID, rig.v.exit.reason);
        assertEquals(0, rig.count(ExitReasons.TRIPLE_FAULT));
    }

    @Test
    void aTripleFaultOfADeliveryByHandIsOneExit() {
        leaveVm86WithStaleSegments();
        rig.engine.delivery = v -> v.intercepts.tripleFault(v);
        rig.s.injectInfo = INFO_VALID | 0x20;
        assertEquals(ExitReasons.TRIPLE_FAULT, rig.enter());
        assertEquals(1, rig.count(ExitReasons.TRIPLE_FAULT));
    }

    /** Virtual-8086 code sets PE, and the entry ends; what real mode left in SS asks for the emulator next. */
    private void leaveVm86WithStaleSegments() {
        shadow(RealMode.VM86);
        rig.core.handler = v -> {
            Rig.flat(v.state);
            v.state.segSel[SS] = 0x1003;
            return RETRY;
        };
        assertEquals(CpuBackend.NO_EXIT, rig.call(i -> i.exception(rig.v, 13, 0, 0)));
    }

    @Test
    void smswReadsTheGuestsCr0() {
        shadow(RealMode.VM86);
        rig.call(i -> i.readCr(rig.v, 0));
        assertEquals(0x60000010L, rig.v.ioValue);
    }

    @Test
    void theVmcsShowsWhatTheProcessorHas() {
        shadow(RealMode.VM86);
        VmcsView vmcs = rig.backend.vmcs(rig.v);
        assertEquals(VM, vmcs.value("GUEST_RFLAGS") & VM);
        assertEquals(0xf3, vmcs.value("GUEST_CS_ACCESS_RIGHTS"));
        assertEquals(0xfffbd000L, vmcs.value("GUEST_TR_BASE"));
        assertEquals(0xffffffffL, vmcs.value("EXCEPTION_BITMAP"));
        assertEquals(CR0_PE, vmcs.value("GUEST_CR0") & CR0_PE);
        assertEquals(0x60000010L, vmcs.value("CR0_READ_SHADOW"));
        assertGuestView();
    }

    @Test
    void aGuestThatGoesToProtectedModeIsLeftAtOnce() {
        shadow(RealMode.VM86);
        rig.core.handler = v -> {
            v.state.cr0 |= CR0_PE;
            v.state.rip += 3;
            return RETRY;
        };
        assertEquals(CpuBackend.NO_EXIT, rig.call(i -> i.exception(rig.v, 13, 0, 0)));
        assertEquals(EXIT, rig.engine.answer);
        assertFalse(rig.s.vm86());
        assertTrue(rig.s.protectedMode());
    }

    @Test
    void kvmOf2007ChangesTheSegmentsOfAGuestThatSetsPe() {
        for (RealMode way : new RealMode[] {RealMode.VM86_2007, RealMode.VM86}) {
            shadow(way);
            rig.s.segSel[SS] = 0x1003;
            rig.s.segBase[SS] = 0x10030;
            rig.core.handler = v -> {
                v.state.cr0 |= CR0_PE;
                return RETRY;
            };
            rig.call(i -> i.exception(rig.v, 13, 0, 0));
            assertEquals(way == RealMode.VM86_2007 ? 0 : 0x1003, rig.s.segSel[SS]);
            rig.close();
        }
        shadow(RealMode.VM86_2007);
        rig.s.segLimit[ES] = 0xffffffffL;
        rig.s.segSel[SS] = 0x1003;
        rig.core.emulation = v -> {
            v.state.cr0 |= CR0_PE;
            return EXIT;
        };
        rig.enter();
        assertEquals(0, rig.s.segSel[SS], "in the emulator too");
    }

    /** A loader, or a caller of the API, says what protected mode's segments are. */
    @Test
    void aStateSetFromOutsideStaysAsItIsInTheWayOf2007() {
        shadow(RealMode.VM86_2007);
        rig.enter();
        rig.flat();
        rig.backend.vmcs(rig.v);
        assertEquals(0xc09b, rig.s.segAr[CS]);
        rig.enter();
        assertEquals(16, rig.s.segSel[SS]);
        assertEquals(0xc09b, rig.s.segAr[CS]);
    }

    @Test
    void aGuestThatComesBackToRealModeCompletesItsInstructionAndIsLeft() {
        shadow(RealMode.VM86).flat();
        rig.core.handler = v -> {
            v.state.cr0 &= ~CR0_PE;
            return DONE;
        };
        rig.call(i -> i.writeCr(rig.v, 0, 0x60000010L));
        assertEquals(DONE, rig.engine.answer);
        assertTrue(rig.v.leave);
        assertFalse(rig.s.vm86());
    }

    /** A port or a device in memory may reset the guest, or change it otherwise. */
    @Test
    void aDeviceThatChangesTheModeHasTheGuestLeftBehindTheAccess() {
        List<ToIntFunction<Intercepts>> accesses = List.of(
                i -> i.portIn(rig.v, 0x60, 1), i -> i.portOut(rig.v, 0x64, 1, 0xfe), i -> i.mmioRead(rig.v, 0xe0000, 1), i -> i.mmioWrite(rig.v, 0xe0000, 1, 0));
        for (ToIntFunction<Intercepts> access : accesses) {
            shadow(RealMode.VM86);
            rig.call(access);
            assertFalse(rig.v.leave, "the guest goes on as it was");
            rig.core.device = () -> Rig.flat(rig.s);
            rig.call(access);
            assertEquals(DONE, rig.engine.answer);
            assertTrue(rig.v.leave && rig.v.leaveAfterExit);
            assertTrue(rig.s.protectedMode());
            rig.close();
        }
        shadow(RealMode.VM86);
    }

    // ---- the emulator ----

    @Test
    void emulateRunsRealModeInTheEmulatorOnly() {
        shadow(RealMode.EMULATE);
        rig.core.emulation = v -> {
            v.state.rip++;
            return DONE;
        };
        assertEquals(CpuBackend.NO_EXIT, rig.enter(i -> {
            throw new AssertionError("the processor must not run");
        }));
        assertEquals(1000, rig.core.emulated, "the budget");
        assertEquals(1000, counter("instructions_emulated"));
        assertEquals(0, rig.backend.counters().get("entries"));
    }

    @Test
    void unrealModeGoesToTheEmulatorUntilItsSegmentsFit() {
        shadow(RealMode.VM86);
        rig.s.segLimit[ES] = 0xffffffffL;
        rig.core.emulation = v -> {
            if (rig.core.emulated == 5) v.state.segLimit[ES] = 0xffff;
            return DONE;
        };
        rig.enter();
        assertEquals(5, rig.core.emulated);
        assertEquals(0, counter("vm86_entries"));
        rig.enter();
        assertEquals(1, counter("vm86_entries"));
    }

    @Test
    void protectedModeWithWhatRealModeLeftIsEmulatedUntilItIsValid() {
        for (RealMode mode : new RealMode[] {RealMode.VM86, RealMode.EMULATE}) {
            shadow(mode).flat();
            rig.s.segSel[SS] = 0x1003;
            rig.core.emulation = v -> {
                if (rig.core.emulated == 3) v.state.segSel[SS] = 0x10;
                return DONE;
            };
            rig.enter();
            assertEquals(3, rig.core.emulated);
            assertEquals(0, rig.backend.counters().get("entries"));
            rig.enter();
            assertEquals(1, rig.backend.counters().get("entries"));
            rig.close();
        }
        shadow(RealMode.VM86);
    }

    @Test
    void theEmulatorStopsForARequestToLeaveHltAndWindows() {
        shadow(RealMode.EMULATE);
        rig.core.emulation = v -> {
            v.leave = true;
            return DONE;
        };
        rig.enter();
        assertEquals(1, rig.core.emulated);
        rig.v.leave = false;
        rig.core.emulation = v -> {
            v.state.activity = HLT;
            return DONE;
        };
        rig.enter();
        assertEquals(2, rig.core.emulated);
        rig.s.activity = ACTIVE;
        rig.v.interruptWindow = true;
        rig.core.emulation = v -> {
            v.state.setRflags(IF | 2);
            return DONE;
        };
        assertEquals(ExitReasons.INTERRUPT_WINDOW, rig.enter());
        assertEquals(3, rig.core.emulated);
        assertEquals(1, rig.count(ExitReasons.INTERRUPT_WINDOW));
    }

    @Test
    void aFaultOfAnEmulatedInstructionIsDeliveredBeforeTheNext() {
        shadow(RealMode.EMULATE);
        rig.memory.write(13 * 4, 4, 0x20000100);
        rig.s.gpr[RSP] = 0x1000;
        rig.core.emulation = v -> {
            if (rig.core.emulated == 1) {
                v.state.injectInfo = INFO_VALID | TYPE_HARDWARE_EXCEPTION | 13;
                return FAULT;
            }
            assertEquals(0x100, v.state.rip);
            return EXIT;
        };
        rig.enter();
        assertEquals(2, rig.core.emulated);
    }

    @Test
    void aSingleStepTrapIsDeliveredAfterTheEmulatedInstruction() {
        shadow(RealMode.EMULATE);
        rig.memory.write(4, 4, 0x20000100);
        rig.s.gpr[RSP] = 0x1000;
        rig.core.emulation = v -> {
            if (rig.core.emulated == 1) {
                v.state.pendingDebug = 1 << 14;
                return DONE;
            }
            assertEquals(0x100, v.state.rip);
            assertEquals(1 << 14, v.state.dr[6] & 1 << 14);
            return EXIT;
        };
        rig.enter();
        assertEquals(2, rig.core.emulated);
        assertEquals(0, rig.s.pendingDebug);
    }

    // ---- unrestricted, and EPT ----

    @Test
    void unrestrictedGuestEntersRealModeAsItIs() {
        direct(RealMode.UNRESTRICTED);
        rig.enter(i -> {
            assertGuestView();
            return Emulator.BUDGET;
        });
        assertEquals(1, rig.backend.counters().get("entries"));
    }

    /** SDM 3C 26.2.1.1: "if the unrestricted guest control is 1, the enable EPT control must be 1". */
    @Test
    void unrestrictedGuestWithShadowPagingFailsEntryWithError7() {
        shadow(RealMode.UNRESTRICTED);
        assertEquals(ExitReasons.ENTRY_FAILURE, rig.enter());
        assertEquals(7, rig.v.exit.instructionError);
        assertTrue(rig.v.exit.failedCheck.contains("unrestricted guest needs EPT"), rig.v.exit.failedCheck);
    }

    @Test
    void virtual8086CodeUnderEptRunsOverTheIdentityMap() {
        direct(RealMode.VM86);
        rig.enter(i -> {
            assertTrue(rig.s.vm86() && rig.s.paging());
            assertEquals(0xfffbc000L, rig.s.cr3);
            return Emulator.BUDGET;
        });
        assertGuestView();
        assertFalse(rig.s.paging());
    }

    @Test
    void cr3AccessesExitOnlyWhileTheGuestHasPagingOff() {
        direct(RealMode.VM86).flat();
        rig.s.cr3 = 0x5000;
        rig.core.handler = v -> {
            v.ioValue = v.state.cr3;
            return DONE;
        };
        rig.call(i -> i.readCr(rig.v, 3));
        assertEquals(1, rig.count(ExitReasons.CR_ACCESS));
        assertEquals(0x5000, rig.v.ioValue, "the guest's own");
        assertEquals(1, counter("identity_entries"));
        rig.s.cr0 |= CR0_PG;
        rig.call(i -> i.readCr(rig.v, 3));
        assertEquals(1, rig.count(ExitReasons.CR_ACCESS));
    }

    @Test
    void aBitThatTheGuestOwnsIsItsOwnOverTheIdentityMap() {
        direct(RealMode.VM86).flat();
        long cr0 = rig.s.cr0;
        rig.call(i -> i.writeCr(rig.v, 0, cr0 | CR0_TS));
        assertEquals(0, rig.count(ExitReasons.CR_ACCESS));
        assertEquals(cr0 | CR0_TS, rig.s.cr0);
        rig.call(i -> i.writeCr(rig.v, 4, CR4_TSD));
        assertEquals(0, rig.count(ExitReasons.CR_ACCESS));
        assertEquals(CR4_TSD, rig.s.cr4);
    }
}
