package org.backplane.vmx;

import static org.backplane.kvm.spi.cpu.CpuState.*;
import static org.backplane.vmx.GuestMachine.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.backplane.kvm.spi.cpu.HostMemory;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.exit.ExitReasons;
import org.backplane.kvm.spi.mmu.Spte;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Exits that no instruction asks for: exceptions, event delivery, windows, timer, monitor trap, virtual APIC, EPT, MSR areas (SDM 3C 25 to 29). */
class GuestEventsTest {
    private final GuestMachine g = new GuestMachine();

    @AfterEach
    void close() {
        g.close();
    }

    private void exception(int type, int vector, boolean code) {
        long info = INFO_VALID | type | (code ? INFO_ERROR_CODE : 0) | vector;
        assertEquals(info & 0xffffffffL, g.get(VmcsField.VM_EXIT_INTERRUPTION_INFORMATION));
    }

    private void vectoring(int info, int length) {
        assertEquals(info & 0xffffffffL, g.get(VmcsField.IDT_VECTORING_INFORMATION));
        assertEquals(length, g.s.vectoringLength);
    }

    private void inject(int info) {
        g.set(VmcsField.VM_ENTRY_INTERRUPTION_INFORMATION, (INFO_VALID | info) & 0xffffffffL);
    }

    // ---- exceptions (SDM 3C 25.2, 27.2.2) ----

    @Test
    void exceptionBitmapChoosesVectors() {
        g.set(VmcsField.EXCEPTION_BITMAP, 1 << 6);
        assertEquals(ExitReasons.EXCEPTION_NMI, g.go("0f0b"));
        exception(TYPE_HARDWARE_EXCEPTION, 6, false);
        assertEquals(CODE, g.s.rip);
        assertEquals(0, g.get(VmcsField.IDT_VECTORING_INFORMATION), "the exception itself is the exit");
        assertEquals(ExitReasons.HLT, g.go("31c9 f7f1"), "#DE goes to the guest's handler");
        assertEquals(HANDLERS, g.s.rip);
    }

    @Test
    void exceptionWithAnErrorCode() {
        g.set(VmcsField.EXCEPTION_BITMAP, 1 << 13);
        g.s.gpr[RAX] = 0x50;
        assertEquals(ExitReasons.EXCEPTION_NMI, g.go("8ed8"));
        exception(TYPE_HARDWARE_EXCEPTION, 13, true);
        assertEquals(0x50, g.get(VmcsField.VM_EXIT_INTERRUPTION_ERROR_CODE));
    }

    @Test
    void int3AndIntoAreSoftwareExceptionsInt1APrivilegedOne() {
        g.set(VmcsField.EXCEPTION_BITMAP, 1 << 1 | 1 << 3 | 1 << 4);
        assertEquals(ExitReasons.EXCEPTION_NMI, g.go("cc"));
        exception(TYPE_SOFTWARE_EXCEPTION, 3, false);
        assertEquals(1, g.v.exit.insnLength);
        g.s.setRflags(OF | 2);
        assertEquals(ExitReasons.EXCEPTION_NMI, g.go("ce"));
        exception(TYPE_SOFTWARE_EXCEPTION, 4, false);
        assertEquals(ExitReasons.EXCEPTION_NMI, g.go("f1"));
        exception(TYPE_PRIVILEGED_SOFTWARE_EXCEPTION, 1, false);
        g.s.setRflags(2);
        assertEquals(ExitReasons.HLT, g.go("cd03"), "INT n is no exception");
        assertEquals(HANDLERS + 3 * 16, g.s.rip);
    }

    /** SDM 3C 27.1: a #DB exit has its causes in the qualification and leaves DR6 alone. */
    @Test
    void debugExceptionExit() {
        g.set(VmcsField.EXCEPTION_BITMAP, 1 << 1);
        long dr6 = g.s.dr[6];
        g.s.setRflags(TF | 2);
        assertEquals(ExitReasons.EXCEPTION_NMI, g.go("90f4"));
        assertEquals(1 << 14, g.get(VmcsField.EXIT_QUALIFICATION));
        assertEquals(CODE + 1, g.s.rip);
        assertEquals(dr6, g.s.dr[6]);
        assertEquals(0, g.get(VmcsField.GUEST_PENDING_DEBUG_EXCEPTIONS));
        g.s.setRflags(2);
        g.s.dr[2] = CODE + 1;
        g.s.dr[7] |= 2 << 4;
        assertEquals(ExitReasons.EXCEPTION_NMI, g.go("90f4"));
        assertEquals(1 << 2, g.get(VmcsField.EXIT_QUALIFICATION));
    }

