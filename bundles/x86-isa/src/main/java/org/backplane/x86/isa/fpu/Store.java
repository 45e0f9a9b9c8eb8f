package org.backplane.x86.isa.fpu;

import org.backplane.kvm.spi.cpu.CpuState;

/**
 * FST m32fp and m64fp, FIST: narrowing of ST(0).
 *
 * <p>Rounding control applies, precision control does not. With an unmasked exception other than precision the value returned is of
 * no meaning, as nothing is stored.
 */
final class Store {
    private Store() {}

    static long f64(CpuState s) {
        int top = s.fpTop, se = s.fpSignExp[top];
        long m = s.fpMantissa[top];
        s.fpStatus &= ~X87.C1;
        int exp = (se & Ext.MAX) - Convert.REBIAS64;
        // Normal in both formats, and rounding cannot overflow.
        if (exp > 0 && exp < 0x7fe && m < 0 && (s.fpEmpty >> top & 1) == 0 && Round.isDefault(s)) {
            long bits = (long) (se & 0x8000) << 48 | (long) exp << 52 | m << 1 >>> 12;
            long rest = m << 53;
            if (rest == 0) return bits;
            // A carry out of the fraction goes to the exponent, as it should.
            if (rest < 0 && (rest << 1 | bits & 1) != 0) {
                s.fpStatus |= X87.PE | X87.C1;
                return bits + 1;
            }
            s.fpStatus |= X87.PE;
            return bits;
        }
        return narrow(s, 11, 52, 1023);
    }

    static int f32(CpuState s) {
        s.fpStatus &= ~X87.C1;
        return (int) narrow(s, 8, 23, 127);
    }

    /**
     * ST(0) in a narrower format.
     *
     * @param expBits width of the exponent
     * @param fractionBits width of the fraction
     * @param bias of the exponent
     */
    private static long narrow(CpuState s, int expBits, int fractionBits, int bias) {
        int top = s.fpTop, se = s.fpSignExp[top];
        long m = s.fpMantissa[top];
        int maxExp = (1 << expBits) - 1;
        long sign = (se & 0x8000) != 0 ? 1L << expBits + fractionBits : 0;
        long infinity = (long) maxExp << fractionBits;
        long indefinite = 1L << expBits + fractionBits | infinity | 1L << fractionBits - 1;
        if ((s.fpEmpty >> top & 1) != 0) {
            Status.underflow(s);
            return indefinite;
        }
        if (Ext.isUnsupported(se, m)) {
            Status.raise(s, X87.IE);
            return indefinite;
        }
        if ((se & Ext.MAX) == Ext.MAX) {
            if (m == Ext.INTEGER_BIT) return sign | infinity;
            if ((m & Ext.QUIET_BIT) == 0) Status.raise(s, X87.IE);
            return sign | infinity | (m | Ext.QUIET_BIT) << 1 >>> 64 - fractionBits;
        }
        if (m == 0) return sign;
        return sign | finite(s, se, Ext.exponent(se, m) - Ext.BIAS + bias, Ext.significand(m), fractionBits, maxExp);
    }

    /** Exponent and fraction of a finite number: {@code exp} is biased for the narrow format, {@code m} normalized. */
    private static long finite(CpuState s, int se, int exp, long m, int fractionBits, int maxExp) {
        boolean negative = (se & 0x8000) != 0;
        int mode = Round.mode(s);
        int cut = 63 - fractionBits;
        long rest = m << 64 - cut;
        boolean up = Round.up(mode, negative, (m >>> cut & 1) != 0, rest);
        long kept = m >>> cut;
        boolean carry = up && kept + 1 >>> fractionBits + 1 != 0;
        if (exp <= 0) {
            boolean tiny = exp < 0 || !carry;
            int shift = cut + 1 - exp;
            if (shift < 64) {
                kept = m >>> shift;
                rest = m << 64 - shift;
            } else {
                kept = 0;
                rest = shift == 64 ? m : 1;
            }
            if (tiny && (s.fpControl & X87.UE) == 0) {
                // Nothing is stored; a tiny number is an underflow even when it is exact.
                Status.raise(s, X87.UE);
                return 0;
            }
            if (rest == 0) return kept;
            up = Round.up(mode, negative, (kept & 1) != 0, rest);
            if (up) s.fpStatus |= X87.C1;
            Status.raise(s, tiny ? X87.UE | X87.PE : X87.PE);
            return up ? kept + 1 : kept;
        }
        if (exp + (carry ? 1 : 0) >= maxExp) {
            if ((s.fpControl & X87.OE) == 0) {
                Status.raise(s, X87.OE);
                return 0;
            }
            Status.raise(s, X87.OE | X87.PE);
            long infinity = (long) maxExp << fractionBits;
            if (mode == Round.NEAREST || mode == (negative ? Round.DOWN : Round.UP)) {
                s.fpStatus |= X87.C1;
                return infinity;
            }
            return infinity - 1;
        }
        // The integer bit adds one to the exponent field, hence exp - 1.
        long bits = ((long) (exp - 1) << fractionBits) + kept;
        if (rest != 0) {
            if (up) {
                s.fpStatus |= X87.C1;
                bits++;
            }
            Status.raise(s, X87.PE);
        }
        return bits;
    }

    /** FIST: ST(0) as an integer of 16, 32 or 64 bits. */
    static long integer(CpuState s, int bits) {
        int top = s.fpTop, se = s.fpSignExp[top];
        long m = s.fpMantissa[top];
        s.fpStatus &= ~X87.C1;
        long indefinite = -1L << bits - 1;
        if ((s.fpEmpty >> top & 1) != 0) {
            Status.underflow(s);
            return indefinite;
        }
        int exp = (se & Ext.MAX) - Ext.BIAS;
        if (exp >= 0 && m >= 0 || exp > 63) {
            // Unsupported, NaN, infinity or far too large. (An unnormal below one fails below.)
            Status.raise(s, X87.IE);
            return indefinite;
        }
        if (Ext.isUnsupported(se, m)) {
            Status.raise(s, X87.IE);
            return indefinite;
        }
        if (m == 0) return 0;
        return fitted(s, (se & 0x8000) != 0, exp, m, bits, indefinite);
    }

    private static long fitted(CpuState s, boolean negative, int exp, long m, int bits, long indefinite) {
        // exp is at most 63: the integer part is m >>> 63 - exp.
        int shift = 63 - exp;
        long whole, rest;
        if (shift < 64) {
            whole = m >>> shift;
            rest = shift == 0 ? 0 : m << 64 - shift;
        } else {
            whole = 0;
            rest = shift == 64 ? m : 1;
        }
        boolean up = Round.up(Round.mode(s), negative, (whole & 1) != 0, rest);
        // No carry out of 64 bits: a fraction is there only when the integer part has less.
        if (up) whole++;
        long limit = negative ? -indefinite : -indefinite - 1;
        if (Long.compareUnsigned(whole, limit) > 0) {
            Status.raise(s, X87.IE);
            return indefinite;
        }
        if (rest != 0) {
            if (up) s.fpStatus |= X87.C1;
            Status.raise(s, X87.PE);
        }
        return negative ? -whole : whole;
    }
}
