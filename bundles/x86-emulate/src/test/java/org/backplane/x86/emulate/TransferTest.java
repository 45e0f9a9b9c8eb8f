package org.backplane.x86.emulate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.Emulator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Gates, inter-privilege transfers, virtual-8086 mode, SYSENTER and hardware tasks (SDM 3A 5.8, 6.12, 7; 3B 20). */
class TransferTest {
    private final ProtectedMachine m = new ProtectedMachine();

    @AfterEach
    void close() {
        m.close();
    }

    private int seg(int n) {
        return m.s.segSel[n];
    }

    // ---- interrupts ----

    @Test
    void interruptAtTheSameLevelPushesThreeWordsAndClearsIf() {
        m.go(/* sti; nop; int 0x21; hlt */ "fb90cd21f4");
        assertEquals(0x21, m.vector());
        assertEquals(0x1004, m.stack(0));
        assertEquals(8, m.stack(1));
        assertNotEquals(0, m.stack(2) & CpuState.IF);
        assertEquals(0x9000 - 12, m.reg(CpuState.RSP));
        assertEquals(0, m.s.rflagsOther & CpuState.IF);
    }

    @Test
    void trapGateLeavesIf() {
        m.gate(ProtectedMachine.IDT + 8 * 0x21, ProtectedMachine.CODE0, 0x6210, 0x8f, 0);
        m.go(/* sti; nop; int 0x21; hlt */ "fb90cd21f4");
        assertNotEquals(0, m.s.rflagsOther & CpuState.IF);
    }

    @Test
    void interruptFromUserSwitchesToTheStackOfTheTss() {
        m.user().go(/* int 0x80; hlt */ "cd80f4");
        assertEquals(0x80, m.vector());
        assertEquals(0, m.s.cpl);
        assertEquals(8, seg(CpuState.CS));
        assertEquals(0x10, seg(CpuState.SS));
        assertEquals(0xa000 - 20, m.reg(CpuState.RSP));
        assertEquals(0x1002, m.stack(0));
        assertEquals(0x1b, m.stack(1));
        assertEquals(0x9000, m.stack(3));
        assertEquals(0x23, m.stack(4));
    }

    @Test
    void softwareInterruptThroughPrivilegedGateRaisesGpOfTheGate() {
        m.user().go(/* int 0x21; hlt */ "cd21f4");
        assertEquals(13, m.vector());
        assertEquals(0x21 * 8 + 2, m.stack(0));
        assertEquals(0x1000, m.stack(1));
    }

    @Test
    void absentGateRaisesNpOfTheGate() {
        m.gate(ProtectedMachine.IDT + 8 * 0x21, ProtectedMachine.CODE0, 0x6210, 0x0e, 0);
        m.go(/* int 0x21; hlt */ "cd21f4");
        assertEquals(11, m.vector());
        assertEquals(0x21 * 8 + 2, m.stack(0));
    }

    @Test
    void faultWhileDeliveringAnExceptionSetsExt() {
        m.gate(ProtectedMachine.IDT + 8 * 6, ProtectedMachine.CODE0, 0x6060, 0x0e, 0);
        m.go(/* ud2; hlt */ "0f0bf4");
        assertEquals(11, m.vector());
        assertEquals(6 * 8 + 3, m.stack(0));
    }

    @Test
    void everyEventIsTracedBeforeItIsDelivered() {
        StringBuilder seen = new StringBuilder();
        m.v.trace = (v, info, error) -> seen.append(String.format("%02x/%x@%x ", info & 0xff, error, v.state.rip));
        m.gate(ProtectedMachine.IDT + 8 * 0x21, ProtectedMachine.CODE0, 0x6210, 0x0e, 0);
        m.go(/* nop; int 0x21; hlt */ "90cd21f4");
        assertEquals("21/0@1001 0b/10a@1001 ", seen.toString());
    }

