package org.backplane.x86.emulate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.Emulator;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Exceptions: which one, with what error code, and what has not happened when it is raised (SDM 3A 6.15). */
class FaultTest {
    private final ProtectedMachine m = new ProtectedMachine();

    @AfterEach
    void close() {
        m.close();
    }

    /** Identity-mapped pages up to 0x40000; page tables at 0x20000. The flags of a page can be changed by {@link #page}. */
    private void paging() {
        m.put32(0x20000, 0x21007);
        for (int n = 0; n < 64; n++) m.put32(0x21000 + 4 * n, n << 12 | 7);
        m.s.cr3 = 0x20000;
        m.s.cr0 |= CpuState.CR0_PG | CpuState.CR0_WP;
    }

    private void page(int n, int flags) {
        m.put32(0x21000 + 4L * n, (long) n << 12 | flags);
    }

    // ---- events ----

    /** A machine whose stack page is never translated; with the third question it wants the engine to leave. */
    @Test
    @Timeout(value = 10, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void whoAsksToLeaveEndsADeliveryThatIsTriedAgainAndAgain() {
        try (TestMachine never = new TestMachine(0x10000) {
            int asked;

            @Override
            public long translate(VcpuContext v, long gva, int access) {
                if (gva >>> 12 != 8) return super.translate(v, gva, access);
                if (++asked == 3) v.leave = true;
                return T_RETRY;
            }
        }) {
            never.real16();
            never.s.gpr[CpuState.RSP] = 0x9000;
            never.s.rip = 0x1234;
            int event = CpuState.INFO_VALID | CpuState.TYPE_EXTERNAL | 0x20;
            assertEquals(Intercepts.EXIT, never.emulator.deliver(never.v, event, 0, 0));
            assertEquals(event, never.s.vectoringInfo, "it is delivered by the next entry");
            assertEquals(0x1234, never.s.rip);
        }
    }

    // ---- page faults ----

    @Test
    void readOfAnAbsentPageHasErrorCode0AndSetsCr2() {
        paging();
        page(0x10, 6);
        m.go(/* mov eax,[0x10123]; hlt */ "a123010100f4");
        assertEquals(14, m.vector());
        assertEquals(0, m.stack(0));
        assertEquals(0x1000, m.stack(1));
        assertEquals(0x10123, m.s.cr2);
    }

    @Test
    void writeToAReadOnlyPageHasErrorCode3AndReadModifyWriteTells() {
        paging();
        page(0x10, 5);
        m.go(/* mov [0x10123],eax; hlt */ "a323010100f4");
        assertEquals(3, m.stack(0));
        m.s.gpr[CpuState.RSP] = 0x9000;
        m.go(/* add dword [0x10123],1; hlt */ "83052301010001f4");
        assertEquals(3, m.stack(0));
    }

    @Test
    void userAccessToASupervisorPageHasErrorCode5And7() {
        paging();
        page(0x10, 3);
        m.user().go(/* mov eax,[0x10000]; hlt */ "a100000100f4");
        assertEquals(5, m.stack(0));
        m.user();
        m.s.gpr[CpuState.RSP] = 0x9000;
        m.go(/* inc dword [0x10000]; hlt */ "ff0500000100f4");
        assertEquals(7, m.stack(0));
    }

    @Test
    void writeAcrossPagesStoresNothingWhenTheSecondFaults() {
        paging();
        page(0x11, 6);
        m.put32(0x10ffc, 0x55555555);
        m.go(/* mov dword [0x10ffe],0xffffffff; hlt */ "c705fe0f0100fffffffff4");
        assertEquals(14, m.vector());
        assertEquals(0x11000, m.s.cr2);
        assertEquals(0x55555555, m.get32(0x10ffc));
    }

    @Test
    void pushThatFaultsLeavesEsp() {
        paging();
        page(0x10, 6);
        m.s.gpr[CpuState.RBP] = 0x11000;
        m.gate(ProtectedMachine.IDT + 8 * 14, ProtectedMachine.CODE0, 0x5000, 0x8e, 0);
        m.user();
        m.s.gpr[CpuState.RSP] = 0x11000;
        m.bytes(0x5000, "f4");
        m.go(/* push eax; hlt */ "50f4");
        assertEquals(0x5001, m.s.rip);
        assertEquals(6, m.stack(0));
        assertEquals(0x11000, m.stack(4), "user ESP");
    }

    @Test
    void stringInstructionThatFaultsKeepsWhatIsDone() {
        paging();
        page(0x11, 6);
        m.go(/* mov edi,0x10f00; mov ecx,0x100; mov al,0x77; rep stosb; hlt */ "bf000f0100b900010000b077f3aaf4");
        m.s.gpr[CpuState.RSP] = 0x9000;
        m.go(/* mov edi,0x10f80; mov ecx,0x200; mov al,0x66; rep stosd; hlt */ "bf800f0100b900020000b066f3abf4");
        assertEquals(14, m.vector());
        assertEquals(0x11000, m.reg(CpuState.RDI));
        assertEquals(0x200 - 0x20, m.reg(CpuState.RCX));
        assertEquals(0x100c, m.stack(1));
        assertEquals(0x66, m.get8(0x10ffc));
    }

    @Test
    void fetchFromAnAbsentPageFaultsWithThatAddress() {
        paging();
        page(0x11, 6);
        m.bytes(0x10ffe, "b844");
        m.go(/* jmp 0x10ffe */ "e9f9ff0000");
        assertEquals(14, m.vector());
        assertEquals(0x11000, m.s.cr2);
        assertEquals(0x10ffe, m.stack(1));
    }

    // ---- other exceptions ----

    private void raises(int vector, String hex) {
        m.s.gpr[CpuState.RSP] = 0x9000;
        m.go(hex);
        assertEquals(vector, m.vector(), hex);
    }

    @Test
    void divisionByZeroAndOverflowRaiseDeAndChangeNothing() {
        m.s.gpr[CpuState.RDX] = 5;
        raises(0, /* xor ebx,ebx; div ebx */ "31dbf7f3");
        raises(0, /* mov ebx,2; div ebx */ "bb02000000f7f3");
        assertEquals(5, m.reg(CpuState.RDX));
        raises(0, /* mov eax,0x80000000; cdq; mov ebx,-1; idiv ebx */ "b80000008099bbfffffffff7fb");
        raises(0, /* aam 0 */ "d400");
    }

    @Test
    void boundOverflowAndBreakpointRaiseTheirExceptions() {
        m.put32(0x4000, 5);
        m.put32(0x4004, 9);
        raises(5, /* mov eax,10; bound eax,[0x4000] */ "b80a000000620500400000");
        raises(4, /* mov al,0x7f; inc al; into */ "b07ffec0ce");
        assertEquals(0x1005, m.stack(0), "a trap");
        raises(3, /* int3 */ "cc");
        assertEquals(0x1001, m.stack(0));
    }

    @Test
    void undefinedOpcodesRaiseUd() {
        raises(6, /* ud2 */ "0f0b");
        raises(6, "0f04");
        raises(6, "8ec8"); // MOV CS,AX
        raises(6, "c4c0"); // LES with a register
        raises(6, "fff8"); // FF /7
        raises(6, "0faa"); // RSM outside of SMM
    }

    @Test
    void lockIsUndefinedWhereTheTableDoesNotAllowIt() {
        raises(6, "f001d8"); // LOCK ADD EAX,EBX: no memory
        raises(6, "f08b03"); // LOCK MOV
        raises(6, "f0a7");
        m.go(/* mov dword [0x4000],1; lock inc dword [0x4000]; hlt */ "c7050040000001000000f0ff0500400000f4");
        assertEquals(2, m.get32(0x4000));
    }

    @Test
    void instructionOfSixteenBytesRaisesGp() {
        raises(13, "66".repeat(15) + "90");
        m.go("66".repeat(14) + "90f4");
        assertEquals(-1, m.vector());
    }

    @Test
    void fpuInstructionsRaiseNmByCr0() {
        m.s.cr0 |= CpuState.CR0_TS;
        raises(7, /* fld1 */ "d9e8");
        m.s.cr0 &= ~CpuState.CR0_TS;
        m.s.cr0 |= CpuState.CR0_EM;
        raises(7, /* fld1 */ "d9e8");
        raises(6, /* emms */ "0f77");
    }

    @Test
    void waitRaisesNmOnlyWithMpAndTs() {
        m.s.cr0 |= CpuState.CR0_TS;
        m.go(/* wait; hlt */ "9bf4");
        assertEquals(-1, m.vector());
        m.s.cr0 |= CpuState.CR0_MP;
        raises(7, /* wait; hlt */ "9bf4");
    }

    @Test
    void unmaskedFpuExceptionIsRaisedByTheNextWaitingInstruction() {
        m.s.cr0 |= CpuState.CR0_NE;
        m.put32(0x4000, 0x37b); // zero divide unmasked
        raises(16, /* fninit; fldcw [0x4000]; fld1; fldz; fdivp st1,st0; fnop; hlt */ "dbe3d92d00400000d9e8d9eedef9d9d0f4");
        assertEquals(0x1000 + 2 + 6 + 2 + 2 + 2, m.stack(0));
    }

    @Test
    void alignmentIsCheckedAtUserLevelWithAmAndAc() {
        m.s.cr0 |= CpuState.CR0_AM;
        m.s.rflagsOther |= CpuState.AC;
        m.go(/* mov eax,[0x4001]; hlt */ "a101400000f4");
        assertEquals(-1, m.vector());
        m.user();
        raises(17, /* mov eax,[0x4001]; hlt */ "a101400000f4");
        assertEquals(0, m.stack(0));
        m.user();
        m.go(/* mov eax,[0x4004]; mov ax,[0x4002]; int 0x80 */ "a10440000066a102400000cd80");
        assertEquals(0x80, m.vector());
    }

    @Test
    void privilegedInstructionsRaiseGpAtUserLevel() {
        String[] privileged = {
            /* hlt */
                    "f4", /* mov eax,cr0 */ "0f20c0", /* mov eax,dr7 */ "0f21f8", /* lgdt [0x4000] */ "0f011500400000", /* invlpg [0x4000] */ "0f013d00400000", /* clts */ "0f06", /* wbinvd */ "0f09", /* cli */ "fa", /* rdmsr */ "0f32", /* lmsw ax */ "0f01f0"
        };
        for (String code : privileged) {
            m.user();
            raises(13, code);
            assertEquals(0, m.stack(0));
        }
    }

    // ---- double and triple faults ----

    @Test
    void contributoryFaultInDeliveryBecomesADoubleFaultWithErrorCode0() {
        m.gate(ProtectedMachine.IDT + 8 * 13, ProtectedMachine.CODE0, 0x60d0, 0x0e, 0); // #GP: gate absent
        m.go(/* mov ax,0x2000; mov ds,ax */ "66b80020668ed8");
        assertEquals(8, m.vector());
        assertEquals(0, m.stack(0));
        assertEquals(0x1004, m.stack(1));
    }

    @Test
    void benignExceptionInDeliveryIsFollowedByTheFaultItself() {
        m.gate(ProtectedMachine.IDT + 8 * 6, 0x2000, 0x6060, 0x8e, 0); // #UD: bad selector
        m.go(/* ud2 */ "0f0b");
        assertEquals(13, m.vector());
        assertEquals(0x2001, m.stack(0));
    }

    @Test
    void faultInADoubleFaultIsATripleFault() {
        m.s.idtLimit = 0;
        m.code(0x1000, /* ud2 */ "0f0b");
        assertEquals(Emulator.EXITED, m.runToHalt());
        assertTrue(m.log.contains("triple fault"));
    }

    @Test
    void exceptionBitmapAsksTheBackendWithTheStateOfTheFault() {
        m.v.exceptionBitmap = 1 << 13;
        m.go(/* nop; mov ax,0x2000; mov ds,ax */ "9066b80020668ed8");
        assertEquals("#13 2000", m.log.get(0));
        assertEquals(2, m.v.instructions - 1); // two before the fault, one HLT after it
    }

    @Test
    void faultsPushRfAndTrapsDoNot() {
        raises(6, /* ud2 */ "0f0b");
        assertNotEquals(0, m.stack(2) & CpuState.RF);
        raises(3, /* int3 */ "cc");
        assertEquals(0, m.stack(2) & CpuState.RF);
    }
}
