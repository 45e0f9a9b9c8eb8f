package org.backplane.x86.emulate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.Emulator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Limits, types, presence and privilege of segments (SDM 3A 5.3 to 5.7), in protected and in real mode. */
class SegmentationTest {
    private final ProtectedMachine m = new ProtectedMachine();

    @AfterEach
    void close() {
        m.close();
    }

    /** Runs, and demands an exception with this error code (-1: none is pushed) raised at this offset. */
    private void faults(int vector, int error, long rip, String hex) {
        m.go(hex);
        assertEquals(vector, m.vector());
        if (error >= 0) assertEquals(error, m.stack(0), "error code");
        assertEquals(rip, m.stack(error >= 0 ? 1 : 0), "RIP of the fault");
    }

    @Test
    void accessThatEndsAtTheLimitIsAllowed() {
        m.go(/* mov ax,0x60; mov ds,ax; mov eax,[0xffc]; hlt */ "66b86000668ed8a1fc0f0000f4");
        assertEquals(-1, m.vector());
    }

    @Test
    void accessThatEndsBeyondTheLimitRaisesGp0() {
        faults(13, 0, 0x1007, /* mov ax,0x60; mov ds,ax; mov eax,[0xffd]; hlt */ "66b86000668ed8a1fd0f0000f4");
    }

    @Test
    void stackAccessBeyondTheLimitRaisesSs0() {
        m.s.gpr[CpuState.RSP] = 0x800;
        faults(12, 0, 0x100c, /* mov ax,0x60; mov ebx,0x1000; mov ss,ax; mov eax,[ebp+ebx-0x1]; hlt */
                "66b86000bb00100000668ed08b441dfff4");
    }

    @Test
    void popBeyondTheStackLimitRaisesSs0AndLeavesEsp() {
        m.s.gpr[CpuState.RSP] = 0xffe;
        m.s.segBase[CpuState.SS] = 0x8000;
        m.s.segLimit[CpuState.SS] = 0xfff;
        m.gate(ProtectedMachine.IDT + 12 * 8, ProtectedMachine.TASK2, 0, 0x85, 0);
        prepareTask2();
        m.go(/* pop eax; hlt */ "58f4");
        assertEquals(0xffe, m.get32(ProtectedMachine.TSS + 0x38), "ESP in the old task");
    }

    private void prepareTask2() {
        long t = ProtectedMachine.TSS2;
        m.put32(t + 0x20, 0x5800);
        m.put32(t + 0x24, 2);
        m.put32(t + 0x38, 0xb000);
        for (int n = 0; n < 6; n++) m.put32(t + 0x48 + 4 * n, n == 1 ? ProtectedMachine.CODE0 : ProtectedMachine.DATA0);
        m.bytes(0x5800, "f4");
    }

    @Test
    void writeToReadOnlyDataRaisesGp0() {
        faults(13, 0, 0x1007, /* mov ax,0x88; mov ds,ax; mov [0x4000],eax; hlt */ "66b88800668ed8a300400000f4");
    }

    @Test
    void writeToCodeSegmentRaisesGp0() {
        faults(13, 0, 0x1000, /* mov [cs:0x4000],eax; hlt */ "2ea300400000f4");
    }

    @Test
    void readOfExecuteOnlyCodeRaisesGp0() {
        m.s.segSel[CpuState.CS] = ProtectedMachine.EXECUTE_ONLY;
        m.s.segAr[CpuState.CS] = 0xc099;
        faults(13, 0, 0x1000, /* mov eax,[cs:0x4000]; hlt */ "2ea100400000f4");
    }

    @Test
    void loadingExecuteOnlyCodeIntoDsRaisesGpOfSelector() {
        faults(13, 0x80, 0x1004, /* mov ax,0x80; mov ds,ax; hlt */ "66b88000668ed8f4");
    }