    @Test
    void gateTo16BitHandlerPushesWords() {
        m.gate(ProtectedMachine.IDT + 8 * 0x21, ProtectedMachine.CODE0, 0x6210, 0x86, 0);
        m.go(/* int 0x21; hlt */ "cd21f4");
        assertEquals(0x9000 - 6, m.reg(CpuState.RSP));
    }

    @Test
    void iretToUserLoadsStackAndDropsSupervisorSegments() {
        m.bytes(0x5000, /* int 0x80 */ "cd80");
        m.go(/* push dword 0x23; push dword 0x8800; push dword 0x3202; push dword 0x1b; push dword 0x5000; iretd */
                "6a23680088000068023200006a1b6800500000cf");
        assertEquals(0x80, m.vector());
        assertEquals(0x8800, m.stack(3));
        assertEquals(0x3202, m.stack(2) & ~CpuState.RF);
        assertEquals(0, seg(CpuState.DS));
        assertNotEquals(0, m.s.segAr[CpuState.DS] & CpuState.AR_UNUSABLE);
    }

    @Test
    void iretAtUserLevelCannotChangeIfOrIopl() {
        m.user();
        m.go(/* push dword 0x3202; push dword 0x1b; push dword next; iretd next: int 0x80 */ "68023200006a1b680d100000cfcd80");
        assertEquals(0, m.stack(2) & (CpuState.IF | CpuState.IOPL));
    }

    // ---- call gates ----

    @Test
    void callGateCopiesParametersToTheInnerStack() {
        m.bytes(0x5000, "f4");
        m.user().go(/* push dword 0x11; push dword 0x22; call 0x38:0; hlt */ "6a116a229a000000003800f4");
        assertEquals(0x5001, m.s.rip);
        assertEquals(0, m.s.cpl);
        assertEquals(0x1b, m.stack(1));
        assertEquals(0x22, m.stack(2));
        assertEquals(0x11, m.stack(3));
        assertEquals(0x9000 - 8, m.stack(4));
        assertEquals(0x23, m.stack(5));
        assertEquals(0xa000 - 24, m.reg(CpuState.RSP));
    }

    @Test
    void farReturnThroughTheGateReleasesParametersOnBothStacks() {
        m.bytes(0x5000, /* retf 8 */ "ca0800");
        m.user().go(/* push dword 0x11; push dword 0x22; call 0x38:0; int 0x80 */ "6a116a229a000000003800cd80");
        assertEquals(0x80, m.vector());
        assertEquals(0x9000, m.stack(3));
        assertEquals(0x1b, m.stack(1));
    }

    @Test
    void callGateOfHigherPrivilegeRaisesGpOfTheGate() {
        m.user().go(/* call 0x90:0; hlt */ "9a000000009000f4");
        assertEquals(13, m.vector());
        assertEquals(0x90, m.stack(0));
    }

    @Test
    void jumpThroughGateToInnerCodeRaisesGpOfTheCode() {
        m.user().go(/* jmp 0x38:0; hlt */ "ea000000003800f4");
        assertEquals(13, m.vector());
        assertEquals(8, m.stack(0));
    }

    @Test
    void conformingCodeKeepsTheCallersPrivilege() {
        m.bytes(0x5000, /* int 0x80 */ "cd80");
        m.user().go(/* jmp 0x40:0x5000 */ "ea005000004000");
        assertEquals(0x43, m.stack(1));
    }

    @Test
    void farJumpToOtherPrivilegeRaisesGpOfSelector() {
        m.user().go(/* jmp 0x8:0x5000 */ "ea005000000800");
        assertEquals(13, m.vector());
        assertEquals(8, m.stack(0));
    }

    @Test
    void farJumpTo16BitCodeChangesTheOperandSize() {
        m.bytes(0x5000, /* mov eax,0x12345678; hlt */ "66b878563412f4");
        m.go(/* jmp 0x48:0x5000 */ "ea005000004800");
        assertEquals(0x12345678, m.reg(CpuState.RAX));
    }

