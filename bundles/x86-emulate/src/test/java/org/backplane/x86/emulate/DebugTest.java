package org.backplane.x86.emulate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.util.ArrayList;
import java.util.List;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.Emulator;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Single step, debug registers, interrupt shadows and windows (SDM 3B 17.2, 17.3; 3A 6.8). */
class DebugTest {
    private final ProtectedMachine m = new ProtectedMachine();

    @AfterEach
    void close() {
        m.close();
    }

    /** A #DB handler that notes where it came from and returns: the return addresses, in order. */
    private List<Long> traps(String hex) {
        m.put32(0x7f00, 0x7000);
        m.bytes(0x5000, /* push eax; push ebx; mov eax,[0x7f00]; mov ebx,[esp+8]; mov [eax],ebx; add dword [0x7f00],4; pop ebx; pop eax; iretd */
                "5053a1007f00008b5c240889188305007f0000045b58cf");
        m.gate(ProtectedMachine.IDT + 8, ProtectedMachine.CODE0, 0x5000, 0x8e, 0);
        m.go(hex);
        List<Long> list = new ArrayList<>();
        for (long a = 0x7000; a < m.get32(0x7f00); a += 4) list.add(m.get32(a) - 0x1000);
        return list;
    }

    @Test
    void trapFlagTrapsAfterEachInstructionButNotAfterTheOneThatSetsIt() {
        List<Long> t = traps(/* pushfd; or dword [esp],0x100; popfd; nop; inc eax; pushfd; and dword [esp],~0x100; popfd; nop; hlt */
                "9c810c24000100009d90409c812424fffeffff9d90f4");
        // popfd ends at 0x9: no trap there; nop, inc, pushfd, and, popfd trap.
        assertEquals(List.of(0xaL, 0xbL, 0xcL, 0x13L, 0x14L), t);
        assertNotEquals(0, m.s.dr[6] & 1 << 14);
    }

    @Test
    void movSsHoldsTheTrapBackForOneInstruction() {
        m.s.rflagsOther |= CpuState.TF;
        List<Long> t = traps(/* mov ecx,ss; mov ss,ecx; nop; pushfd; and dword [esp],~0x100; popfd; hlt */
                "8cd18ed1909c812424fffeffff9df4");
        assertEquals(List.of(2L, 5L, 6L, 0xdL, 0xeL), t);
    }

    @Test
    void repeatedStringInstructionTrapsAfterEachElement() {
        m.s.rflagsOther |= CpuState.TF;
        List<Long> t = traps(/* mov ecx,3; mov edi,0x4000; rep stosb; pushfd; and dword [esp],~0x100; popfd; hlt */
                "b903000000bf00400000f3aa9c812424fffeffff9df4");
        assertEquals(List.of(5L, 0xaL, 0xaL, 0xaL, 0xcL, 0xdL, 0x14L, 0x15L), t);
        assertEquals(0, m.reg(CpuState.RCX));
    }

    @Test
    void interruptInstructionUnderTfIsNotFollowedByATrap() {
        m.s.rflagsOther |= CpuState.TF;
        m.go(/* int 0x21 */ "cd21");
        assertEquals(0x21, m.vector());
        assertNotEquals(0, m.stack(2) & CpuState.TF);
        assertEquals(0, m.s.rflagsOther & CpuState.TF);
    }

    @Test
    void instructionBreakpointFaultsBeforeAndRfResumes() {
        m.s.dr[0] = 0x1005;
        m.s.dr[7] = 0x401;
        m.go(/* mov eax,5; inc eax; hlt */ "b80500000040f4");
        assertEquals(1, m.vector());
        assertEquals(0x1005, m.stack(0));
        assertEquals(5, m.reg(CpuState.RAX));
        assertEquals(1, m.s.dr[6] & 0xf);
        assertEquals(0, m.stack(2) & CpuState.RF, "the image of an instruction breakpoint has RF as it was");
        // The handler sets RF in the image and returns: the instruction runs.
        m.put32(m.reg(CpuState.RSP) + 8, m.stack(2) | CpuState.RF);
        m.code(0x5000, "cf");
        m.runToHalt();
        assertEquals(6, m.reg(CpuState.RAX));
        assertEquals(-1, m.vector());
        assertEquals(0, m.s.rflagsOther & CpuState.RF);
    }