    @Test
    void expandDownSegmentAllowsOnlyOffsetsAboveItsLimit() {
        m.go(/* mov ax,0x68; mov ds,ax; mov eax,[0x8000]; hlt */ "66b86800668ed8a100800000f4");
        assertEquals(-1, m.vector());
        faults(13, 0, 0x1007, /* mov ax,0x68; mov ds,ax; mov eax,[0x7fff]; hlt */ "66b86800668ed8a1ff7f0000f4");
    }

    @Test
    void nullSelectorMayBeLoadedButNotUsed() {
        faults(13, 0, 0x1005, /* xor eax,eax; mov es,ax; mov eax,[es:0x4000]; hlt */ "31c0668ec026a100400000f4");
    }

    @Test
    void nullSelectorInSsRaisesGp0() {
        faults(13, 0, 0x1002, /* xor eax,eax; mov ss,ax; hlt */ "31c0668ed0f4");
    }

    @Test
    void absentDataSegmentRaisesNpAndAbsentStackSs() {
        faults(11, 0x58, 0x1004, /* mov ax,0x58; mov ds,ax; hlt */ "66b85800668ed8f4");
        faults(12, 0x58, 0x1004, /* mov ax,0x58; mov ss,ax; hlt */ "66b85800668ed0f4");
    }

    @Test
    void stackSegmentOfOtherPrivilegeRaisesGpOfSelector() {
        faults(13, 0x20, 0x1004, /* mov ax,0x23; mov ss,ax; hlt */ "66b82300668ed0f4");
    }

    @Test
    void selectorBeyondTheTableRaisesGpOfSelector() {
        faults(13, 0xa0, 0x1004, /* mov ax,0xa0; mov fs,ax; hlt */ "66b8a000668ee0f4");
    }

    @Test
    void userMayNotLoadSupervisorData() {
        m.user();
        faults(13, 0x10, 0x1004, /* mov ax,0x10; mov ds,ax; hlt */ "66b81000668ed8f4");
    }

    @Test
    void loadSetsTheAccessedBitInMemory() {
        m.descriptor(ProtectedMachine.READ_ONLY, 0, 0xfffff, 0xc090);
        m.go(/* mov ax,0x88; mov ds,ax; hlt */ "66b88800668ed8f4");
        assertEquals(0x91, m.get8(ProtectedMachine.GDT + ProtectedMachine.READ_ONLY + 5));
    }

    @Test
    void ldtSelectorsComeFromTheLdt() {
        m.put64(ProtectedMachine.LDT + 8, ProtectedMachine.descriptor(0x4000, 0xfff, 0x4093));
        m.put32(0x4010, 0xcafe);
        m.go(/* mov ax,0x50; lldt ax; mov ax,0xc; mov ds,ax; mov eax,[0x10]; hlt */ "66b850000f00d066b80c00668ed8a110000000f4");
        assertEquals(0xcafe, m.reg(CpuState.RAX));
    }

    @Test
    void jumpBeyondTheCodeLimitFaultsAtTheJump() {
        faults(13, 0, 0x1007, /* jmp 0x98:next next: jmp 0x2001; hlt */ "ea071000009800e9f50f0000f4");
    }

    @Test
    void instructionThatCrossesTheCodeLimitFaults() {
        m.bytes(0x1ffe, "90b844332211");
        faults(13, 0, 0x1fff, /* jmp 0x98:0x1ffe */ "eafe1f00009800");
    }

    @Test
    void wrongTypesForLtrAndLldtRaiseGpOfSelector() {
        faults(13, 0x10, 0x1004, /* mov ax,0x10; ltr ax; hlt */ "66b810000f00d8f4");
        faults(13, 0x28, 0x1004, /* mov ax,0x28; ltr ax; hlt */ "66b828000f00d8f4"); // busy
        faults(13, 0x10, 0x1004, /* mov ax,0x10; lldt ax; hlt */ "66b810000f00d0f4");
    }