    @Test
    void innerStackOfWrongPrivilegeRaisesTsOfSelector() {
        m.put32(ProtectedMachine.TSS + 8, ProtectedMachine.DATA3);
        m.gate(ProtectedMachine.IDT + 8 * 10, ProtectedMachine.TASK2, 0, 0x85, 0);
        prepareTask2("f4");
        m.user().go(/* int 0x80; hlt */ "cd80f4");
        assertEquals(0x20, m.get32(0xb000 - 4), "error code on the task's stack");
    }

    @Test
    void sysenterAndSysexitUseFixedFlatSegments() {
        m.s.sysenterCs = 8;
        m.s.sysenterEsp = 0xa800;
        m.s.sysenterEip = 0x5000;
        m.descriptor(0x18, 0, 0xfffff, 0xc0fb);
        m.bytes(0x5000, /* mov edx,0x5800; mov ecx,0x8800; sysexit */ "ba00580000b9008800000f35");
        m.bytes(0x5800, /* int 0x80 */ "cd80");
        m.user().go(/* sysenter */ "0f34");
        assertEquals(0x1b, m.stack(1));
        assertEquals(0x8800, m.stack(3));
        assertEquals(0x23, m.stack(4));
    }

    // ---- virtual-8086 mode ----

    private void enterVm86(int iopl, String code) {
        m.bytes(0x5000, code);
        m.put16(ProtectedMachine.TSS + 0x66, 0x68);
        int flags = CpuState.VM | iopl << 12 | 2;
        String push = "68";
        StringBuilder hex = new StringBuilder();
        for (int value : new int[] {0x400, 0x300, 0x200, 0x100, 0x700, 0x800, flags, 0x500, 0}) {
            hex.append(push).append(String.format("%08x", Integer.reverseBytes(value)));
        }
        m.go(hex + "cf");
    }

    @Test
    void iretEntersVm86AndAnInterruptLeavesItWithAllSegmentsPushed() {
        enterVm86(3, /* mov ax,ds; mov bx,[0x10]; int 0x80 */ "8cd88b1e1000cd80");
        assertEquals(0x80, m.vector());
        assertEquals(0x200, m.reg(CpuState.RAX));
        assertEquals(0xa000 - 36, m.reg(CpuState.RSP));
        assertEquals(0x500, m.stack(1));
        assertNotEquals(0, m.stack(2) & CpuState.VM);
        assertEquals(0x800, m.stack(3));
        assertEquals(0x700, m.stack(4));
        assertEquals(0x100, m.stack(5)); // ES
        assertEquals(0x200, m.stack(6)); // DS
        assertEquals(0x300, m.stack(7)); // FS
        assertEquals(0x400, m.stack(8)); // GS
        assertEquals(0, seg(CpuState.DS));
        assertEquals(0, m.s.rflagsOther & CpuState.VM);
    }

    @Test
    void vm86InterruptFlagInstructionsRaiseGpBelowIopl3() {
        for (String code : new String[] {/* cli */
                "fa", /* sti */ "fb", /* pushf */ "9c", /* popf */ "9d", /* int 0x80 */ "cd80", /* iret */ "cf"}) {
            enterVm86(0, code);
            assertEquals(13, m.vector(), code);
            assertEquals(0, m.stack(0));
            m.user();
            m.flat32();
            m.s.cpl = 0;
            m.s.rflagsOther = 2;
        }
    }

    @Test
    void vm86AddressesAreParagraphsAndLimitedTo64K() {
        m.put16(0x2000 + 0x10, 0xbeef);
        enterVm86(3, /* mov bx,[0x10]; mov ebx,0x10000; mov al,[ebx] */ "8b1e100066bb00000100678a03");
        assertEquals(13, m.vector());
        assertEquals(9 + 1, m.stack(1)); // RIP of the last instruction
    }

    @Test
    void vm86PortsNeedTheBitmapWhateverIoplIs() {
        enterVm86(3, /* in al,0x60 */ "e460");
        assertEquals(13, m.vector());
    }