    @Test
    void dataBreakpointTrapsAfterTheWrite() {
        m.s.dr[1] = 0x4000;
        m.s.dr[7] = 0x400 | 1 << 2 | 0xdL << 20; // DR1, local, writes, 4 bytes
        m.go(/* mov eax,[0x4000]; mov byte [0x4004],1; mov byte [0x4003],7; nop; hlt */
                "a100400000c6050440000001c605034000000790f4");
        assertEquals(1, m.vector());
        assertEquals(0x1000 + 5 + 7 + 7, m.stack(0));
        assertEquals(7, m.get8(0x4003));
        assertEquals(2, m.s.dr[6] & 0xf);
    }

    @Test
    void accessToDebugRegistersUnderGdFaultsAndClearsIt() {
        m.s.dr[7] = 0x2400;
        m.go(/* mov eax,dr0; hlt */ "0f21c0f4");
        assertEquals(1, m.vector());
        assertEquals(0x1000, m.stack(0));
        assertNotEquals(0, m.s.dr[6] & 1 << 13);
        assertEquals(0, m.s.dr[7] & 0x2000);
    }

    @Test
    void dr4IsDr6WithoutDebugExtensionsAndUndefinedWithThem() {
        m.go(/* mov eax,dr4; hlt */ "0f21e0f4");
        assertEquals(0xffff0ff0L, m.reg(CpuState.RAX));
        m.s.cr4 |= CpuState.CR4_DE;
        m.go(/* mov eax,dr4; hlt */ "0f21e0f4");
        assertEquals(6, m.vector());
    }

    @Test
    void ioBreakpointTrapsWithDebugExtensions() {
        m.s.cr4 |= CpuState.CR4_DE;
        m.s.dr[0] = 0x60;
        m.s.dr[7] = 0x401 | 2 << 16;
        m.go(/* in al,0x61; in al,0x60; nop; hlt */ "e461e46090f4");
        assertEquals(1, m.vector());
        assertEquals(0x1004, m.stack(0));
    }

    /** A machine that wants an interrupt and notes where it may have it. */
    private static final class Windows extends TestMachine {
        final List<Long> open = new ArrayList<>();

        Windows() {
            super(0x20000);
            flat32();
            v.interruptWindow = true;
        }

        @Override
        public int interruptWindow(VcpuContext v) {
            open.add(s.rip);
            v.interruptWindow = false;
            return DONE;
        }
    }

    @Test
    void interruptWindowOpensOneInstructionAfterSti() {
        try (Windows w = new Windows()) {
            w.code(0x1000, /* nop; sti; nop; nop; hlt */ "90fb9090f4");
            w.runToHalt();
            assertEquals(List.of(0x1003L), w.open);
        }
    }

    @Test
    void stiFollowedByHltLetsHltRunFirst() {
        try (Windows w = new Windows()) {
            w.code(0x1000, /* sti; hlt */ "fbf4");
            assertEquals(Emulator.HALTED, w.runToHalt());
            assertEquals(CpuState.HLT, w.s.activity);
            assertEquals(0x1002, w.s.rip);
        }
    }

    @Test
    void movSsKeepsTheWindowShutForOneInstruction() {
        try (Windows w = new Windows()) {
            w.s.rflagsOther |= CpuState.IF;
            w.s.blocking = CpuState.BLOCKING_MOV_SS;
            w.code(0x1000, /* mov esp,0x8000; nop; hlt */ "bc0080000090f4");
            w.runToHalt();
            assertEquals(List.of(0x1005L), w.open);
        }
    }

    @Test
    void popfThatSetsIfOpensTheWindowAtOnce() {
        try (Windows w = new Windows()) {
            w.code(0x1000, /* push dword 0x202; popfd; nop; hlt */ "68020200009d90f4");
            w.runToHalt();
            assertEquals(List.of(0x1006L), w.open);
        }
    }
}
