package org.backplane.x86.isa.fpu;

import org.backplane.kvm.spi.cpu.CpuState;

/**
 * FYL2X and FYL2XP1: ST(1) times the logarithm to base 2 of ST(0), or of ST(0) plus one; the result goes to ST(1) and the stack is
 * popped.
 *
 * <p>log m = 2 artanh((m - 1) / (m + 1)) with m between the roots of 1/2 and 2; near 1 nothing is lost, as the difference is exact.
 */
final class Logarithm {
    /** The root of 2 as a significand, rounded. */
    private static final long ROOT_2 = 0xb504f333f9de6484L;

    /** Below this exponent log2(1 + x) is x log2(e) to more than 64 bits. */
    private static final int LINEAR = -70;

    private Logarithm() {}

    static void fyl2x(CpuState s) {
        if (Ext.requireTwoPopping(s) && yLog2x(s, s.fpTop + 1 & 7)) X87.pop(s);
    }

    /** False when an unmasked exception stopped it. */
    private static boolean yLog2x(CpuState s, int reg) {
        int sx = s.fpSignExp[s.fpTop], sy = s.fpSignExp[reg];
        long x = s.fpMantissa[s.fpTop], y = s.fpMantissa[reg];
        if (isNanOrUnsupported(sx, x) || isNanOrUnsupported(sy, y)) return Ext.nanOperands(s, reg, sy, y, sx, x);
        boolean infiniteX = Ext.isInfinity(sx, x), infiniteY = Ext.isInfinity(sy, y);
        int signY = sy & 0x8000;
        if (x == 0) {
            if (y == 0) return Ext.invalid(s, reg);
            if (!infiniteY && !Status.raise(s, X87.ZE)) return false;
            Ext.set(s, reg, signY ^ 0x8000 | Ext.MAX, Ext.INTEGER_BIT);
            return true;
        }
        if ((sx & 0x8000) != 0) return Ext.invalid(s, reg);
        int exp = infiniteX ? 1 : Ext.exponent(sx, x) - Ext.BIAS;
        long m = Ext.significand(x);
        boolean one = exp == 0 && m == Ext.INTEGER_BIT;
        if (infiniteX && y == 0 || infiniteY && one) return Ext.invalid(s, reg);
        if ((Ext.isDenormal(sx, x) || Ext.isDenormal(sy, y)) && !Status.raise(s, X87.DE)) return false;
        int sign = exp < 0 ? signY ^ 0x8000 : signY;
        if (infiniteX || infiniteY) {
            Ext.set(s, reg, sign | Ext.MAX, Ext.INTEGER_BIT);
        } else if (y == 0 || one) {
            Ext.set(s, reg, sign, 0);
        } else if (m == Ext.INTEGER_BIT) {
            // The logarithm is the exponent, exactly. Processors report precision all the same.
            timesInteger(s, reg, sign, Ext.exponent(sy, y), Ext.significand(y), Math.abs(exp));
        } else {
            Wide log = log2(exp, m);
            if (log.hi < 0) log.negate();
            multiply(s, reg, sign, log, 0, sy, y);
        }
        return true;
    }

    /** Writes y * n, exactly rounded, whatever the precision control says. {@code y} is normalized, {@code n} positive. */
    private static void timesInteger(CpuState s, int reg, int sign, int ey, long y, int n) {
        long hi = Math.unsignedMultiplyHigh(y, n), lo = y * n;
        int shift = Long.numberOfLeadingZeros(hi);
        if (hi == 0) Round.pack(s, reg, sign, ey, lo, 0, 0);
        else Round.pack(s, reg, sign, ey + 64 - shift, hi << shift | lo >>> 64 - shift, lo << shift, 0);
        Status.raise(s, (s.fpSignExp[reg] & Ext.MAX) == 0 ? X87.UE | X87.PE : X87.PE);
    }

    private static boolean isNanOrUnsupported(int se, long m) {
        return Ext.isUnsupported(se, m) || Ext.isNan(se, m);
    }