    /** SDM 3B 20.3.3, method 5. */
    @Test
    void vm86InterruptUnderVmeGoesThroughTheVectorsAtZeroIfItsRedirectionBitIsClear() {
        m.s.cr4 |= CpuState.CR4_VME;
        m.put32(0x21 * 4, 0x05000100);
        m.bytes(0x5100, /* mov bx,0x1234; in al,0x60, which the I/O map forbids */ "bb3412e460");
        enterVm86(3, /* int 0x21 */ "cd21");
        assertEquals(13, m.vector());
        assertEquals(0x1234, m.reg(CpuState.RBX));
        assertEquals(0x103, m.stack(1), "IP of the IN");
        assertEquals(0x500, m.stack(2), "CS of the vector");
        assertEquals(2, m.get16(0x7800 - 6), "IP behind the INT");
        assertEquals(0x500, m.get16(0x7800 - 4), "CS");
        assertEquals(0x3002, m.get16(0x7800 - 2), "FLAGS");
    }

    /** SDM 3B 20.3.3, method 4. */
    @Test
    void vm86InterruptUnderVmeGoesThroughTheIdtIfItsRedirectionBitIsSet() {
        m.s.cr4 |= CpuState.CR4_VME;
        m.bytes(ProtectedMachine.TSS + 0x68 - 0x20 + 0x80 / 8, "01");
        enterVm86(3, /* int 0x80 */ "cd80");
        assertEquals(0x80, m.vector());
        assertEquals(0, m.s.rflagsOther & CpuState.VM);
    }

    @Test
    void protectedModeOnlyInstructionsAreUndefinedInVm86() {
        enterVm86(3, /* sldt ax */ "0f00c0");
        assertEquals(6, m.vector());
    }

    // ---- ports ----

    @Test
    void userPortAccessIsAllowedByTheBitmapOnly() {
        m.s.segLimit[CpuState.TR] = 0x68 + 0x20;
        m.put32(ProtectedMachine.TSS + 0x68 + 0x0c, 0xfffffffeL); // port 0x60
        for (int n = 0; n < 0x0c; n += 4) m.put32(ProtectedMachine.TSS + 0x68 + n, 0xffffffffL);
        m.user().go(/* in al,0x60; in al,0x61; int 0x80 */ "e460e461cd80");
        assertEquals(13, m.vector());
        assertEquals(0x1002, m.stack(1));
    }

    @Test
    void userPortAccessWithIoplNeedsNoBitmap() {
        m.user();
        m.s.rflagsOther |= CpuState.IOPL;
        m.go(/* in al,0x60; int 0x80 */ "e460cd80");
        assertEquals(0x80, m.vector());
    }

    // ---- tasks ----

    private void prepareTask2(String hex) {
        long t = ProtectedMachine.TSS2;
        m.bytes(0x5000, hex);
        m.put32(t + 0x20, 0x5000);
        m.put32(t + 0x24, 2);
        m.put32(t + 0x28, 0xaaaa);
        m.put32(t + 0x38, 0xb000);
        for (int n = 0; n < 6; n++) m.put32(t + 0x48 + 4 * n, n == 1 ? ProtectedMachine.CODE0 : ProtectedMachine.DATA0);
    }

    @Test
    void jumpToTssSavesTheOldTaskAndLoadsTheNew() {
        prepareTask2("f4");
        m.go(/* mov ebx,0x77; jmp 0x30:0 */ "bb77000000ea000000003000");
        assertEquals(0x5001, m.s.rip);
        assertEquals(0xaaaa, m.reg(CpuState.RAX));
        assertEquals(0xb000, m.reg(CpuState.RSP));
        assertEquals(0x30, seg(CpuState.TR));
        assertEquals(0x77, m.get32(ProtectedMachine.TSS + 0x34));
        assertEquals(0x100c, m.get32(ProtectedMachine.TSS + 0x20));
        assertEquals(0x89, m.get8(ProtectedMachine.GDT + 0x28 + 5), "old task no longer busy");
        assertEquals(0x8b, m.get8(ProtectedMachine.GDT + 0x30 + 5), "new task busy");
        assertNotEquals(0, m.s.cr0 & CpuState.CR0_TS);
        assertEquals(0, m.s.rflagsOther & CpuState.NT);
    }

