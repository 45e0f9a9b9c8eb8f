package org.backplane.x86.emulate;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.HostMemory;
import org.backplane.x86.isa.Insn;
import org.backplane.x86.isa.exec.Arithmetic;
import org.backplane.x86.isa.exec.Cpu;

/** Elements that compute with 32 bits. R is a register, I an immediate, M memory; the first letter is the destination. */
final class Calculations {
    private static final long LOW32 = 0xffffffffL;

    private Calculations() {}

    /** Register with register. */
    abstract static class RR extends Op {
        final int a, b;

        RR(Insn i) {
            a = i.number0;
            b = i.number1;
        }
    }

    /** Register with immediate. */
    abstract static class RI extends Op {
        final int a, value;

        RI(Insn i) {
            a = i.number0;
            value = (int) i.immediate;
        }
    }

    /** Register with memory. */
    abstract static class RM extends MemOp {
        final int a;

        RM(Insn i, int mode) {
            super(i, mode);
            a = i.number0;
        }
    }

    static final class AddRR extends RR {
        AddRR(Insn i) {
            super(i);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = Alu32.add(c.s, (int) g[a], (int) g[b]) & LOW32;
        }
    }

    static final class AddRI extends RI {
        AddRI(Insn i) {
            super(i);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = Alu32.add(c.s, (int) g[a], value) & LOW32;
        }
    }

    static final class AddRM extends RM {
        AddRM(Insn i, int mode) {
            super(i, mode);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = Alu32.add(c.s, (int) g[a], c.read32(this, forRead(c, 4))) & LOW32;
        }
    }

    static final class SubRR extends RR {
        SubRR(Insn i) {
            super(i);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = Alu32.sub(c.s, (int) g[a], (int) g[b]) & LOW32;
        }
    }

    static final class SubRI extends RI {
        SubRI(Insn i) {
            super(i);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = Alu32.sub(c.s, (int) g[a], value) & LOW32;
        }
    }

    static final class SubRM extends RM {
        SubRM(Insn i, int mode) {
            super(i, mode);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = Alu32.sub(c.s, (int) g[a], c.read32(this, forRead(c, 4))) & LOW32;
        }
    }

    static final class AndRR extends RR {
        AndRR(Insn i) {
            super(i);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = Alu32.logic(c.s, (int) g[a] & (int) g[b]) & LOW32;
        }
    }

    static final class AndRI extends RI {
        AndRI(Insn i) {
            super(i);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = Alu32.logic(c.s, (int) g[a] & value) & LOW32;
        }
    }

    static final class AndRM extends RM {
        AndRM(Insn i, int mode) {
            super(i, mode);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = Alu32.logic(c.s, (int) g[a] & c.read32(this, forRead(c, 4))) & LOW32;
        }
    }

    static final class OrRR extends RR {
        OrRR(Insn i) {
            super(i);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = Alu32.logic(c.s, (int) g[a] | (int) g[b]) & LOW32;
        }
    }

    static final class OrRI extends RI {
        OrRI(Insn i) {
            super(i);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = Alu32.logic(c.s, (int) g[a] | value) & LOW32;
        }
    }

    static final class OrRM extends RM {
        OrRM(Insn i, int mode) {
            super(i, mode);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = Alu32.logic(c.s, (int) g[a] | c.read32(this, forRead(c, 4))) & LOW32;
        }
    }

    static final class XorRR extends RR {
        XorRR(Insn i) {
            super(i);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = Alu32.logic(c.s, (int) g[a] ^ (int) g[b]) & LOW32;
        }
    }

    static final class XorRI extends RI {
        XorRI(Insn i) {
            super(i);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = Alu32.logic(c.s, (int) g[a] ^ value) & LOW32;
        }
    }

    static final class XorRM extends RM {
        XorRM(Insn i, int mode) {
            super(i, mode);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = Alu32.logic(c.s, (int) g[a] ^ c.read32(this, forRead(c, 4))) & LOW32;
        }
    }

    static final class CmpRR extends RR {
        CmpRR(Insn i) {
            super(i);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            Alu32.sub(c.s, (int) g[a], (int) g[b]);
        }
    }

    static final class CmpRI extends RI {
        CmpRI(Insn i) {
            super(i);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            Alu32.sub(c.s, (int) g[a], value);
        }
    }

    static final class CmpRM extends RM {
        CmpRM(Insn i, int mode) {
            super(i, mode);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            Alu32.sub(c.s, (int) g[a], c.read32(this, forRead(c, 4)));
        }
    }

    static final class TestRR extends RR {
        TestRR(Insn i) {
            super(i);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            Alu32.logic(c.s, (int) g[a] & (int) g[b]);
        }
    }

    static final class TestRI extends RI {
        TestRI(Insn i) {
            super(i);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            Alu32.logic(c.s, (int) g[a] & value);
        }
    }

    static final class TestRM extends RM {
        TestRM(Insn i, int mode) {
            super(i, mode);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            Alu32.logic(c.s, (int) g[a] & c.read32(this, forRead(c, 4)));
        }
    }

