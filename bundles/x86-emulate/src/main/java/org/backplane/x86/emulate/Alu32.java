package org.backplane.x86.emulate;

import static org.backplane.kvm.spi.cpu.CpuState.AUX_AF;
import static org.backplane.kvm.spi.cpu.CpuState.AUX_CARRY;
import static org.backplane.kvm.spi.cpu.CpuState.AUX_CARRY_IN;
import static org.backplane.kvm.spi.cpu.CpuState.AUX_MASK;

import org.backplane.kvm.spi.cpu.CpuState;

/**
 * 32-bit arithmetic in {@code int}: what {@link org.backplane.x86.isa.exec.Arithmetic} does for all sizes, in the few operations that
 * the hot elements can afford. A test compares the two over random operands.
 */
final class Alu32 {
    /** Operations, numbered as the reg field of opcode 81 numbers them; TEST and MOV have no number there. */
    static final int ADD = 0, OR = 1, ADC = 2, SBB = 3, AND = 4, SUB = 5, XOR = 6, CMP = 7, TEST = 8;

    private Alu32() {}

    static int add(CpuState s, int a, int b) {
        int r = a + b;
        s.flagRes = r;
        s.flagAux = (a & b | (a | b) & ~r) & AUX_MASK;
        return r;
    }

    static int adc(CpuState s, int a, int b) {
        int r = a + b + (s.flagAux >>> 31);
        s.flagRes = r;
        s.flagAux = (a & b | (a | b) & ~r) & AUX_MASK;
        return r;
    }

    static int sub(CpuState s, int a, int b) {
        int r = a - b;
        s.flagRes = r;
        s.flagAux = (~a & b | (~a | b) & r) & AUX_MASK;
        return r;
    }

    static int sbb(CpuState s, int a, int b) {
        int r = a - b - (s.flagAux >>> 31);
        s.flagRes = r;
        s.flagAux = (~a & b | (~a | b) & r) & AUX_MASK;
        return r;
    }

    static int logic(CpuState s, int r) {
        s.flagRes = r;
        s.flagAux = 0;
        return r;
    }

    static int inc(CpuState s, int a) {
        int r = a + 1, cf = s.flagAux & AUX_CARRY;
        s.flagRes = r;
        s.flagAux = cf | (cf ^ ~a & r) >>> 1 & AUX_CARRY_IN | (a ^ r) >>> 1 & AUX_AF;
        return r;
    }

    static int dec(CpuState s, int a) {
        int r = a - 1, cf = s.flagAux & AUX_CARRY;
        s.flagRes = r;
        s.flagAux = cf | (cf ^ a & ~r) >>> 1 & AUX_CARRY_IN | (a ^ r) >>> 1 & AUX_AF;
        return r;
    }

    /** Shift by 1 to 31. */
    static int shl(CpuState s, int a, int n) {
        int r = a << n;
        s.flagRes = r;
        s.flagAux = a << n - 1 & AUX_CARRY | r >>> 1 & AUX_CARRY_IN;
        return r;
    }

    static int shr(CpuState s, int a, int n) {
        int r = a >>> n, cf = a << 32 - n & AUX_CARRY;
        s.flagRes = r;
        // OF is defined for a count of 1 only: the old sign; here it is 0 for other counts.
        int of = n == 1 ? a & AUX_CARRY : 0;
        s.flagAux = cf | (cf ^ of) >>> 1;
        return r;
    }

    static int sar(CpuState s, int a, int n) {
        int r = a >> n, cf = a << 32 - n & AUX_CARRY;
        s.flagRes = r;
        s.flagAux = cf | cf >>> 1;
        return r;
    }

    static int imul(CpuState s, int a, int b) {
        long p = (long) a * b;
        int r = (int) p;
        s.flagRes = r;
        s.flagAux = r == p ? 0 : AUX_CARRY;
        return r;
    }

    /** One of the eight operations, and TEST. */
    static int operate(CpuState s, int op, int a, int b) {
        return switch (op) {
            case ADD -> add(s, a, b);
            case OR -> logic(s, a | b);
            case ADC -> adc(s, a, b);
            case SBB -> sbb(s, a, b);
            case AND, TEST -> logic(s, a & b);
            case SUB, CMP -> sub(s, a, b);
            default -> logic(s, a ^ b);
        };
    }

    /** What an operation would give, without flags. */
    static int value(CpuState s, int op, int a, int b) {
        return switch (op) {
            case ADD -> a + b;
            case OR -> a | b;
            case ADC -> a + b + (s.flagAux >>> 31);
            case SBB -> a - b - (s.flagAux >>> 31);
            case AND -> a & b;
            case SUB -> a - b;
            default -> a ^ b;
        };
    }

    /** Sets the flags of an 8-bit comparison. */
    static void cmp8(CpuState s, int a, int b) {
        int r = a - b;
        s.flagRes = (byte) r;
        int borrow = ~a & b | (~a | b) & r;
        s.flagAux = borrow << 24 & (AUX_CARRY | AUX_CARRY_IN) | borrow & AUX_AF;
    }

    static void test8(CpuState s, int r) {
        s.flagRes = (byte) r;
        s.flagAux = 0;
    }
}