    /** SDM 3C 27.1: nor does it clear DR7.GD; the #DB that goes to the guest does (SDM 3B 17.2.4). */
    @Test
    void generalDetectExit() {
        g.without(VmcsField.PRIMARY_PROCESSOR_BASED_CONTROLS, Controls.MOV_DR);
        long dr6 = g.s.dr[6];
        for (int bitmap : new int[] {1 << 1, 0}) {
            g.set(VmcsField.EXCEPTION_BITMAP, bitmap);
            g.s.dr[7] = 0x2400;
            int reason = g.go("0f21c0");
            if (bitmap != 0) {
                assertEquals(ExitReasons.EXCEPTION_NMI, reason);
                assertEquals(1 << 13, g.get(VmcsField.EXIT_QUALIFICATION));
                assertEquals(0x2400, g.s.dr[7]);
                assertEquals(dr6, g.s.dr[6]);
            } else {
                assertEquals(ExitReasons.HLT, reason);
                assertEquals(HANDLERS + 16, g.s.rip);
                assertEquals(0x400, g.s.dr[7]);
                assertEquals(dr6 | 1 << 13, g.s.dr[6]);
            }
            assertEquals(0, g.s.pendingDebug);
        }
    }

    @Test
    void pageFaultExitsByBitmapMaskAndMatch() {
        // One 4 MiB page at 0, present and read-only for users.
        g.memory.write(0xa000, 4, 0x83);
        g.s.cr3 = 0xa000;
        g.s.cr4 |= CR4_PSE;
        g.s.cr0 |= CR0_PG;
        g.s.cr2 = 0x777;
        int[][] cases = {
            // bit 14, mask, match, exits
            {1, 0, 0, 1}, {0, 0, 0, 0}, {1, 2, 2, 1}, {1, 2, 0, 0}, {0, 2, 0, 1}, {0, 2, 2, 0}, {1, 0x1f, 2, 1}, {1, 0x1f, 3, 0}, {0, 0, 1, 1}
        };
        for (int[] c : cases) {
            g.s.gpr[RSP] = STACK;
            g.s.cr2 = 0x777;
            g.set(VmcsField.EXCEPTION_BITMAP, c[0] << 14).set(VmcsField.PAGE_FAULT_ERROR_CODE_MASK, c[1]);
            g.set(VmcsField.PAGE_FAULT_ERROR_CODE_MATCH, c[2]);
            String what = c[0] + "," + c[1] + "," + c[2];
            // A write to 8000000: not present, error code 2.
            int reason = g.go("a300000008");
            if (c[3] == 1) {
                assertEquals(ExitReasons.EXCEPTION_NMI, reason, what);
                exception(TYPE_HARDWARE_EXCEPTION, 14, true);
                assertEquals(2, g.get(VmcsField.VM_EXIT_INTERRUPTION_ERROR_CODE));
                assertEquals(0x8000000, g.get(VmcsField.EXIT_QUALIFICATION), what);
                assertEquals(0x777, g.s.cr2, "the exit leaves CR2 alone");
            } else {
                assertEquals(ExitReasons.HLT, reason, what);
                assertEquals(HANDLERS + 14 * 16, g.s.rip, what);
                assertEquals(0x8000000, g.s.cr2);
            }
        }
    }

    // ---- event delivery (SDM 3C 27.2.4) ----

    @Test
    void exceptionDuringDeliveryHasVectoringInformation() {
        g.gate(0x80, 0x0e); // not present
        g.set(VmcsField.EXCEPTION_BITMAP, 1 << 11);
        inject(TYPE_SOFTWARE_INTERRUPT | 0x80);
        g.set(VmcsField.VM_ENTRY_INSTRUCTION_LENGTH, 2);
        assertEquals(ExitReasons.EXCEPTION_NMI, g.go("90"));
        exception(TYPE_HARDWARE_EXCEPTION, 11, true);
        vectoring(INFO_VALID | TYPE_SOFTWARE_INTERRUPT | 0x80, 2);
        assertEquals(CODE, g.s.rip);
    }

    @Test
    void eptViolationDuringDeliveryHasVectoringInformationWithErrorCode() {
        g.ept((int) (STACK - 1 >> 12), 0);
        g.s.gpr[RAX] = 0x50;
        assertEquals(ExitReasons.EPT_VIOLATION, g.go("8ed8"), "#GP pushes to a page that is not there");
        vectoring(INFO_VALID | TYPE_HARDWARE_EXCEPTION | INFO_ERROR_CODE | 13, 0);
        assertEquals(0x50, g.get(VmcsField.IDT_VECTORING_ERROR_CODE));
        assertEquals(STACK - 1 & ~0xfffL, g.get(VmcsField.GUEST_PHYSICAL_ADDRESS) & ~0xfffL);
    }

