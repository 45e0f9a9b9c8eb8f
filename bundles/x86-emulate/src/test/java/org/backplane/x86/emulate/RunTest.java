package org.backplane.x86.emulate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.Emulator;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.junit.jupiter.api.Test;

/** The contract of {@link Emulator}: budgets, leaving, what intercepts see, events, code that changes, and single instructions. */
class RunTest {
    private static TestMachine machine() {
        return new TestMachine(0x20000).flat32();
    }

    // ---- budgets and leaving ----

    @Test
    void exactBudgetIsNeverExceeded() {
        try (TestMachine m = machine()) {
            m.code(0x1000, /* again: inc eax; inc ebx; cmp eax,0; jne again; hlt */ "404383f8000f85f5fffffff4");
            for (int n = 1; n < 70; n += 7) {
                long before = m.v.instructions;
                assertEquals(Emulator.BUDGET, m.run(n));
                assertEquals(n, m.v.instructions - before);
            }
        }
    }

    @Test
    void looseBudgetMayEndWithTheBlock() {
        try (TestMachine m = machine()) {
            m.code(0x1000, /* again: inc eax; inc ebx; inc ecx; jmp again */ "404341e9f8ffffff");
            assertEquals(Emulator.BUDGET, m.emulator.run(m.v, 10, false));
            assertEquals(12, m.v.instructions);
            assertEquals(0x1000, m.s.rip);
        }
    }

    @Test
    void interceptsSeeRipLengthInstructionCountAndFlags() {
        String[] seen = new String[1];
        try (TestMachine m = new TestMachine(0x20000) {
            @Override
            public int portOut(VcpuContext v, int port, int size, int value) {
                seen[0] = Long.toHexString(s.rip) + ' ' + v.insnLength + ' ' + v.instructions + ' ' + s.zf() + ' ' + s.gpr[1];
                return DONE;
            }
        }.flat32()) {
            m.code(0x1000, /* mov ecx,7; xor eax,eax; out 0x80,al; inc ecx; hlt */ "b90700000031c0e68041f4");
            m.runToHalt();
            assertEquals("1007 2 2 true 7", seen[0]);
            assertEquals(5, m.v.instructions);
        }
    }

    @Test
    void leaveIsObeyedAfterTheInstructionThatCalledOut() {
        try (TestMachine m = new TestMachine(0x20000) {
            @Override
            public int portOut(VcpuContext v, int port, int size, int value) {
                v.leave = true;
                return DONE;
            }
        }.flat32()) {
            m.code(0x1000, /* out 0x80,al; inc ecx; hlt */ "e68041f4");
            assertEquals(Emulator.LEFT, m.runToHalt());
            assertEquals(0x1002, m.s.rip);
            assertEquals(0, m.reg(CpuState.RCX));
            assertEquals(1, m.v.instructions);
        }
    }

    @Test
    void exitLeavesTheInstructionToBeRestarted() {
        int[] calls = new int[1];
        try (TestMachine m = new TestMachine(0x20000) {
            @Override
            public int portIn(VcpuContext v, int port, int size) {
                v.ioValue = 0x42;
                return calls[0]++ == 0 ? EXIT : DONE;
            }
        }.flat32()) {
            m.code(0x1000, /* inc ecx; in al,0x60; inc ecx; hlt */ "41e46041f4");
            assertEquals(Emulator.EXITED, m.runToHalt());
            assertEquals(0x1001, m.s.rip);
            assertEquals(1, m.v.instructions);
            assertEquals(Emulator.HALTED, m.runToHalt());
            assertEquals(0x42, m.reg(CpuState.RAX));
            assertEquals(2, m.reg(CpuState.RCX));
        }
    }

    @Test
    void retryGoesOnWhereTheCallLeftRip() {
        try (TestMachine m = new TestMachine(0x20000) {
            @Override
            public int cpuid(VcpuContext v) {
                s.rip += 2; // somebody emulated the instruction
                v.instructions++;
                return RETRY;
            }
        }.flat32()) {
            m.code(0x1000, /* inc ecx; cpuid; inc ecx; hlt */ "410fa241f4");
            assertEquals(Emulator.HALTED, m.runToHalt());
            assertEquals(2, m.reg(CpuState.RCX));
            assertEquals(4, m.v.instructions);
        }
    }

    @Test
    void longStringInstructionLeavesWhenAsked() {
        try (TestMachine m = new TestMachine(0x20000) {
            @Override
            public int mmioWrite(VcpuContext v, long gpa, int size, long value) {
                v.leave = true;
                return DONE;
            }
        }.flat32()) {
            m.code(0x1000, /* mov edi,0x100000; mov ecx,100; rep stosd; hlt */ "bf00001000b964000000f3abf4");
            assertEquals(Emulator.LEFT, m.runToHalt());
            assertEquals(0x100a, m.s.rip);
            assertEquals(99, m.reg(CpuState.RCX));
            assertEquals(2, m.v.instructions);
        }
    }

