package org.backplane.x86.isa.fpu;

import org.backplane.kvm.spi.cpu.CpuState;

/**
 * FPREM and FPREM1 (SDM 2A): exact partial remainders.
 *
 * <p>With exponents less than 64 apart the remainder is complete: C2 = 0, and C0, C3, C1 are bits 2, 1, 0 of the quotient. Otherwise
 * one step reduces the exponent difference by 32 to 63 and sets C2.
 */
final class Remainder {
    private Remainder() {}

    /** ST(0) and ST(1) are not empty, C1 is clear. {@code nearest}: FPREM1. */
    static void fprem(CpuState s, boolean nearest) {
        int reg = s.fpTop, by = reg + 1 & 7;
        int sa = s.fpSignExp[reg], sb = s.fpSignExp[by];
        long a = s.fpMantissa[reg], b = s.fpMantissa[by];
        if (Ext.isUnsupported(sa, a) || Ext.isUnsupported(sb, b) || Ext.isNan(sa, a) || Ext.isNan(sb, b)) {
            Ext.nanOperands(s, reg, sa, a, sb, b);
            return;
        }
        if (Ext.isInfinity(sa, a) || b == 0) {
            Ext.invalid(s, reg);
            return;
        }
        if ((Ext.isDenormal(sa, a) || Ext.isDenormal(sb, b)) && !Status.raise(s, X87.DE)) return;
        s.fpStatus &= ~(X87.C0 | X87.C3);
        if (a == 0) return;
        int sign = sa & 0x8000, ea = Ext.exponent(sa, a);
        a = Ext.significand(a);
        if (Ext.isInfinity(sb, b)) {
            Round.pack(s, reg, sign, ea, a, 0, 0);
            return;
        }
        int eb = Ext.exponent(sb, b);
        b = Ext.significand(b);
        int d = ea - eb;
        if (d >= 64) partial(s, reg, sign, d, a, eb, b);
        else if (d >= 0) complete(s, reg, sign, d, a, eb, b, nearest);
        else if (nearest && d == -1 && Long.compareUnsigned(a, b) > 0) {
            // Between a half and one divisor: the quotient rounds to one. The remainder is b - a/2, in units of half a last place.
            setQuotient(s, 1);
            long r = b - (a - b);
            write(s, reg, sign ^ 0x8000, eb - 1, r);
        } else {
            Round.pack(s, reg, sign, ea, a, 0, 0);
        }
    }

    private static void complete(
            CpuState s, int reg, int sign, int d, long a, int eb, long b, boolean nearest) {
        long q = 0;
        if (Long.compareUnsigned(a, b) >= 0) {
            a -= b;
            q = 1;
        }
        if (d > 0) {
            long hi = a >>> 64 - d, lo = a << d;
            long digits = Product.quotient(hi, lo, b);
            q = (q << d) + digits;
            a = lo - digits * b;
        }
        if (nearest) {
            long up = b - a;
            int order = Long.compareUnsigned(a, up);
            if (order > 0 || order == 0 && (q & 1) != 0) {
                a = up;
                sign ^= 0x8000;
                q++;
            }
        }
        setQuotient(s, (int) q);
        write(s, reg, sign, eb, a);
    }

    /** Subtracts the largest multiple of b * 2^(d - n) that fits. */
    private static void partial(CpuState s, int reg, int sign, int d, long a, int eb, long b) {
        int n = d & 31 | 32;
        if (Long.compareUnsigned(a, b) >= 0) a -= b;
        long hi = a >>> 64 - n, lo = a << n;
        long r = lo - Product.quotient(hi, lo, b) * b;
        s.fpStatus |= X87.C2;
        write(s, reg, sign, eb + d - n, r);
    }

    private static void setQuotient(CpuState s, int q) {
        int codes = 0;
        if ((q & 4) != 0) codes |= X87.C0;
        if ((q & 2) != 0) codes |= X87.C3;
        if ((q & 1) != 0) codes |= X87.C1;
        s.fpStatus |= codes;
    }

    private static void write(CpuState s, int reg, int sign, int exp, long r) {
        if (r == 0) Ext.set(s, reg, sign, 0);
        else Round.pack(s, reg, sign, exp - Long.numberOfLeadingZeros(r), Ext.significand(r), 0, 0);
    }
}