    static final class AdcRR extends RR {
        AdcRR(Insn i) {
            super(i);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = Alu32.adc(c.s, (int) g[a], (int) g[b]) & LOW32;
        }
    }

    static final class AdcRI extends RI {
        AdcRI(Insn i) {
            super(i);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = Alu32.adc(c.s, (int) g[a], value) & LOW32;
        }
    }

    static final class AdcRM extends RM {
        AdcRM(Insn i, int mode) {
            super(i, mode);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = Alu32.adc(c.s, (int) g[a], c.read32(this, forRead(c, 4))) & LOW32;
        }
    }

    static final class SbbRR extends RR {
        SbbRR(Insn i) {
            super(i);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = Alu32.sbb(c.s, (int) g[a], (int) g[b]) & LOW32;
        }
    }

    static final class SbbRI extends RI {
        SbbRI(Insn i) {
            super(i);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = Alu32.sbb(c.s, (int) g[a], value) & LOW32;
        }
    }

    static final class SbbRM extends RM {
        SbbRM(Insn i, int mode) {
            super(i, mode);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = Alu32.sbb(c.s, (int) g[a], c.read32(this, forRead(c, 4))) & LOW32;
        }
    }

    // ---- memory as destination ----

    /** Reads, computes and writes a double word; flags change when the write has happened. */
    private static void update(Cpu c, MemOp at, int op, int b) {
        long gva = at.forWrite(c, 4);
        long host = c.modifiable(gva, 4);
        if (host != 0) {
            HostMemory.putInt(host, Alu32.operate(c.s, op, HostMemory.getInt(host), b));
            return;
        }
        int a = (int) c.slowModify(at, gva, 4);
        c.slowWrite(at, gva, 4, Alu32.value(c.s, op, a, b) & LOW32);
        Alu32.operate(c.s, op, a, b);
    }

    static final class UpdateMR extends MemOp {
        private final int op, b;

        UpdateMR(Insn i, int mode, int op) {
            super(i, mode);
            this.op = op;
            b = i.number1;
        }

        @Override
        void run(Cpu c) {
            update(c, this, op, (int) c.gpr[b]);
        }
    }

    static final class UpdateMI extends MemOp {
        private final int op, value;

        UpdateMI(Insn i, int mode, int op) {
            super(i, mode);
            this.op = op;
            value = (int) i.immediate;
        }

        @Override
        void run(Cpu c) {
            update(c, this, op, value);
        }
    }

    /** CMP or TEST of memory with a register. */
    static final class CompareMR extends MemOp {
        private final int op, b;

        CompareMR(Insn i, int mode, int op) {
            super(i, mode);
            this.op = op;
            b = i.number1;
        }

        @Override
        void run(Cpu c) {
            Alu32.operate(c.s, op, c.read32(this, forRead(c, 4)), (int) c.gpr[b]);
        }
    }

    static final class CompareMI extends MemOp {
        private final int op, value;

        CompareMI(Insn i, int mode, int op) {
            super(i, mode);
            this.op = op;
            value = (int) i.immediate;
        }

        @Override
        void run(Cpu c) {
            Alu32.operate(c.s, op, c.read32(this, forRead(c, 4)), value);
        }
    }

    /** INC and DEC of memory. */
    static final class StepM extends MemOp {
        private final int by;

        StepM(Insn i, int mode, int by) {
            super(i, mode);
            this.by = by;
        }

        @Override
        void run(Cpu c) {
            long gva = forWrite(c, 4);
            long host = c.modifiable(gva, 4);
            int a;
            if (host != 0) {
                a = HostMemory.getInt(host);
                HostMemory.putInt(host, a + by);
            } else {
                a = (int) c.slowModify(this, gva, 4);
                c.slowWrite(this, gva, 4, a + by & LOW32);
            }
            if (by > 0) Alu32.inc(c.s, a);
            else Alu32.dec(c.s, a);
        }
    }

    // ---- one register ----

    static final class Inc extends RI {
        Inc(Insn i) {
            super(i);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = Alu32.inc(c.s, (int) g[a]) & LOW32;
        }
    }

    static final class Dec extends RI {
        Dec(Insn i) {
            super(i);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = Alu32.dec(c.s, (int) g[a]) & LOW32;
        }
    }

    static final class Not extends RI {
        Not(Insn i) {
            super(i);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = ~g[a] & LOW32;
        }
    }

    static final class Neg extends RI {
        Neg(Insn i) {
            super(i);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = Alu32.sub(c.s, 0, (int) g[a]) & LOW32;
        }
    }

    static final class Shl extends RI {
        Shl(Insn i) {
            super(i);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = Alu32.shl(c.s, (int) g[a], value) & LOW32;
        }
    }

    static final class Shr extends RI {
        Shr(Insn i) {
            super(i);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = Alu32.shr(c.s, (int) g[a], value) & LOW32;
        }
    }

    static final class Sar extends RI {
        Sar(Insn i) {
            super(i);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = Alu32.sar(c.s, (int) g[a], value) & LOW32;
        }
    }

    /** Shifts and rotates of a register by CL, and rotates by an immediate. */
    static final class ShiftR extends Op {
        private final int a, kind, count;

