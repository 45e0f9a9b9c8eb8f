package org.backplane.x86.emulate;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.x86.isa.Insn;
import org.backplane.x86.isa.exec.Cpu;

/** PUSH, POP and LEAVE of double words on a flat 32-bit stack. */
final class Stack {
    private static final long LOW32 = 0xffffffffL;

    private Stack() {}

    static final class PushR extends Op {
        private final int a;

        PushR(Insn i) {
            a = i.number0;
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            long sp = g[CpuState.RSP] - 4 & LOW32;
            c.write32(this, sp, (int) g[a]);
            g[CpuState.RSP] = sp;
        }
    }

    static final class PushI extends Op {
        private final int value;

        PushI(Insn i) {
            value = (int) i.immediate;
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            long sp = g[CpuState.RSP] - 4 & LOW32;
            c.write32(this, sp, value);
            g[CpuState.RSP] = sp;
        }
    }

    static final class PushM extends MemOp {
        PushM(Insn i, int mode) {
            super(i, mode);
        }

        @Override
        void run(Cpu c) {
            int value = c.read32(this, forRead(c, 4));
            long[] g = c.gpr;
            long sp = g[CpuState.RSP] - 4 & LOW32;
            c.write32(this, sp, value);
            g[CpuState.RSP] = sp;
        }
    }

    static final class PopR extends Op {
        private final int a;

        PopR(Insn i) {
            a = i.number0;
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            long sp = g[CpuState.RSP];
            int value = c.read32(this, sp);
            g[CpuState.RSP] = sp + 4 & LOW32;
            g[a] = value & LOW32; // after the pointer: POP ESP loads what it popped
        }
    }

    static final class Leave extends Op {
        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            long bp = g[CpuState.RBP];
            int value = c.read32(this, bp);
            g[CpuState.RSP] = bp + 4 & LOW32;
            g[CpuState.RBP] = value & LOW32;
        }
    }
}
