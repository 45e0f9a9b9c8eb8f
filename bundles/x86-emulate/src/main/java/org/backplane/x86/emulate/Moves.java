package org.backplane.x86.emulate;

import org.backplane.x86.isa.Insn;
import org.backplane.x86.isa.exec.Cpu;

/** Elements that move data. R is a register, I an immediate, M memory; 8, 16 and 32 are bits. */
final class Moves {
    private static final long LOW32 = 0xffffffffL;

    private Moves() {}

    /** By how much an 8-bit operand is shifted in its register: 8 for AH, CH, DH, BH. */
    static int shift(Insn i, int n) {
        return i.kind(n) == Insn.REG_HIGH ? 8 : 0;
    }

    static final class RR extends Op {
        private final int a, b;

        RR(Insn i) {
            a = i.number0;
            b = i.number1;
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = g[b] & LOW32;
        }
    }

    static final class RI extends Op {
        private final int a;
        private final long value;

        RI(Insn i) {
            a = i.number0;
            value = i.immediate & LOW32;
        }

        @Override
        void run(Cpu c) {
            c.gpr[a] = value;
        }
    }

    /** MOV r32,[r32+disp] in a flat segment. */
    static final class LoadSimple extends Op {
        private final int a, base;
        private final long displacement;

        LoadSimple(Insn i) {
            a = i.number0;
            base = i.base;
            displacement = i.displacement;
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = c.read32(this, g[base] + displacement & LOW32) & LOW32;
        }
    }

    static final class Load extends MemOp {
        private final int a;

        Load(Insn i, int mode) {
            super(i, mode);
            a = i.number0;
        }

        @Override
        void run(Cpu c) {
            c.gpr[a] = c.read32(this, forRead(c, 4)) & LOW32;
        }
    }

    /** MOV [r32+disp],r32 in a flat segment. */
    static final class StoreSimple extends Op {
        private final int b, base;
        private final long displacement;

        StoreSimple(Insn i) {
            b = i.number1;
            base = i.base;
            displacement = i.displacement;
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            c.write32(this, g[base] + displacement & LOW32, (int) g[b]);
        }
    }

    static final class Store extends MemOp {
        private final int b;

        Store(Insn i, int mode) {
            super(i, mode);
            b = i.number1;
        }

        @Override
        void run(Cpu c) {
            c.write32(this, forWrite(c, 4), (int) c.gpr[b]);
        }
    }

    static final class StoreImmediate extends MemOp {
        private final int value;

        StoreImmediate(Insn i, int mode) {
            super(i, mode);
            value = (int) i.immediate;
        }

        @Override
        void run(Cpu c) {
            c.write32(this, forWrite(c, 4), value);
        }
    }

    static final class Store16 extends MemOp {
        private final int b;

        Store16(Insn i, int mode) {
            super(i, mode);
            b = i.number1;
        }

        @Override
        void run(Cpu c) {
            c.write16(this, forWrite(c, 2), (int) c.gpr[b]);
        }
    }

    static final class RR8 extends Op {
        private final int a, b, shiftA, shiftB;

        RR8(Insn i) {
            a = i.number0;
            shiftA = shift(i, 0);
            b = i.number1;
            shiftB = shift(i, 1);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = g[a] & ~(0xffL << shiftA) | (g[b] >>> shiftB & 0xff) << shiftA;
        }
    }

    static final class RI8 extends Op {
        private final int a;
        private final long keep, value;

        RI8(Insn i) {
            a = i.number0;
            keep = ~(0xffL << shift(i, 0));
            value = (i.immediate & 0xff) << shift(i, 0);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = g[a] & keep | value;
        }
    }

    static final class Load8 extends MemOp {
        private final int a, shift;

        Load8(Insn i, int mode) {
            super(i, mode);
            a = i.number0;
            shift = shift(i, 0);
        }

        @Override
        void run(Cpu c) {
            long x = c.read8(this, forRead(c, 1));
            long[] g = c.gpr;
            g[a] = g[a] & ~(0xffL << shift) | x << shift;
        }
    }

