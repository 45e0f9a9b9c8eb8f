package org.backplane.kvm.core.vm;

import static org.backplane.kvm.core.vm.RealModeVm.WAYS;
import static org.backplane.kvm.core.vm.RealModeVm.pad;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.backplane.kvm.api.KvmRegs;
import org.backplane.kvm.api.KvmRun.Exit;
import org.backplane.kvm.spi.cpu.RealMode;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The guest's own debug registers in real mode, whoever runs it (SDM 3B 17.2). Each handler of #DB is at 80h; its INC CX counts. */
@Timeout(value = 10, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class RealModeDebugTest {
    /** Vector 1 is 0100:0080. */
    private static final String VECTOR = "c706 0400 8000 c706 0600 0001";

    private static final String READ_DR6 = "0f21f2"; // mov edx,dr6

    private final RealModeVm machine = new RealModeVm();

    @AfterEach
    void close() {
        machine.close();
    }

    private void run(String mmu, RealMode mode, String code, String handler) {
        machine.boot(mmu, mode, pad(VECTOR + code, 0x80) + handler);
        machine.run(Exit.HLT);
        assertEquals(0x8000, machine.word(KvmRegs.RSP), "back from the handler");
    }

    private long pushedIp() {
        return machine.vm.memory().read(0x7ffa, 2);
    }

    /** Sets DR0 and DR7 (the low word of it). */
    private static String breakpoint(int address, int control) {
        return "66b8" + dword(address) + "0f23c0 66b8" + dword(control) + "0f23f8";
    }

    private static String dword(int value) {
        return String.format("%08x", Integer.reverseBytes(value));
    }

    @ParameterizedTest
    @CsvSource(textBlock = WAYS)
    void anInstructionBreakpointFaultsBeforeItsInstruction(String mmu, RealMode mode) {
        // nop; inc bx at 1fh; hlt   handler: inc cx; mov edx,dr6; mov dr7,0; iret
        run(mmu, mode, breakpoint(0x101f, 0x401) + "90 43 f4", "41" + READ_DR6 + "6631c0 0f23f8 cf");
        assertEquals(1, machine.word(KvmRegs.RCX));
        assertEquals(1, machine.word(KvmRegs.RBX), "and the instruction runs afterwards");
        assertEquals(1, machine.word(KvmRegs.RDX) & 0xf, "B0");
        assertEquals(0x1f, pushedIp());
    }

    /** The handler returns by IRETD with RF in the image, and leaves the breakpoint on. */
    @ParameterizedTest
    @CsvSource(textBlock = WAYS)
    void resumeFlagLetsTheInstructionRun(String mmu, RealMode mode) {
        // pop ax; pop si; pop dx; or edx,10000h; push edx; push esi; and eax,ffffh; push eax; iretd
        run(mmu, mode, breakpoint(0x101f, 0x401) + "90 43 f4", "41 58 5e 5a 6681ca00000100 6652 6656 6625ffff0000 6650 66cf");
        assertEquals(1, machine.word(KvmRegs.RCX));
        assertEquals(1, machine.word(KvmRegs.RBX));
    }

    @ParameterizedTest
    @CsvSource(textBlock = WAYS)
    void movSsHoldsAnInstructionBreakpointBack(String mmu, RealMode mode) {
        // mov ax,ss; mov ss,ax; inc bx at 22h; hlt
        run(mmu, mode, breakpoint(0x1022, 0x401) + "8cd0 8ed0 43 f4", "41 cf");
        assertEquals(0, machine.word(KvmRegs.RCX));
    }

    @ParameterizedTest
    @CsvSource(textBlock = WAYS)
    void aDataBreakpointTrapsAfterTheWrite(String mmu, RealMode mode) {
        // mov byte [7000h],5 at 1eh; inc bx; hlt   DR0: writes of one byte
        run(mmu, mode, breakpoint(0x7000, 0x10401) + "c606 0070 05 43 f4", "41" + READ_DR6 + "cf");
        assertEquals(1, machine.word(KvmRegs.RCX));
        assertEquals(1, machine.word(KvmRegs.RDX) & 0xf);
        assertEquals(5, machine.vm.memory().read(0x7000, 1));
        assertEquals(0x23, pushedIp());
    }

    @ParameterizedTest
    @CsvSource(textBlock = WAYS)
    void generalDetectFaultsOnceAndNamesItselfInDr6(String mmu, RealMode mode) {
        // mov dr7,2400h; mov ebx,dr7 at 15h; hlt
        run(mmu, mode, "66b8" + dword(0x2400) + "0f23f8 0f21fb f4", "41" + READ_DR6 + "cf");
        assertEquals(1, machine.word(KvmRegs.RCX));
        assertEquals(1 << 13, machine.word(KvmRegs.RDX) & 0xe00f, "BD alone");
        assertEquals(0x15, pushedIp());
        assertEquals(0x400, machine.word(KvmRegs.RBX), "GD was cleared for the handler");
    }
}