    /** The access is made by the delivery itself, after one exit of its own; also where exits are not handled in place. */
    @Test
    void anAccessThatTheHandlerHasMadeAsOneToADeviceIsMadeByTheDelivery() {
        g.core.observesAll = false;
        int page = (int) (STACK - 1 >> 12);
        g.ept(page, Spte.of(g.memory.frame(page), Spte.P | Spte.U));
        List<Long> written = new ArrayList<>();
        g.core.device = () -> written.add(g.v.gpa);
        g.core.handler = v -> {
            if (v.exit.reason == ExitReasons.HLT) return Intercepts.EXIT;
            assertEquals(CODE, v.state.rip);
            v.gpa = v.exit.gpa;
            return Intercepts.DONE;
        };
        for (int timer : new int[] {0, Controls.PIN_PREEMPTION_TIMER}) {
            g.with(VmcsField.PIN_BASED_CONTROLS, timer).set(VmcsField.VMX_PREEMPTION_TIMER_VALUE, 1000);
            written.clear();
            long before = violations();
            g.s.gpr[RSP] = STACK;
            inject(TYPE_EXTERNAL | 0x20);
            g.s.setRflags(IF | 2);
            assertEquals(ExitReasons.HLT, g.go("90"));
            assertEquals(HANDLERS + 0x20 * 16, g.s.rip);
            assertEquals(List.of(STACK - 4, STACK - 8, STACK - 12), written);
            assertEquals(3, violations() - before, "each access exits once");
            assertEquals(0, g.memory.read(STACK - 4, 4), "nothing went by the device");
        }
    }

    private long violations() {
        return g.backend.counters().getOrDefault("exits." + ExitReasons.name(ExitReasons.EPT_VIOLATION), 0L);
    }

    /** A page that was mended for an event holds nothing back: a later access goes to the memory at once. */
    @Test
    void anAccessMadeAsOneToADeviceIsNotRemembered() {
        g.core.observesAll = false;
        int page = (int) (STACK - 1 >> 12);
        g.ept(page, Spte.of(g.memory.frame(page), Spte.P | Spte.U));
        g.core.handler = v -> {
            if (v.exit.reason == ExitReasons.HLT) return Intercepts.EXIT;
            v.gpa = v.exit.gpa;
            return Intercepts.DONE;
        };
        g.code(HANDLERS + 0x20 * 16, "f4 50 f4");
        inject(TYPE_EXTERNAL | 0x20);
        g.s.setRflags(IF | 2);
        assertEquals(ExitReasons.HLT, g.go("90"));
        // No flush: an entry that allows more than before needs none (SDM 3C 28.3.3.1).
        g.leaf(page, Spte.of(g.memory.frame(page), Spte.P | Spte.W | Spte.U));
        g.s.gpr[RAX] = 0x1234;
        assertEquals(ExitReasons.HLT, g.next());
        assertEquals(0x1234, g.memory.read(g.s.gpr[RSP], 4));
    }

    /** SDM 3C 27.2.2, 27.2.3: "if the VM exit occurred while the logical processor was in real-address mode, bit 11 is 0"; and 26.2.1.3 takes it so. */
    @Test
    void realModeHasNoErrorCodes() {
        realMode();
        g.set(VmcsField.EXCEPTION_BITMAP, 1 << 13);
        assertEquals(ExitReasons.EXCEPTION_NMI, g.go("a1ffff"), "a word beyond the limit");
        exception(TYPE_HARDWARE_EXCEPTION, 13, false);
        g.set(VmcsField.EXCEPTION_BITMAP, 0);
        int stack = (int) (STACK - 1 >> 12);
        g.ept(stack, 0);
        assertEquals(ExitReasons.EPT_VIOLATION, g.go("a1ffff"));
        vectoring(INFO_VALID | TYPE_HARDWARE_EXCEPTION | 13, 0);
        g.ept(stack, Spte.of(g.memory.frame(stack), Spte.P | Spte.W | Spte.U));
        inject((int) g.get(VmcsField.IDT_VECTORING_INFORMATION));
        assertEquals(ExitReasons.HLT, g.enter(), "the event can be injected again");
        assertEquals(HANDLERS, g.s.rip);
        assertEquals(STACK - 6, g.s.gpr[RSP]);
    }

    /** Real mode with all segments at 0, and #GP at the first handler. */
    private void realMode() {
        g.s.cr0 &= ~CR0_PE;
        for (int seg = ES; seg <= GS; seg++) {
            g.s.segSel[seg] = 0;
            g.s.segLimit[seg] = 0xffff;
            g.s.segAr[seg] = seg == CS ? 0x9b : 0x93;
        }
        g.memory.write(IDT + 4 * 13, 4, HANDLERS);
    }

    @Test
    void doubleFaultExitAndTripleFaultHaveNoVectoringInformation() {
        g.gate(13, 0x0e);
        g.s.gpr[RAX] = 0x50;
        g.set(VmcsField.EXCEPTION_BITMAP, 1 << 8);
        assertEquals(ExitReasons.EXCEPTION_NMI, g.go("8ed8"));
        exception(TYPE_HARDWARE_EXCEPTION, 8, true);
        assertEquals(0, g.get(VmcsField.IDT_VECTORING_INFORMATION));
        g.set(VmcsField.EXCEPTION_BITMAP, 0).gate(8, 0x0e);
        assertEquals(ExitReasons.TRIPLE_FAULT, g.go("8ed8"));
        assertEquals(0, g.get(VmcsField.IDT_VECTORING_INFORMATION));
    }

    // ---- task switches (SDM 3C 25.4.2, 27.2.1) ----

