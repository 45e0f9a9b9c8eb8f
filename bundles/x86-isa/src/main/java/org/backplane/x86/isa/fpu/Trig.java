package org.backplane.x86.isa.fpu;

import org.backplane.kvm.spi.cpu.CpuState;

/**
 * FSIN, FCOS, FSINCOS and FPTAN.
 *
 * <p>The argument is reduced by the pi of the x87, which has 66 bits (SDM 1 8.3.8): results near multiples of pi are those of
 * that constant, and differ from the true sine. The reduction by it is exact, in integers.
 * Arguments of 2^63 and more are left alone with C2 = 1.
 */
final class Trig {
    /** The 66 bits of pi: two high bits and 64 low bits. A quarter turn is this times 2^-65. */
    private static final long PI_HIGH = 3;

    private static final long PI_LOW = 0x243f6a8885a308d3L;

    /** Below this exponent the sine is its argument to more than 64 bits, less a trifle. */
    private static final int LINEAR = -36;

    /** What {@link #special} finds: nothing to do, a number to compute with, and what a second result is otherwise. */
    private static final int STOP = 0, COMPUTE = 1, PUSH_ONE = 2, PUSH_SAME = 3;

    private Trig() {}

    /** ST(0) is not empty, C1 is clear. */
    static void fsin(CpuState s) {
        int reg = s.fpTop;
        if (special(s, reg, false) != COMPUTE) return;
        int se = s.fpSignExp[reg], exp = Ext.exponent(se, s.fpMantissa[reg]) - Ext.BIAS;
        long m = Ext.significand(s.fpMantissa[reg]);
        Wide x = new Wide();
        sine(s, reg, se & 0x8000, exp, m, reduce(x, exp, m), x);
    }

    /** ST(0) is not empty, C1 is clear. */
    static void fcos(CpuState s) {
        int reg = s.fpTop;
        if (special(s, reg, true) != COMPUTE) return;
        int exp = Ext.exponent(s.fpSignExp[reg], s.fpMantissa[reg]) - Ext.BIAS;
        long m = Ext.significand(s.fpMantissa[reg]);
        Wide x = new Wide();
        cosine(s, reg, reduce(x, exp, m), x);
    }

    static void fsincos(CpuState s) {
        int reg = s.fpTop;
        if (!begin(s)) return;
        switch (special(s, reg, false)) {
            case COMPUTE -> {
                int se = s.fpSignExp[reg], exp = Ext.exponent(se, s.fpMantissa[reg]) - Ext.BIAS;
                long m = Ext.significand(s.fpMantissa[reg]);
                Wide x = new Wide(), copy = new Wide();
                int quadrant = reduce(x, exp, m);
                copy.set(x);
                sine(s, reg, se & 0x8000, exp, m, quadrant, x);
                s.fpTop = reg - 1 & 7;
                cosine(s, s.fpTop, quadrant, copy);
            }
            case PUSH_ONE -> Ext.push(s, Ext.BIAS, Ext.INTEGER_BIT);
            case PUSH_SAME -> Ext.push(s, s.fpSignExp[reg], s.fpMantissa[reg]);
            default -> {}
        }
    }

    static void fptan(CpuState s) {
        int reg = s.fpTop;
        if (!begin(s)) return;
        switch (special(s, reg, false)) {
            case COMPUTE -> {
                int se = s.fpSignExp[reg], exp = Ext.exponent(se, s.fpMantissa[reg]) - Ext.BIAS;
                tangent(s, reg, se & 0x8000, exp, Ext.significand(s.fpMantissa[reg]));
                Ext.push(s, Ext.BIAS, Ext.INTEGER_BIT);
            }
            case PUSH_ONE -> Ext.push(s, Ext.BIAS, Ext.INTEGER_BIT);
            case PUSH_SAME -> Ext.push(s, s.fpSignExp[reg], s.fpMantissa[reg]);
            default -> {}
        }
    }

    /** The stack check of an instruction that pushes a second result. */
    private static boolean begin(CpuState s) {
        int reg = s.fpTop;
        s.fpStatus &= ~(X87.C1 | X87.C2);
        boolean empty = (s.fpEmpty >> reg & 1) != 0;
        if (!empty && Ext.canPush(s)) return true;
        if (empty ? Status.underflow(s) : Status.overflow(s)) {
            Ext.setIndefinite(s, reg);
            s.fpTop = reg - 1 & 7;
            Ext.setIndefinite(s, s.fpTop);
        }
        return false;
    }