        /**
         * @param kind the reg field of opcode D3: ROL, ROR, RCL, RCR, SHL, SHR, SHL, SAR
         * @param count a number, or -1 for CL
         */
        ShiftR(Insn i, int kind, int count) {
            a = i.number0;
            this.kind = kind;
            this.count = count;
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            int n = count >= 0 ? count : (int) g[CpuState.RCX] & 31;
            if (n == 0) return;
            int x = (int) g[a];
            g[a] = LOW32 & switch (kind) {
                case 0 -> Arithmetic.rol(c.s, 4, x, n);
                case 1 -> Arithmetic.ror(c.s, 4, x, n);
                case 2 -> Arithmetic.rcl(c.s, 4, x, n);
                case 3 -> Arithmetic.rcr(c.s, 4, x, n);
                case 5 -> Alu32.shr(c.s, x, n);
                case 7 -> Alu32.sar(c.s, x, n);
                default -> Alu32.shl(c.s, x, n);
            };
        }
    }

    // ---- multiplication ----

    static final class ImulRR extends RR {
        ImulRR(Insn i) {
            super(i);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = Alu32.imul(c.s, (int) g[a], (int) g[b]) & LOW32;
        }
    }

    static final class ImulRM extends RM {
        ImulRM(Insn i, int mode) {
            super(i, mode);
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = Alu32.imul(c.s, (int) g[a], c.read32(this, forRead(c, 4))) & LOW32;
        }
    }

    /** IMUL r32,r32,imm. */
    static final class ImulRRI extends RR {
        private final int value;

        ImulRRI(Insn i) {
            super(i);
            value = (int) i.immediate;
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = Alu32.imul(c.s, (int) g[b], value) & LOW32;
        }
    }

    // ---- 8-bit comparisons ----

    static final class Compare8RR extends Op {
        private final int a, b, shiftA, shiftB;
        private final boolean test;

        Compare8RR(Insn i, boolean test) {
            a = i.number0;
            b = i.number1;
            shiftA = Moves.shift(i, 0);
            shiftB = Moves.shift(i, 1);
            this.test = test;
        }

        @Override
        void run(Cpu c) {
            int x = (int) (c.gpr[a] >>> shiftA) & 0xff, y = (int) (c.gpr[b] >>> shiftB) & 0xff;
            if (test) Alu32.test8(c.s, x & y);
            else Alu32.cmp8(c.s, x, y);
        }
    }

    static final class Compare8RI extends Op {
        private final int a, shift, value;
        private final boolean test;

        Compare8RI(Insn i, boolean test) {
            a = i.number0;
            shift = Moves.shift(i, 0);
            value = (int) i.immediate & 0xff;
            this.test = test;
        }

        @Override
        void run(Cpu c) {
            int x = (int) (c.gpr[a] >>> shift) & 0xff;
            if (test) Alu32.test8(c.s, x & value);
            else Alu32.cmp8(c.s, x, value);
        }
    }

    static final class Compare8MI extends MemOp {
        private final int value;
        private final boolean test;

        Compare8MI(Insn i, int mode, boolean test) {
            super(i, mode);
            value = (int) i.immediate & 0xff;
            this.test = test;
        }

        @Override
        void run(Cpu c) {
            int x = c.read8(this, forRead(c, 1));
            if (test) Alu32.test8(c.s, x & value);
            else Alu32.cmp8(c.s, x, value);
        }
    }

    /** CMP r8,m8 (the register first) or CMP m8,r8. */
    static final class Compare8Memory extends MemOp {
        private final int r, shift;
        private final boolean registerFirst;

        Compare8Memory(Insn i, int mode, boolean registerFirst) {
            super(i, mode);
            int n = registerFirst ? 0 : 1;
            r = i.number(n);
            shift = Moves.shift(i, n);
            this.registerFirst = registerFirst;
        }

        @Override
        void run(Cpu c) {
            int m = c.read8(this, forRead(c, 1)), x = (int) (c.gpr[r] >>> shift) & 0xff;
            if (registerFirst) Alu32.cmp8(c.s, x, m);
            else Alu32.cmp8(c.s, m, x);
        }
    }

    // ---- conditions ----

    static final class Setcc extends Op {
        private final int a, shift, condition;

        Setcc(Insn i) {
            a = i.number0;
            shift = Moves.shift(i, 0);
            condition = i.opcodeByte & 15;
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            long x = Arithmetic.condition(c.s, condition) ? 1 : 0;
            g[a] = g[a] & ~(0xffL << shift) | x << shift;
        }
    }

    static final class Cmov extends Op {
        private final int a, b, condition;

        Cmov(Insn i) {
            a = i.number0;
            b = i.number1;
            condition = i.opcodeByte & 15;
        }

        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[a] = LOW32 & (Arithmetic.condition(c.s, condition) ? g[b] : g[a]);
        }
    }

    static final class Cdq extends Op {
        @Override
        void run(Cpu c) {
            long[] g = c.gpr;
            g[CpuState.RDX] = (int) g[CpuState.RAX] >> 31 & LOW32;
        }
    }

    static final class Nop extends Op {
        @Override
        void run(Cpu c) {}
    }
}