    @Test
    void taskSwitchExitsWithSelectorAndSourceAndIsCarriedOutWhenItComesAgain() {
        assertEquals(ExitReasons.TASK_SWITCH, g.go("ea000000003000"));
        assertEquals(TASK2 | 2L << 30, g.get(VmcsField.EXIT_QUALIFICATION));
        assertEquals(7, g.v.exit.insnLength);
        assertEquals(TASK, g.s.segSel[TR]);
        assertEquals(ExitReasons.HLT, g.enter());
        assertEquals(TASK2, g.s.segSel[TR]);
        assertEquals(HANDLERS, g.s.rip);
    }

    /** SDM 3C 24.4.2: bit 12 says that the breakpoint was enabled; neither DR6 nor an exit's qualification has such a bit. */
    @Test
    void dataBreakpointIsPendingOverAnExit() {
        g.s.dr[0] = DATA;
        g.s.dr[7] = 0x401 | 1 << 16;
        g.primary(Controls.MONITOR_TRAP_FLAG);
        assertEquals(ExitReasons.MONITOR_TRAP_FLAG, g.go("c6050050000001 f4"));
        assertEquals(1 << 12 | 1, g.get(VmcsField.GUEST_PENDING_DEBUG_EXCEPTIONS));
        g.without(VmcsField.PRIMARY_PROCESSOR_BASED_CONTROLS, Controls.MONITOR_TRAP_FLAG);
        g.set(VmcsField.EXCEPTION_BITMAP, 1 << 1);
        assertEquals(ExitReasons.EXCEPTION_NMI, g.enter());
        assertEquals(1, g.get(VmcsField.EXIT_QUALIFICATION));
        g.set(VmcsField.EXCEPTION_BITMAP, 0).set(VmcsField.GUEST_PENDING_DEBUG_EXCEPTIONS, 1 << 12 | 1);
        assertEquals(ExitReasons.HLT, g.enter());
        assertEquals(HANDLERS + 16, g.s.rip, "#DB");
        assertEquals(1, g.s.dr[6] & 0xf00f);
    }

    /** SDM 3A 7.2.1: the T flag of the new TSS. DR6 has its BT, the pending debug exceptions have none, so the trap stays valid over an exit. */
    @Test
    void trapOfATaskSwitchIsPendingOverAnExit() {
        g.memory.write(TSS2 + 0x64, 1, 1);
        g.primary(Controls.MONITOR_TRAP_FLAG);
        assertEquals(ExitReasons.TASK_SWITCH, g.go("ea000000003000"));
        assertEquals(ExitReasons.MONITOR_TRAP_FLAG, g.enter());
        assertEquals(1 << 12, g.get(VmcsField.GUEST_PENDING_DEBUG_EXCEPTIONS));
        g.without(VmcsField.PRIMARY_PROCESSOR_BASED_CONTROLS, Controls.MONITOR_TRAP_FLAG);
        assertEquals(ExitReasons.HLT, g.enter());
        assertEquals(HANDLERS + 16, g.s.rip, "#DB");
        assertEquals(1 << 15, g.s.dr[6] & 0xf00f);
    }

    @Test
    void taskGateExitsDuringDelivery() {
        g.taskGate(6);
        assertEquals(ExitReasons.TASK_SWITCH, g.go("0f0b"));
        assertEquals(TASK2 | 3L << 30, g.get(VmcsField.EXIT_QUALIFICATION));
        vectoring(INFO_VALID | TYPE_HARDWARE_EXCEPTION | 6, 0);
    }

    // ---- windows (SDM 3C 25.2, 26.6.5, 26.6.6) ----

    @Test
    void interruptWindowOpensBehindTheShadowOfSti() {
        g.primary(Controls.INTERRUPT_WINDOW);
        assertEquals(ExitReasons.INTERRUPT_WINDOW, g.go("fb9090f4"));
        assertEquals(CODE + 2, g.s.rip, "not before the instruction after STI");
        assertEquals(0, g.v.exit.insnLength);
        g.s.setRflags(2);
        assertEquals(ExitReasons.HLT, g.go("90f4"), "closed while IF is 0");
    }

    @Test
    void nmiWindowOpensWithIret() {
        g.primary(Controls.NMI_WINDOW);
        g.s.blocking = BLOCKING_NMI;
        for (long value : new long[] {2, CODE0, CODE + 0x20}) {
            g.s.gpr[RSP] -= 4;
            g.memory.write(g.s.gpr[RSP], 4, value);
        }
        g.code(CODE + 0x20, "90f4");
        assertEquals(ExitReasons.NMI_WINDOW, g.go("90cf"));
        assertEquals(CODE + 0x20, g.s.rip);
        assertEquals(0, g.s.blocking);
    }

    @Test
    void windowsEndHltAndTheActivityStateStaysHlt() {
        g.primary(Controls.INTERRUPT_WINDOW);
        g.s.setRflags(IF | 2);
        g.s.activity = HLT;
        assertEquals(ExitReasons.INTERRUPT_WINDOW, g.enter());
        assertEquals(HLT, g.get(VmcsField.GUEST_ACTIVITY_STATE));
        g.s.setRflags(2);
        assertEquals(NO_EXIT, g.enter(), "IF is 0");
        g.primary(Controls.NMI_WINDOW);
        g.s.activity = SHUTDOWN;
        assertEquals(ExitReasons.NMI_WINDOW, g.enter());
        g.s.activity = WAIT_FOR_SIPI;
        assertEquals(NO_EXIT, g.enter());
    }