    /** Deals with all that is not a finite number in range, for which it sets C2; it was clear. */
    private static int special(CpuState s, int reg, boolean cosine) {
        int se = s.fpSignExp[reg];
        long m = s.fpMantissa[reg];
        if (Ext.isUnsupported(se, m) || Ext.isNan(se, m)) return Ext.nanOperand(s, reg, se, m) ? PUSH_SAME : STOP;
        if (Ext.isInfinity(se, m)) return Ext.invalid(s, reg) ? PUSH_SAME : STOP;
        if ((se & Ext.MAX) >= Ext.BIAS + 63) {
            s.fpStatus |= X87.C2;
            return STOP;
        }
        if (m == 0) {
            if (cosine) Ext.set(s, reg, Ext.BIAS, Ext.INTEGER_BIT);
            return PUSH_ONE;
        }
        return Ext.isDenormal(se, m) && !Status.raise(s, X87.DE) ? STOP : COMPUTE;
    }

    /**
     * Reduces the magnitude {@code m * 2^(exp - 63)} to {@code x} between -pi/4 and pi/4.
     *
     * @return the quadrant, modulo 4: the argument is x plus that many quarter turns
     */
    private static int reduce(Wide x, int exp, long m) {
        if (exp < -1) {
            // Below a half; and what is below double's range is no matter to a cosine.
            x.setSignificand(m).scale(Math.max(exp, -200));
            return 0;
        }
        // Long division of m * 2^(exp + 2), in units of 2^-65, by a quarter turn.
        long high = 0, low = m;
        int quotient = 0;
        for (int i = exp + 2; i > 0; i--) {
            high = high << 1 | low >>> 63;
            low <<= 1;
            quotient <<= 1;
            if (high > PI_HIGH || high == PI_HIGH && Long.compareUnsigned(low, PI_LOW) >= 0) {
                high -= PI_HIGH + (Long.compareUnsigned(low, PI_LOW) < 0 ? 1 : 0);
                low -= PI_LOW;
                quotient |= 1;
            }
        }
        // To the nearer end of the quarter.
        boolean over = high > 1 || high == 1 && Long.compareUnsigned(low, PI_LOW >>> 1 | Long.MIN_VALUE) > 0;
        if (over) {
            high = PI_HIGH - high - (Long.compareUnsigned(PI_LOW, low) < 0 ? 1 : 0);
            low = PI_LOW - low;
            quotient++;
        }
        // 66 bits: the high 34 and the low 32 are doubles exactly.
        x.set(high * 0x1p32 + (low >>> 32), 0).scale(-33).add((low & 0xffffffffL) * 0x1p-65, 0);
        if (over) x.negate();
        return quotient & 3;
    }

    private static void sine(CpuState s, int reg, int sign, int exp, long m, int quadrant, Wide x) {
        if (exp < LINEAR) {
            // Less than the argument by less than half a last place.
            boolean power = m == Ext.INTEGER_BIT;
            Round.pack(s, reg, sign, exp + Ext.BIAS - (power ? 1 : 0), m - 1 | (power ? Ext.INTEGER_BIT : 0), -1L, 0);
            return;
        }
        Wide v = (quadrant & 1) == 0 ? sineSeries(x) : cosineSeries(x);
        if ((quadrant & 2) != 0) v.negate();
        packSigned(s, reg, sign, v);
    }

    private static void cosine(CpuState s, int reg, int quadrant, Wide x) {
        Wide v = (quadrant & 1) == 0 ? cosineSeries(x) : sineSeries(x);
        if (quadrant == 1 || quadrant == 2) v.negate();
        packSigned(s, reg, 0, v);
    }

    private static void tangent(CpuState s, int reg, int sign, int exp, long m) {
        if (exp < LINEAR) {
            Round.pack(s, reg, sign, exp + Ext.BIAS, m, 1, 0);
            return;
        }
        Wide x = new Wide();
        int quadrant = reduce(x, exp, m);
        Wide cosine = cosineSeries(new Wide().set(x)), sine = sineSeries(x);
        Wide v = (quadrant & 1) == 0 ? sine.divide(cosine) : cosine.divide(sine).negate();
        packSigned(s, reg, sign, v);
    }

    private static void packSigned(CpuState s, int reg, int sign, Wide v) {
        if (v.hi < 0) {
            v.negate();
            sign ^= 0x8000;
        }
        v.pack(s, reg, sign, 0);
    }

    private static Wide sineSeries(Wide x) {
        Wide square = new Wide().set(x).multiply(x);
        return new Wide().series(Series.SINE, Series.TRIG_TERMS - 1, square).multiply(x);
    }

    private static Wide cosineSeries(Wide x) {
        Wide square = new Wide().set(x).multiply(x);
        return new Wide().series(Series.COSINE, Series.TRIG_TERMS - 1, square);
    }
}