    // ---- events ----

    @Test
    void deliverGoesThroughTheTableAtABoundary() {
        try (ProtectedMachine m = new ProtectedMachine()) {
            m.code(0x1000, "90f4");
            m.s.rflagsOther |= CpuState.IF;
            assertEquals(0, m.emulator.deliver(m.v, CpuState.INFO_VALID | CpuState.TYPE_EXTERNAL | 0x30, 0, 0));
            m.runToHalt();
            assertEquals(0x30, m.vector());
            assertEquals(0x1000, m.stack(0));
        }
    }

    @Test
    void softwareInterruptIsDeliveredWithTheReturnAddressBehindIt() {
        try (ProtectedMachine m = new ProtectedMachine()) {
            m.code(0x1000, "cd21f4");
            m.emulator.deliver(m.v, CpuState.INFO_VALID | CpuState.TYPE_SOFTWARE_INTERRUPT | 0x21, 0, 2);
            m.runToHalt();
            assertEquals(0x1002, m.stack(0));
        }
    }

    @Test
    void nmiBlocksFurtherNmisUntilIret() {
        try (ProtectedMachine m = new ProtectedMachine()) {
            m.bytes(0x6020, "cf");
            m.code(0x1000, "90f4");
            m.emulator.deliver(m.v, CpuState.INFO_VALID | CpuState.TYPE_NMI | 2, 0, 0);
            assertTrue((m.s.blocking & CpuState.BLOCKING_NMI) != 0);
            m.runToHalt();
            assertEquals(0x1002, m.s.rip);
            assertFalse((m.s.blocking & CpuState.BLOCKING_NMI) != 0);
        }
    }

    @Test
    void exitDuringDeliveryNamesTheEvent() {
        try (ProtectedMachine m = new ProtectedMachine()) {
            m.s.gdtLimit = 7; // every handler's selector is beyond the table
            m.v.exceptionBitmap = 1 << 13;
            m.code(0x1000, "f4");
            m.leaveOnException = true;
            assertEquals(3, m.emulator.deliver(m.v, CpuState.INFO_VALID | CpuState.TYPE_EXTERNAL | 0x30, 0, 0));
            assertEquals(CpuState.INFO_VALID | CpuState.TYPE_EXTERNAL | 0x30, m.s.vectoringInfo);
            assertEquals(0x1000, m.s.rip);
        }
    }

    // ---- code that changes ----

    @Test
    void storeIntoTheNextInstructionOfTheSameBlockIsSeen() {
        try (TestMachine m = machine()) {
            m.code(0x1000, /* mov byte [target+1],0x55; target: mov al,0x11; hlt */ "c6050810000055b011f4");
            m.runToHalt();
            assertEquals(0x55, m.reg(CpuState.RAX));
            assertEquals(3, m.v.instructions);
        }
    }

    @Test
    void patchedFunctionRunsAnew() {
        try (TestMachine m = machine()) {
            m.code(0x1000, /* mov ecx,100; again: mov [f+1],ecx; call f; add ebx,eax; dec ecx; jnz again; hlt; align 64; f: mov eax,0; ret */
                    "b964000000890d41100000e83000000001c3490f85ecfffffff49090909090909090909090909090909090909090909090909090909090909090909090909090b800000000c3");
            m.runToHalt();
            assertEquals(5050, m.reg(CpuState.RBX));
        }
    }

    @Test
    void dataBesideCodeOnOnePageStaysRightAndCheap() {
        try (TestMachine m = machine()) {
            m.code(0x1000, /* mov ecx,5000; again: inc dword [0x1800]; dec ecx; jnz again; hlt */
                    "b988130000ff0500180000490f85f3fffffff4");
            m.runToHalt();
            assertEquals(5000, m.get32(0x1800));
            assertTrue(m.emulator.counters().get("blocks_built") < 200, () -> m.emulator.counters().toString());
            assertTrue(m.emulator.counters().get("code_writes") <= 5000);
        }
    }

    @Test
    void stringStoreOverCodeIsSeen() {
        try (TestMachine m = machine()) {
            m.bytes(0x1100, "90909090c3");
            m.code(0x1000, /* call 0x1100; mov edi,0x1100; mov al,0x40; mov ecx,4; cld; rep stosb; xor eax,eax; call 0x1100; hlt */
                    "e8fb000000bf00110000b040b904000000fcf3aa31c0e8e5000000f4");
            m.runToHalt();
            assertEquals(4, m.reg(CpuState.RAX));
        }
    }