    @Test
    void aBlockedNmiDoesNotEndHlt() {
        g.primary(Controls.NMI_WINDOW);
        g.s.activity = HLT;
        for (int blocking : new int[] {BLOCKING_NMI, 0}) {
            g.s.blocking = blocking;
            assertEquals(blocking == 0 ? ExitReasons.NMI_WINDOW : NO_EXIT, g.enter());
            assertEquals(HLT, g.s.activity);
        }
    }

    // ---- external interrupts ----

    @Test
    void aRequestToLeaveIsAnExternalInterrupt() {
        g.v.leave = true;
        assertEquals(ExitReasons.EXTERNAL_INTERRUPT, g.go("90f4"));
        assertEquals(0, g.get(VmcsField.VM_EXIT_INTERRUPTION_INFORMATION), "without acknowledgement there is no vector");
        g.v.leaveAfterExit = true;
        assertEquals(NO_EXIT, g.go("90f4"), "the handler of an exit asked");
        g.v.leaveAfterExit = false;
        g.without(VmcsField.PIN_BASED_CONTROLS, Controls.PIN_EXTERNAL_INTERRUPT);
        assertEquals(NO_EXIT, g.go("90f4"));
    }

    // ---- VMX-preemption timer (SDM 3C 25.5.1) ----

    @Test
    void timerExpiresAndSavesWhatIsLeft() {
        g.with(VmcsField.PIN_BASED_CONTROLS, Controls.PIN_PREEMPTION_TIMER).set(VmcsField.VMX_PREEMPTION_TIMER_VALUE, 0);
        assertEquals(ExitReasons.PREEMPTION_TIMER, g.go("90f4"));
        assertEquals(CODE, g.s.rip, "with 0 no instruction is executed");
        g.set(VmcsField.VMX_PREEMPTION_TIMER_VALUE, 100).with(VmcsField.VM_EXIT_CONTROLS, Controls.EXIT_SAVE_TIMER);
        // The TSC is looked at when the timer starts, before the guest runs, and at the exit.
        g.core.tscPerLook = 32 * 20;
        assertEquals(ExitReasons.HLT, g.go("f4"));
        assertEquals(60, g.get(VmcsField.VMX_PREEMPTION_TIMER_VALUE), "one count every 32 cycles");
        assertEquals(ExitReasons.HLT, g.go("f4"));
        assertEquals(20, g.get(VmcsField.VMX_PREEMPTION_TIMER_VALUE));
        assertEquals(ExitReasons.PREEMPTION_TIMER, g.go("f4"));
        assertEquals(0, g.get(VmcsField.VMX_PREEMPTION_TIMER_VALUE));
    }

    @Test
    void timerIsSavedOnlyIfTheControlSaysSo() {
        g.with(VmcsField.PIN_BASED_CONTROLS, Controls.PIN_PREEMPTION_TIMER).set(VmcsField.VMX_PREEMPTION_TIMER_VALUE, 100);
        g.core.tscPerLook = 32 * 20;
        assertEquals(ExitReasons.HLT, g.go("f4"));
        assertEquals(100, g.get(VmcsField.VMX_PREEMPTION_TIMER_VALUE));
    }

    @Test
    void timerInterruptsALoop() {
        g.with(VmcsField.PIN_BASED_CONTROLS, Controls.PIN_PREEMPTION_TIMER).set(VmcsField.VMX_PREEMPTION_TIMER_VALUE, 10);
        g.core.tscPerLook = 100;
        g.code(CODE, "ebfe");
        g.s.rip = CODE;
        assertEquals(ExitReasons.PREEMPTION_TIMER, g.backend.enter(g.v, Long.MAX_VALUE, false));
        assertTrue(g.v.instructions > 1000, "it ran for a while: " + g.v.instructions);
    }

    @Test
    void theTimerKeepsExitsOutOfPlace() {
        g.core.observesAll = false;
        g.core.handler = v -> Intercepts.DONE;
        assertEquals(NO_EXIT, g.go("0fa2f4"));
        assertEquals(2, g.core.handled, "CPUID and HLT in place");
        g.with(VmcsField.PIN_BASED_CONTROLS, Controls.PIN_PREEMPTION_TIMER).set(VmcsField.VMX_PREEMPTION_TIMER_VALUE, 1000);
        g.s.activity = ACTIVE;
        assertEquals(ExitReasons.CPUID, g.go("0fa2f4"));
        assertEquals(2, g.core.handled);
    }

    // ---- monitor trap flag (SDM 3C 25.5.2) ----

