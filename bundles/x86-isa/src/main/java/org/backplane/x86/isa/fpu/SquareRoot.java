package org.backplane.x86.isa.fpu;

import org.backplane.kvm.spi.cpu.CpuState;

/** FSQRT. */
final class SquareRoot {
    private SquareRoot() {}

    /** ST(0) is not empty, C1 is clear. */
    static void fsqrt(CpuState s) {
        int reg = s.fpTop, se = s.fpSignExp[reg];
        long m = s.fpMantissa[reg];
        if (Ext.isUnsupported(se, m) || Ext.isNan(se, m)) {
            Ext.nanOperand(s, reg, se, m);
        } else if (m != 0) {
            if ((se & 0x8000) != 0) Ext.invalid(s, reg);
            else if (!Ext.isInfinity(se, m) && (!Ext.isDenormal(se, m) || Status.raise(s, X87.DE))) root(s, reg, se, m);
        }
    }

    private static void root(CpuState s, int reg, int se, long m) {
        int exp = Ext.exponent(se, m) - Ext.BIAS;
        m = Ext.significand(m);
        // A radicand of 128 bits, hi:lo, at least 2^126, so that its root has 64 bits.
        boolean odd = (exp & 1) != 0;
        long hi = odd ? m : m >>> 1, lo = odd ? 0 : m << 63;
        long root = root(hi, lo);
        long remainderHigh = remainderHigh(root, hi, lo), remainder = lo - root * root;
        // (root + 1/2)^2 = root^2 + root + 1/4, so a remainder above root rounds up, and there are no ties.
        long rest = 0;
        if (remainderHigh != 0 || Long.compareUnsigned(remainder, root) > 0) rest = Long.MIN_VALUE | 1;
        else if (remainder != 0) rest = 1;
        Sum.finish(s, reg, 0, (exp >> 1) + Ext.BIAS, root, rest);
    }

    /** Floor of the square root: half its digits from the high half, the others by a division (Zimmermann). */
    private static long root(long hi, long lo) {
        long r = (long) Math.sqrt((hi >>> 1) * 2.0 + (hi & 1));
        if (r > 0xffffffffL) r = 0xffffffffL;
        while (Long.compareUnsigned(r * r, hi) > 0) r--;
        while (r < 0xffffffffL && Long.compareUnsigned((r + 1) * (r + 1), hi) <= 0) r++;
        long left = hi - r * r;
        long q = Long.divideUnsigned((left << 31) + (lo >>> 33), r);
        if (q > 0xffffffffL) q = 0xffffffffL;
        long root = r << 32 | q;
        // The estimate is at most one too large.
        return remainderHigh(root, hi, lo) < 0 ? root - 1 : root;
    }

    /** Bits 127:64 of {@code hi:lo - root * root}. */
    private static long remainderHigh(long root, long hi, long lo) {
        long squareLow = root * root;
        return hi - Math.unsignedMultiplyHigh(root, root) - (Long.compareUnsigned(lo, squareLow) < 0 ? 1 : 0);
    }
}