    @Test
    void writeFromOutsideDropsTheCode() {
        try (TestMachine m = machine()) {
            m.code(0x1000, "b811000000f4");
            m.runToHalt();
            m.write(0x1001, 1, 0x22);
            m.s.rip = 0x1000;
            m.runToHalt();
            assertEquals(0x22, m.reg(CpuState.RAX));
        }
    }

    @Test
    void instructionAcrossPagesIsDroppedByAWriteToEitherPage() {
        try (TestMachine m = machine()) {
            m.code(0x1ffd, "b811000000f4");
            m.runToHalt();
            m.write(0x2001, 1, 0x33);
            m.s.rip = 0x1ffd;
            m.runToHalt();
            assertEquals(0x33000011L, m.reg(CpuState.RAX));
            m.write(0x1ffe, 1, 0x44);
            m.s.rip = 0x1ffd;
            m.runToHalt();
            assertEquals(0x33000044L, m.reg(CpuState.RAX));
        }
    }

    @Test
    void pageThatBecameDataLosesItsMark() {
        try (TestMachine m = machine()) {
            m.code(0x2000, "c3");
            m.code(0x1000, /* call 0x2000; mov ecx,1000; again: mov [0x2800],ecx; dec ecx; jnz again; hlt */
                    "e8fb0f0000b9e8030000890d00280000490f85f3fffffff4");
            m.runToHalt();
            assertEquals(0, m.frames().codeMask(m.frame(2)));
            assertTrue(m.frames().codeMask(m.frame(1)) != 0);
        }
    }

    @Test
    void codeInADeviceIsFetchedFromIt() {
        try (TestMachine m = machine()) {
            m.mmioValue = 0xf4;
            m.code(0x1000, /* jmp 0x100000 */ "e9fbef0f00");
            assertEquals(Emulator.HALTED, m.runToHalt());
            assertEquals(0x100001, m.s.rip);
        }
    }

    @Test
    void cacheThatIsFullIsEmptiedAndGoesOn() {
        try (TestMachine m = machine()) {
            // Each round patches the loop's own operand, so that each builds blocks anew.
            m.code(0x1000, /* mov ecx,120000; again: mov [next+1],ecx; next: mov eax,0; dec ecx; jnz again; hlt */
                    "b9c0d40100890d0c100000b800000000490f85eefffffff4");
            m.runToHalt();
            assertEquals(1, m.reg(CpuState.RAX));
            assertTrue(m.emulator.counters().get("blocks_built") > CodeCache.CAPACITY);
        }
    }

    // ---- two machines, single instructions ----

    @Test
    void twoMachinesDoNotDisturbEachOther() {
        try (TestMachine a = machine();
                TestMachine b = machine()) {
            a.code(0x1000, "b811000000f4");
            b.code(0x1000, "b822000000f4");
            a.runToHalt();
            b.runToHalt();
            assertEquals(0x11, a.reg(CpuState.RAX));
            assertEquals(0x22, b.reg(CpuState.RAX));
        }
    }

    @Test
    void emulateOneFaultsWithNothingCommitted() {
        try (TestMachine m = machine()) {
            m.s.cr0 |= CpuState.CR0_PG;
            m.s.cr3 = 0x8000;
            m.put32(0x8000, 0x9007);
            m.put32(0x9004, 0x1007);
            m.code(0x1000, /* push dword 5 */ "6a05");
            assertEquals(Emulator.PROPAGATE_FAULT, m.emulator.emulateOne(m.v, new TestOps(m)));
            assertEquals(14, m.v.faultVector);
            assertEquals(2, m.v.faultError);
            assertEquals(0x9000, m.reg(CpuState.RSP));
            assertEquals(0x1000, m.s.rip);
        }
    }

    @Test
    void emulateOneDoesAtLeastOneElementOfARepeatedInstruction() {
        try (TestMachine m = machine()) {
            m.s.gpr[CpuState.RCX] = 5000;
            m.s.gpr[CpuState.RDI] = 0x4000;
            m.code(0x1000, "f3aaf4");
            int n = 0;
            while (m.s.rip == 0x1000 && n++ < 5001) assertEquals(Emulator.CONTINUE, m.emulator.emulateOne(m.v, new TestOps(m)));
            assertEquals(0x1002, m.s.rip);
            assertEquals(0, m.reg(CpuState.RCX));
        }
    }

    @Test
    void emulateOneRefusesWhatACallbackRefuses() {
        try (TestMachine m = machine()) {
            m.code(0x1000, /* mov eax,[0x7000000] */ "a100000007");
            assertEquals(Emulator.UNHANDLEABLE, m.emulator.emulateOne(m.v, new TestOps(m)));
            assertEquals(0x1000, m.s.rip);
        }
    }
}