    @Test
    void larLslVerrVerwSetZfForVisibleDescriptorsOnly() {
        m.user();
        m.s.gpr[CpuState.RSP] = ProtectedMachine.STACK;
        m.go(/* mov ax,0x23; lar ebx,ax; sete cl; lsl edx,ax; mov ax,0x10; verr ax; setne ch; mov ax,0x1b; verw ax; sete ah; int 0x80 */
                "66b823000f02d80f94c10f03d066b810000f00e00f95c566b81b000f00e80f94c4cd80");
        assertEquals(0x00c0f300, m.reg(CpuState.RBX) & 0x00f0ff00);
        assertEquals(0xffffffffL, m.reg(CpuState.RDX));
        assertEquals(0x0101, m.reg(CpuState.RCX) & 0xffff);
        assertEquals(0, m.reg(CpuState.RAX) >> 8 & 0xff);
    }

    @Test
    void arplRaisesTheRplOfItsDestination() {
        m.go(/* mov eax,0x10; mov ebx,0x3; arpl ax,bx; hlt */ "b810000000bb0300000063d8f4");
        assertEquals(0x13, m.reg(CpuState.RAX));
        assertEquals(true, m.s.zf());
    }

    // ---- real mode ----

    private TestMachine real() {
        TestMachine r = new TestMachine(0x20000).real16();
        for (int n = 0; n < 256; n++) r.put32(4L * n, 0x6000 + 16 * n);
        for (int n = 0; n < 256; n++) r.bytes(0x6000 + 16 * n, "f4");
        return r;
    }

    @Test
    void realModeWordAtTheEndOfTheSegmentRaisesGpWithoutErrorCode() {
        try (TestMachine r = real()) {
            r.code(0x1000, /* mov bx,0xffff; mov ax,[bx]; hlt */ "bbffff8b07f4");
            r.runToHalt();
            assertEquals(0x6000 + 16 * 13 + 1, r.s.rip);
            assertEquals(0x1003, r.get16(r.reg(CpuState.RSP)));
            assertEquals(0x7ffa, r.reg(CpuState.RSP));
        }
    }

    @Test
    void realModeKeepsTheLimitOfProtectedModeInUnrealMode() {
        try (TestMachine r = real()) {
            r.s.segLimit[CpuState.DS] = 0xffffffffL;
            r.put32(0x18000, 0x12345678);
            r.code(0x1000, /* xor ax,ax; mov ds,ax; mov ebx,0x18000; mov eax,[ebx]; hlt */ "31c08ed866bb0080010066678b03f4");
            r.runToHalt();
            assertEquals(0x12345678, r.reg(CpuState.RAX));
        }
    }

    @Test
    void realModeInterruptPushesFlagsCsIpAndClearsIf() {
        try (TestMachine r = real()) {
            r.code(0x1000, /* sti; int 0x21; hlt */ "fbcd21f4");
            assertEquals(Emulator.HALTED, r.runToHalt());
            assertEquals(0x6000 + 16 * 0x21 + 1, r.s.rip);
            long sp = r.reg(CpuState.RSP);
            assertEquals(0x1003, r.get16(sp));
            assertEquals(0, r.get16(sp + 2));
            assertNotEquals(0, r.get16(sp + 4) & CpuState.IF);
            assertEquals(0, r.s.rflagsOther & CpuState.IF);
        }
    }

    @Test
    void loadingCr0PeThenFarJumpEntersProtectedMode() {
        try (TestMachine r = real()) {
            r.put64(0x2008, ProtectedMachine.descriptor(0, 0xfffff, 0xc09b));
            r.put64(0x2010, ProtectedMachine.descriptor(0, 0xfffff, 0xc093));
            r.bytes(0x3000, "1700 00200000");
            r.code(0x1000, /* lgdt [0x3000]; mov eax,cr0; or al,1; mov cr0,eax; jmp dword 8:pm bits 32 pm: mov ax,0x10; mov ds,ax; mov eax,[0x3002]; hlt */
                    "0f011600300f20c00c010f22c066ea15100000080066b81000668ed8a102300000f4");
            r.runToHalt();
            assertEquals(0x2000, r.reg(CpuState.RAX));
            assertEquals(8, r.s.segSel[CpuState.CS]);
        }
    }
}