    @Test
    void callToTssNestsAndIretReturns() {
        prepareTask2(/* pushfd; pop ebx; iretd; hlt */ "9c5bcff4");
        m.go(/* mov eax,0x55; call 0x30:0; hlt */ "b8550000009a000000003000f4");
        assertEquals(0x100d, m.s.rip);
        assertEquals(0x55, m.reg(CpuState.RAX));
        assertEquals(0x28, seg(CpuState.TR));
        assertEquals(0x28, m.get16(ProtectedMachine.TSS2), "link");
        assertNotEquals(0, m.get32(ProtectedMachine.TSS2 + 0x34) & CpuState.NT);
        assertEquals(0x89, m.get8(ProtectedMachine.GDT + 0x30 + 5));
        assertEquals(0x8b, m.get8(ProtectedMachine.GDT + 0x28 + 5));
    }

    @Test
    void jumpToBusyTaskRaisesGpOfSelector() {
        m.go(/* jmp 0x28:0 */ "ea000000002800");
        assertEquals(13, m.vector());
        assertEquals(0x28, m.stack(0));
    }

    @Test
    void taskGateInTheIdtSwitchesAndPushesTheErrorCode() {
        m.gate(ProtectedMachine.IDT + 8 * 13, ProtectedMachine.TASK2, 0, 0x85, 0);
        prepareTask2("f4");
        m.go(/* mov ax,0x2000; mov ds,ax */ "66b80020668ed8");
        assertEquals(0x5001, m.s.rip);
        assertEquals(0x2000, m.get32(0xb000 - 4));
        assertEquals(0x1004, m.get32(ProtectedMachine.TSS + 0x20), "EIP of the fault");
        assertNotEquals(0, m.s.rflagsOther & CpuState.NT);
    }

    @Test
    void taskGateThroughJumpWorksFromUserWhenItsDplAllows() {
        prepareTask2("f4");
        m.user().go(/* jmp 0x70:0 */ "ea000000007000");
        assertEquals(0x5001, m.s.rip);
        assertEquals(0, m.s.cpl);
    }

    /** The emulator meets one in the moments after CR0.PE was set, when the processor cannot run the guest yet. */
    @Test
    void emulateOneSwitchesTasksToo() {
        prepareTask2("f4");
        m.code(ProtectedMachine.CODE, /* jmp 0x30:0 */ "ea000000003000");
        assertEquals(Emulator.CONTINUE, m.emulator.emulateOne(m.v, new TestOps(m)));
        assertEquals(0x5000, m.s.rip);
        assertEquals(0x30, seg(CpuState.TR));
        assertEquals(0x1007, m.get32(ProtectedMachine.TSS + 0x20), "EIP of the old task");
        assertEquals(0x8b, m.get8(ProtectedMachine.GDT + 0x30 + 5), "new task busy");
    }

    @Test
    void badSegmentOfTheNewTaskRaisesTsInTheNewTask() {
        prepareTask2("f4");
        m.put32(ProtectedMachine.TSS2 + 0x54, 0x2000); // DS beyond the GDT
        m.go(/* jmp 0x30:0 */ "ea000000003000");
        assertEquals(10, m.vector());
        assertEquals(0x2000, m.stack(0));
        assertEquals(0x5000, m.stack(1));
        assertEquals(0x30, seg(CpuState.TR));
        assertTrue(m.reg(CpuState.RSP) < 0xb000);
    }

    @Test
    void debugFlagOfTheNewTssRaisesDbWithBt() {
        prepareTask2("90f4");
        m.put16(ProtectedMachine.TSS2 + 0x64, 1);
        m.go(/* jmp 0x30:0 */ "ea000000003000");
        assertEquals(1, m.vector());
        assertEquals(0x5000, m.stack(0));
        assertNotEquals(0, m.s.dr[6] & 1 << 15);
    }
}
