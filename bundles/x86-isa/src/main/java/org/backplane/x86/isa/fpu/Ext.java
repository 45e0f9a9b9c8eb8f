package org.backplane.x86.isa.fpu;

import org.backplane.kvm.spi.cpu.CpuState;

/**
 * The 80-bit format: classification, NaN rules, and access to registers.
 *
 * <p>A number is a significand {@code m} (64 bits with explicit integer bit) and {@code se}, sign in bit 15 and biased
 * exponent in bits 14:0. An unsupported encoding (SDM 1 table 8-3) has a non-zero exponent and a clear integer bit.
 */
final class Ext {
    /** Exponent bias, and largest biased exponent (infinities and NaNs). */
    static final int BIAS = 0x3fff, MAX = 0x7fff;

    /** The integer bit of a significand, and the bit that makes a NaN quiet. */
    static final long INTEGER_BIT = 1L << 63, QUIET_BIT = 1L << 62;

    /** The real indefinite: a quiet NaN. */
    static final int INDEFINITE_SE = 0xffff;

    static final long INDEFINITE = 0xc000000000000000L;

    private Ext() {}

    // ---- registers (physical numbers) ----

    static void set(CpuState s, int reg, int se, long m) {
        s.fpSignExp[reg] = se;
        s.fpMantissa[reg] = m;
        s.fpEmpty &= ~(1 << reg);
    }

    static void setIndefinite(CpuState s, int reg) {
        set(s, reg, INDEFINITE_SE, INDEFINITE);
    }

    /** Pushes a value; with the stack full, the masked response is to push the indefinite. The caller has cleared C1. */
    static void push(CpuState s, int se, long m) {
        int reg = s.fpTop - 1 & 7;
        if ((s.fpEmpty >> reg & 1) != 0) {
            s.fpTop = reg;
            set(s, reg, se, m);
        } else if (Status.overflow(s)) {
            s.fpTop = reg;
            setIndefinite(s, reg);
        }
    }

    /** The register that a push would fill is empty. */
    static boolean canPush(CpuState s) {
        return (s.fpEmpty >> (s.fpTop - 1 & 7) & 1) != 0;
    }

    /** Begins an instruction on ST(0): clears C1; false when ST(0) was empty and the response to that is done. */
    static boolean require(CpuState s) {
        s.fpStatus &= ~X87.C1;
        if ((s.fpEmpty >> s.fpTop & 1) == 0) return true;
        if (Status.underflow(s)) setIndefinite(s, s.fpTop);
        return false;
    }

    /** The same for an instruction on ST(0) and ST(1) with its result in ST(0). */
    static boolean requireTwo(CpuState s) {
        s.fpStatus &= ~X87.C1;
        int top = s.fpTop;
        if ((s.fpEmpty >> top & 1 | s.fpEmpty >> (top + 1 & 7) & 1) == 0) return true;
        if (Status.underflow(s)) setIndefinite(s, top);
        return false;
    }

    /** The same for an instruction on ST(0) and ST(1) with its result in ST(1), followed by a pop. */
    static boolean requireTwoPopping(CpuState s) {
        s.fpStatus &= ~X87.C1;
        int top = s.fpTop;
        if ((s.fpEmpty >> top & 1 | s.fpEmpty >> (top + 1 & 7) & 1) == 0) return true;
        if (Status.underflow(s)) {
            setIndefinite(s, top + 1 & 7);
            X87.pop(s);
        }
        return false;
    }

    // ---- classes ----

    static boolean isUnsupported(int se, long m) {
        return m >= 0 && (se & MAX) != 0;
    }

    /** A NaN; the encoding is known to be supported. */
    static boolean isNan(int se, long m) {
        return (se & MAX) == MAX && m << 1 != 0;
    }

    static boolean isSignalling(int se, long m) {
        return isNan(se, m) && (m & QUIET_BIT) == 0;
    }

    static boolean isInfinity(int se, long m) {
        return (se & MAX) == MAX && m == INTEGER_BIT;
    }

    static boolean isZero(int se, long m) {
        return m == 0 && (se & MAX) == 0;
    }

    /** A denormal or pseudo-denormal. */
    static boolean isDenormal(int se, long m) {
        return (se & MAX) == 0 && m != 0;
    }

    /** Exponent of the significand after its integer bit is made one; the value is finite and not zero. May be below 1. */
    static int exponent(int se, long m) {
        int e = se & MAX;
        return e != 0 ? e : 1 - Long.numberOfLeadingZeros(m);
    }

    /** Significand with its integer bit one; the value is finite and not zero. */
    static long significand(long m) {
        return m << Long.numberOfLeadingZeros(m);
    }

    // ---- NaN operands ----

    /**
     * The response to an unsupported operand or NaN among two: raises what is due and writes the masked result.
     *
     * @return false when an unmasked exception stops the instruction
     */
    static boolean nanOperands(CpuState s, int reg, int sa, long a, int sb, long b) {
        if (isUnsupported(sa, a) || isUnsupported(sb, b)) return invalid(s, reg);
        if ((isSignalling(sa, a) || isSignalling(sb, b)) && !Status.raise(s, X87.IE)) return false;
        if (chooseFirst(sa, a, sb, b)) set(s, reg, sa, a | QUIET_BIT);
        else set(s, reg, sb, b | QUIET_BIT);
        return true;
    }

    /** Which NaN operand is the result: SDM 1 table 4-7. At least one of the two is a NaN. */
    private static boolean chooseFirst(int sa, long a, int sb, long b) {
        if (!isNan(sb, b)) return true;
        if (!isNan(sa, a)) return false;
        boolean signallingA = isSignalling(sa, a), signallingB = isSignalling(sb, b);
        if (signallingA != signallingB) return signallingB;
        int order = Long.compareUnsigned(a, b);
        // Equal significands: the positive one.
        return order != 0 ? order > 0 : sa <= sb;
    }

    /** The same for one operand. */
    static boolean nanOperand(CpuState s, int reg, int se, long m) {
        if (isUnsupported(se, m)) return invalid(s, reg);
        if (isSignalling(se, m) && !Status.raise(s, X87.IE)) return false;
        set(s, reg, se, m | QUIET_BIT);
        return true;
    }

    /** Invalid operation: the masked response is the indefinite. Returns whether it is masked. */
    static boolean invalid(CpuState s, int reg) {
        if (!Status.raise(s, X87.IE)) return false;
        setIndefinite(s, reg);
        return true;
    }
}