    @Test
    void monitorTrapFollowsEachInstruction() {
        g.primary(Controls.MONITOR_TRAP_FLAG);
        assertEquals(ExitReasons.MONITOR_TRAP_FLAG, g.go("90 40 90 f4"));
        assertEquals(CODE + 1, g.s.rip);
        assertEquals(0, g.v.exit.insnLength);
        assertEquals(ExitReasons.MONITOR_TRAP_FLAG, g.enter());
        assertEquals(CODE + 2, g.s.rip);
        assertEquals(1, g.s.gpr[RAX]);
        assertEquals(ExitReasons.MONITOR_TRAP_FLAG, g.enter());
        assertEquals(ExitReasons.HLT, g.enter(), "an instruction that exits has its own exit");
    }

    @Test
    void monitorTrapFollowsTheDeliveryOfAnException() {
        g.primary(Controls.MONITOR_TRAP_FLAG);
        assertEquals(ExitReasons.MONITOR_TRAP_FLAG, g.go("0f0b"));
        assertEquals(HANDLERS + 6 * 16, g.s.rip, "before the handler's first instruction");
    }

    @Test
    void monitorTrapFollowsAnInjectedEvent() {
        g.primary(Controls.MONITOR_TRAP_FLAG);
        inject(TYPE_HARDWARE_EXCEPTION | 6);
        assertEquals(ExitReasons.MONITOR_TRAP_FLAG, g.go("90"));
        assertEquals(HANDLERS + 6 * 16, g.s.rip);
    }

    @Test
    void injectedMonitorTrapNeedsNoControlAndDeliversNothing() {
        inject(7 << 8);
        assertEquals(ExitReasons.MONITOR_TRAP_FLAG, g.go("90f4"));
        assertEquals(CODE, g.s.rip);
        assertEquals(ExitReasons.HLT, g.enter(), "once");
    }

    @Test
    void monitorTrapFollowsEachElementOfARepInstruction() {
        g.primary(Controls.MONITOR_TRAP_FLAG);
        g.s.gpr[RDI] = DATA;
        g.s.gpr[RCX] = 8;
        for (String rep : new String[] {"f3aa", "f3ac"}) {
            g.s.gpr[RCX] = 8;
            assertEquals(ExitReasons.MONITOR_TRAP_FLAG, g.go(rep + "f4"));
            assertEquals(7, g.s.gpr[RCX]);
            assertEquals(CODE, g.s.rip);
        }
    }

    @Test
    void monitorTrapComesBeforeTheSingleStepTrapWhichStaysPending() {
        g.primary(Controls.MONITOR_TRAP_FLAG);
        g.s.setRflags(TF | 2);
        assertEquals(ExitReasons.MONITOR_TRAP_FLAG, g.go("90f4"));
        assertEquals(1 << 14, g.get(VmcsField.GUEST_PENDING_DEBUG_EXCEPTIONS));
        g.without(VmcsField.PRIMARY_PROCESSOR_BASED_CONTROLS, Controls.MONITOR_TRAP_FLAG);
        assertEquals(ExitReasons.HLT, g.enter());
        assertEquals(HANDLERS + 16, g.s.rip, "#DB");
    }

    /** SDM 3C 27.3.4: a single-step trap that MOV SS holds back is saved as pending, so that the next entry's check (26.3.1.5) holds. */
    @Test
    void singleStepUnderMovSsIsSavedAndDeliveredOnce() {
        g.primary(Controls.MONITOR_TRAP_FLAG);
        g.s.gpr[RAX] = DATA0;
        g.s.setRflags(TF | 2);
        assertEquals(ExitReasons.MONITOR_TRAP_FLAG, g.go("8ed0 90 90"));
        assertEquals(BLOCKING_MOV_SS, g.get(VmcsField.GUEST_INTERRUPTIBILITY_STATE));
        assertEquals(1 << 14, g.get(VmcsField.GUEST_PENDING_DEBUG_EXCEPTIONS));
        g.without(VmcsField.PRIMARY_PROCESSOR_BASED_CONTROLS, Controls.MONITOR_TRAP_FLAG);
        assertEquals(ExitReasons.HLT, g.enter());
        assertEquals(HANDLERS + 16, g.s.rip);
        assertEquals(CODE + 3, g.memory.read(g.s.gpr[RSP], 4), "after the instruction behind MOV SS");
    }

    // ---- virtual APIC (SDM 3C 29) ----

    private long virtualApic(int threshold) {
        long page = g.page();
        long access = g.page();
        g.primary(Controls.TPR_SHADOW).secondary(Controls.VIRTUALIZE_APIC);
        g.set(VmcsField.VIRTUAL_APIC_ADDRESS, page).set(VmcsField.APIC_ACCESS_ADDRESS, access).set(VmcsField.TPR_THRESHOLD, threshold);
        g.ept(0x50, Spte.of(access >>> 12, Spte.P | Spte.W | Spte.U));
        return g.host(page);
    }