    /** Base 2 logarithm of {@code m * 2^exp}, m a significand. */
    private static Wide log2(int exp, long m) {
        Wide x = new Wide().setSignificand(m);
        if (Long.compareUnsigned(m, ROOT_2) > 0) {
            x.scale(-1);
            exp++;
        }
        Wide above = new Wide().set(x).add(1, 0);
        x.add(-1, 0).divide(above);
        return log2FromRatio(x).add(exp, 0);
    }

    /** Base 2 logarithm of m from r = (m - 1) / (m + 1), which is changed. */
    private static Wide log2FromRatio(Wide r) {
        Wide square = new Wide().set(r).multiply(r);
        Wide sum = new Wide().series(Series.HYPERBOLIC, Series.ARC_TERMS - 1, square);
        return sum.multiply(r).multiply(2 * Wide.LOG2E_HI, 2 * Wide.LOG2E_LO);
    }

    /** Writes y * factor * 2^exponent; the factor is positive. */
    private static void multiply(CpuState s, int reg, int sign, Wide factor, int exponent, int sy, long y) {
        Wide significand = new Wide().setSignificand(Ext.significand(y));
        factor.multiply(significand).pack(s, reg, sign, exponent + Ext.exponent(sy, y) - Ext.BIAS);
    }

    static void fyl2xp1(CpuState s) {
        if (Ext.requireTwoPopping(s) && yLog2xPlus1(s, s.fpTop + 1 & 7)) X87.pop(s);
    }

    private static boolean yLog2xPlus1(CpuState s, int reg) {
        int sx = s.fpSignExp[s.fpTop], sy = s.fpSignExp[reg];
        long x = s.fpMantissa[s.fpTop], y = s.fpMantissa[reg];
        if (isNanOrUnsupported(sx, x) || isNanOrUnsupported(sy, y)) return Ext.nanOperands(s, reg, sy, y, sx, x);
        boolean infiniteX = Ext.isInfinity(sx, x), infiniteY = Ext.isInfinity(sy, y);
        int sign = (sx ^ sy) & 0x8000;
        if (infiniteX && ((sx & 0x8000) != 0 || y == 0) || infiniteY && x == 0) return Ext.invalid(s, reg);
        if ((Ext.isDenormal(sx, x) || Ext.isDenormal(sy, y)) && !Status.raise(s, X87.DE)) return false;
        if (infiniteX || infiniteY) {
            Ext.set(s, reg, sign | Ext.MAX, Ext.INTEGER_BIT);
            return true;
        }
        if (x == 0 || y == 0) {
            Ext.set(s, reg, sign, 0);
            return true;
        }
        int exp = Ext.exponent(sx, x) - Ext.BIAS;
        x = Ext.significand(x);
        if (exp < LINEAR) {
            Wide factor = new Wide().setSignificand(x).multiply(Wide.LOG2E_HI, Wide.LOG2E_LO);
            multiply(s, reg, sign, factor, exp, sy, y);
            return true;
        }
        boolean negative = (sx & 0x8000) != 0;
        // At -1 and below there is no logarithm. (The SDM defines nothing below sqrt(1/2) - 1.)
        if (exp >= 0 && negative) return Ext.invalid(s, reg);
        Wide log = exp > 62 ? log2(exp, x) : log2Plus1(exp, x, negative);
        if (negative) log.negate();
        multiply(s, reg, sign, log, 0, sy, y);
        return true;
    }

    private static Wide log2Plus1(int exp, long m, boolean negative) {
        Wide x = new Wide().setSignificand(m).scale(exp);
        if (negative) x.negate();
        int shift = 0;
        // 1 + x brought to between the roots of 1/2 and 2; the subtraction of 1 after is exact only when it was not needed.
        if (exp >= -2) {
            Wide plus = new Wide().set(x).add(1, 0);
            shift = Math.getExponent(plus.hi);
            if (Math.scalb(plus.hi, -shift) > 0x1.6a09e667f3bcdp0) shift++;
            if (shift != 0) x.set(plus).scale(-shift).add(-1, 0);
        }
        Wide above = new Wide().set(x).add(2, 0);
        return log2FromRatio(x.divide(above)).add(shift, 0);
    }
}
