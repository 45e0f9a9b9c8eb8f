package org.backplane.x86.emulate;

import java.util.Arrays;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.HostMemory;
import org.backplane.x86.isa.Insn;
import org.backplane.x86.isa.exec.Cpu;
import org.backplane.x86.isa.exec.Unwind;

/** PUSH, POP and LEAVE of double words on a flat 32-bit stack. */
final class Stack {
    private static final long LOW32 = 0xffffffffL;

    private Stack() {}

    static final class PushR extends Op {
        final int a;

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
        final int a;

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

    /**
     * Pushes or pops in a row, as functions begin and end with: one dispatch and one look-up for all of them when they stay in one
     * page. Otherwise the instructions run one by one, each with its own position.
     */
    abstract static class Run extends Op {
        final int[] registers;
        private final Op[] single;

        Run(Op[] single, int[] registers) {
            this.single = single;
            this.registers = registers;
            at(single[single.length - 1]);
        }

        final void singly(Cpu c) {
            for (int k = 0; k < single.length; k++) {
                single[k].run(c);
                if (c.end < 0 && k + 1 < single.length) { // one of them asked to stop: the rest starts anew
                    c.at(single[k + 1]);
                    c.sync();
                    throw c.unwind(Unwind.RETRY);
                }
            }
        }
    }

    static final class PushRun extends Run {
        PushRun(Op[] single, int[] registers) {
            super(single, registers);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            int[] r = registers;
            int bytes = 4 * r.length;
            long low = g[CpuState.RSP] - bytes & LOW32;
            long host = c.modifiable(low, bytes);
            if (host == 0) {
                singly(c);
                return;
            }
            long at = host + bytes;
            for (int k = 0; k < r.length; k++) HostMemory.putInt(at -= 4, (int) g[r[k]]);
            g[CpuState.RSP] = low;
        }
    }

    static final class PopRun extends Run {
        PopRun(Op[] single, int[] registers) {
            super(single, registers);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            int[] r = registers;
            int bytes = 4 * r.length;
            long low = g[CpuState.RSP];
            long host = c.readable(low, bytes);
            if (host == 0) {
                singly(c);
                return;
            }
            for (int k = 0; k < r.length; k++, host += 4) g[r[k]] = HostMemory.getInt(host) & LOW32;
            g[CpuState.RSP] = low + bytes & LOW32;
        }
    }

    /** The register that an element pushes or pops, if it can be part of a run; else -1. The stack pointer itself cannot. */
    private static int inRun(Op op, boolean push) {
        int a = push ? op instanceof PushR p ? p.a : -1 : op instanceof PopR p ? p.a : -1;
        return a == CpuState.RSP ? -1 : a;
    }

    /** Joins pushes and pops that follow each other; returns how many elements are left. */
    static int join(Op[] ops, int count) {
        int n = 0;
        for (int k = 0; k < count; ) {
            boolean push = inRun(ops[k], true) >= 0;
            int end = k;
            while (end < count && inRun(ops[end], push) >= 0) end++;
            if (end - k < 2) {
                ops[n++] = ops[k++];
                continue;
            }
            Op[] single = Arrays.copyOfRange(ops, k, end);
            int[] registers = new int[single.length];
            for (int j = 0; j < single.length; j++) registers[j] = inRun(single[j], push);
            ops[n++] = push ? new PushRun(single, registers) : new PopRun(single, registers);
            k = end;
        }
        return n;
    }
}