    @Test
    void accessesToTheApicPageExitExceptOfTheTaskPriority() {
        long vapic = virtualApic(0);
        HostMemory.putByte(vapic + 0x80, (byte) 0x50);
        assertEquals(ExitReasons.HLT, g.go("a180000500f4"));
        assertEquals(0x50, g.s.gpr[RAX]);
        g.s.gpr[RAX] = 0x30;
        assertEquals(ExitReasons.HLT, g.go("a380000500f4"));
        assertEquals(0x30, HostMemory.getByte(vapic + 0x80));
        assertEquals(ExitReasons.APIC_ACCESS, g.go("a120000500f4"));
        assertEquals(0x20, g.get(VmcsField.EXIT_QUALIFICATION), "a read of offset 20");
        assertEquals(0x50020, g.get(VmcsField.GUEST_LINEAR_ADDRESS));
        assertEquals(ExitReasons.APIC_ACCESS, g.go("a3b0000500f4"));
        assertEquals(0xb0 | 1 << 12, g.get(VmcsField.EXIT_QUALIFICATION), "a write");
        g.s.rip = 0x50300;
        assertEquals(ExitReasons.APIC_ACCESS, g.enter());
        assertEquals(0x300 | 2 << 12, g.get(VmcsField.EXIT_QUALIFICATION), "a fetch");
        g.s.gpr[RSP] = 0x50400;
        inject(TYPE_HARDWARE_EXCEPTION | 6);
        assertEquals(ExitReasons.APIC_ACCESS, g.go("90"));
        assertEquals(3, g.get(VmcsField.EXIT_QUALIFICATION) >> 12, "event delivery");
        vectoring(INFO_VALID | TYPE_HARDWARE_EXCEPTION | 6, 0);
    }

    @Test
    void taskPriorityBelowTheThresholdExitsAfterTheInstruction() {
        virtualApic(4);
        HostMemory.putByte(g.host(g.get(VmcsField.VIRTUAL_APIC_ADDRESS)) + 0x80, (byte) 0x50);
        g.s.gpr[RAX] = 0x40;
        assertEquals(ExitReasons.HLT, g.go("a380000500f4"), "the threshold itself is high enough");
        g.s.gpr[RAX] = 0x30;
        assertEquals(ExitReasons.TPR_BELOW_THRESHOLD, g.go("a380000500f4"));
        assertEquals(CODE + 5, g.s.rip, "trap-like");
        g.v.leave = g.v.leaveAfterExit = false;
        assertEquals(ExitReasons.TPR_BELOW_THRESHOLD, g.enter(), "SDM 26.6.7: at VM entry");
        g.set(VmcsField.TPR_THRESHOLD, 3);
        assertEquals(ExitReasons.HLT, g.enter());
    }

    /** MOV to and from CR8 exists in 64-bit mode only, which the engine has not: the intercepts are called as it would. */
    @Test
    void cr8IsTheVirtualTaskPriority() {
        long vapic = virtualApic(4);
        g.without(VmcsField.PRIMARY_PROCESSOR_BASED_CONTROLS, Controls.CR8_LOAD | Controls.CR8_STORE);
        HostMemory.putByte(vapic + 0x80, (byte) 0x70);
        g.enter();
        assertEquals(Intercepts.DONE, g.v.intercepts.readCr(g.v, 8));
        assertEquals(7, g.v.ioValue);
        assertEquals(Intercepts.DONE, g.v.intercepts.writeCr(g.v, 8, 5));
        assertEquals(0x50, HostMemory.getByte(vapic + 0x80));
        assertEquals(Intercepts.FAULT, g.v.intercepts.writeCr(g.v, 8, 16));
        g.primary(Controls.CR8_LOAD | Controls.CR8_STORE);
        assertEquals(Intercepts.EXIT, g.v.intercepts.writeCr(g.v, 8, 5));
        assertEquals(8, g.v.exit.qualification & 15);
        assertEquals(Intercepts.EXIT, g.v.intercepts.readCr(g.v, 8));
    }

    // ---- EPT (SDM 3C 28.2.3) ----

    @Test
    void eptViolationTellsTheAccessAndTheRights() {
        g.ept(5, 0);
        assertEquals(ExitReasons.EPT_VIOLATION, g.go("a110500000"));
        assertEquals(1 | 3 << 7, g.get(VmcsField.EXIT_QUALIFICATION), "read, linear address, final translation; nothing allowed");
        assertEquals(0x5010, g.get(VmcsField.GUEST_PHYSICAL_ADDRESS));
        assertEquals(0x5010, g.get(VmcsField.GUEST_LINEAR_ADDRESS));
        g.ept(5, Spte.of(g.memory.frame(5), Spte.P | Spte.U | Spte.NX));
        assertEquals(ExitReasons.EPT_VIOLATION, g.go("a310500000"));
        assertEquals(2 | 1 << 3 | 3 << 7, g.get(VmcsField.EXIT_QUALIFICATION), "write to a page that may only be read");
        g.s.rip = DATA;
        assertEquals(ExitReasons.EPT_VIOLATION, g.enter());
        assertEquals(4 | 1 << 3 | 3 << 7, g.get(VmcsField.EXIT_QUALIFICATION), "fetch");
    }