    static final class Store8 extends MemOp {
        private final int b, shift;

        Store8(Insn i, int mode) {
            super(i, mode);
            b = i.number1;
            shift = shift(i, 1);
        }

        @Override
        void run(Cpu c) {
            c.write8(this, forWrite(c, 1), (int) (c.gpr[b] >>> shift));
        }
    }

    static final class StoreImmediate8 extends MemOp {
        private final int value;

        StoreImmediate8(Insn i, int mode) {
            super(i, mode);
            value = (int) i.immediate;
        }

        @Override
        void run(Cpu c) {
            c.write8(this, forWrite(c, 1), value);
        }
    }

    // ---- MOVZX and MOVSX to 32 bits ----

    static final class ZeroR8 extends Op {
        private final int a, b, shift;

        ZeroR8(Insn i) {
            a = i.number0;
            b = i.number1;
            shift = shift(i, 1);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = g[b] >>> shift & 0xff;
        }
    }

    static final class ZeroR16 extends Op {
        private final int a, b;

        ZeroR16(Insn i) {
            a = i.number0;
            b = i.number1;
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = g[b] & 0xffff;
        }
    }

    static final class SignR8 extends Op {
        private final int a, b, shift;

        SignR8(Insn i) {
            a = i.number0;
            b = i.number1;
            shift = shift(i, 1);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = (byte) (g[b] >>> shift) & LOW32;
        }
    }

    static final class SignR16 extends Op {
        private final int a, b;

        SignR16(Insn i) {
            a = i.number0;
            b = i.number1;
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = (short) g[b] & LOW32;
        }
    }

    static final class ZeroM8Simple extends Op {
        private final int a, base;
        private final long displacement;

        ZeroM8Simple(Insn i) {
            a = i.number0;
            base = i.base;
            displacement = i.displacement;
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = c.read8(this, g[base] + displacement & LOW32);
        }
    }

    static final class ZeroM8 extends MemOp {
        private final int a;

        ZeroM8(Insn i, int mode) {
            super(i, mode);
            a = i.number0;
        }

        @Override
        void run(Cpu c) {
            c.gpr[a] = c.read8(this, forRead(c, 1));
        }
    }

    static final class ZeroM16 extends MemOp {
        private final int a;

        ZeroM16(Insn i, int mode) {
            super(i, mode);
            a = i.number0;
        }

        @Override
        void run(Cpu c) {
            c.gpr[a] = c.read16(this, forRead(c, 2));
        }
    }

    static final class SignM8 extends MemOp {
        private final int a;

        SignM8(Insn i, int mode) {
            super(i, mode);
            a = i.number0;
        }

        @Override
        void run(Cpu c) {
            c.gpr[a] = (byte) c.read8(this, forRead(c, 1)) & LOW32;
        }
    }

    static final class SignM16 extends MemOp {
        private final int a;

        SignM16(Insn i, int mode) {
            super(i, mode);
            a = i.number0;
        }

        @Override
        void run(Cpu c) {
            c.gpr[a] = (short) c.read16(this, forRead(c, 2)) & LOW32;
        }
    }

    // ---- LEA with 32-bit addresses ----

    static final class LeaSimple extends Op {
        private final int a, base;
        private final long displacement;

        LeaSimple(int a, int base, long displacement) {
            this.a = a;
            this.base = base;
            this.displacement = displacement;
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = g[base] + displacement & LOW32;
        }
    }

    static final class Lea extends Op {
        private final int a, base, indexRegister, scale;
        private final long displacement;

        Lea(int a, int base, int indexRegister, int scale, long displacement) {
            this.a = a;
            this.base = base;
            this.indexRegister = indexRegister;
            this.scale = scale;
            this.displacement = displacement;
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            long x = displacement;
            if (base >= 0) x += g[base];
            if (indexRegister >= 0) x += g[indexRegister] << scale;
            g[a] = x & LOW32;
        }
    }
}