    @Test
    void writableButNotReadableIsAMisconfiguration() {
        g.ept(5, Spte.of(g.memory.frame(5), Spte.W));
        assertEquals(ExitReasons.EPT_MISCONFIGURATION, g.go("a110500000"));
        assertEquals(0x5010, g.get(VmcsField.GUEST_PHYSICAL_ADDRESS));
        assertEquals(0, g.get(VmcsField.EXIT_QUALIFICATION));
    }

    // ---- MSR areas and PAT (SDM 3C 26.4, 27.4) ----

    private long msr(long area, int n, long index, long value) {
        HostMemory.putLong(g.host(area) + 16L * n, index);
        HostMemory.putLong(g.host(area) + 16L * n + 8, value);
        return area;
    }

    @Test
    void entryLoadsMsrsAndExitStoresThem() {
        long load = msr(msr(g.page(), 0, 0x174, 0x11), 1, 0xc0000082L, 0x22);
        long store = msr(msr(g.page(), 0, 0x174, 0), 1, 0x175, 0);
        g.core.msrs.put(0x175, 0x33L);
        g.set(VmcsField.VM_ENTRY_MSR_LOAD_ADDRESS, load).set(VmcsField.VM_ENTRY_MSR_LOAD_COUNT, 2);
        g.set(VmcsField.VM_EXIT_MSR_STORE_ADDRESS, store).set(VmcsField.VM_EXIT_MSR_STORE_COUNT, 2);
        assertEquals(ExitReasons.HLT, g.go("f4"));
        assertEquals(0x11L, g.core.msrs.get(0x174));
        assertEquals(0x22L, g.core.msrs.get(0xc0000082));
        assertEquals(0x11, HostMemory.getLong(g.host(store) + 8));
        assertEquals(0x33, HostMemory.getLong(g.host(store) + 24));
    }

    @Test
    void msrThatCannotBeLoadedIsExit34WithItsNumber() {
        long[] bad = {0xc0000100L, 0xc0000101L, 0x8ff, 0x79, 0x8b, 1L << 32 | 0x174, Rig.Core.BAD_MSR};
        for (long index : bad) {
            long area = msr(msr(g.page(), 0, 0x174, 0x11), 1, index, 0);
            g.set(VmcsField.VM_ENTRY_MSR_LOAD_ADDRESS, area).set(VmcsField.VM_ENTRY_MSR_LOAD_COUNT, 2);
            assertEquals(ExitReasons.MSR_LOADING | ExitReasons.ENTRY_FAILURE, g.go("f4"), Long.toHexString(index));
            assertEquals(2, g.get(VmcsField.EXIT_QUALIFICATION));
            assertEquals(CODE, g.s.rip);
        }
        g.set(VmcsField.VM_ENTRY_MSR_LOAD_ADDRESS, 0x7fff_f000);
        assertEquals(ExitReasons.MSR_LOADING | ExitReasons.ENTRY_FAILURE, g.go("f4"));
        assertEquals(1, g.get(VmcsField.EXIT_QUALIFICATION), "no memory there");
    }

    @Test
    void patIsLoadedAndSaved() {
        g.with(VmcsField.VM_ENTRY_CONTROLS, Controls.ENTRY_LOAD_PAT).set(VmcsField.GUEST_IA32_PAT, 0x0607);
        assertEquals(ExitReasons.HLT, g.go("f4"));
        assertEquals(0x0607L, g.core.msrs.get(0x277));
        g.without(VmcsField.VM_ENTRY_CONTROLS, Controls.ENTRY_LOAD_PAT).with(VmcsField.VM_EXIT_CONTROLS, Controls.EXIT_SAVE_PAT);
        g.core.msrs.put(0x277, 0x0105L);
        assertEquals(ExitReasons.HLT, g.go("f4"));
        assertEquals(0x0105, g.get(VmcsField.GUEST_IA32_PAT));
    }

    // ---- injection (SDM 3C 26.5) ----

    @Test
    void injectedEventsGoThroughTheIdt() {
        g.s.setRflags(IF | 2);
        inject(0x31);
        assertEquals(ExitReasons.HLT, g.go("90"));
        assertEquals(HANDLERS + 0x31 * 16, g.s.rip);
        assertEquals(CODE, g.memory.read(g.s.gpr[RSP], 4), "an interrupt returns to the instruction it came before");
        inject(TYPE_SOFTWARE_INTERRUPT | 0x32);
        g.set(VmcsField.VM_ENTRY_INSTRUCTION_LENGTH, 2);
        assertEquals(ExitReasons.HLT, g.go("cd32"));
        assertEquals(CODE + 2, g.memory.read(g.s.gpr[RSP], 4), "a software interrupt behind its instruction");
        inject(TYPE_HARDWARE_EXCEPTION | INFO_ERROR_CODE | 13);
        g.set(VmcsField.VM_ENTRY_EXCEPTION_ERROR_CODE, 0x1234);
        assertEquals(ExitReasons.HLT, g.go("90"));
        assertEquals(0x1234, g.memory.read(g.s.gpr[RSP], 4));
        assertEquals(0, g.get(VmcsField.VM_ENTRY_INTERRUPTION_INFORMATION));
    }
}
