package org.backplane.x86.isa.fpu;

import org.backplane.kvm.spi.cpu.CpuState;

/**
 * The multiplication and division kernels: finite operands that are not zero, as biased exponent (any int) and normalized
 * significand; {@code sign} of the result is 0 or 0x8000.
 */
final class Product {
    private Product() {}

    /** Writes {@code reg} = a * b. */
    static void multiply(CpuState s, int reg, int sign, int ea, long a, int eb, long b) {
        int exp = ea + eb - (Ext.BIAS - 1);
        long hi = Math.unsignedMultiplyHigh(a, b), lo = a * b;
        // Normalizes without a branch, which no processor could predict.
        int shift = (int) (~hi >>> 63);
        hi = hi << shift | lo >>> 63 & shift;
        lo <<= shift;
        exp -= shift;
        Sum.finish(s, reg, sign, exp, hi, lo);
    }

    /** Writes {@code reg} = a / b. */
    static void divide(CpuState s, int reg, int sign, int ea, long a, int eb, long b) {
        int exp = ea - eb + Ext.BIAS;
        // Dividend of 128 bits in [b/2, b) * 2^64, so that the quotient has exactly 64 bits and is normalized.
        long hi = a, lo = 0;
        if (Long.compareUnsigned(a, b) >= 0) {
            lo = hi << 63;
            hi >>>= 1;
        } else {
            exp--;
        }
        long q = quotient(hi, lo, b);
        long remainder = lo - q * b;
        // The next 64 quotient bits decide the rounding; only their top bit and whether they are zero matter.
        long rest = 0;
        if (remainder != 0) {
            boolean half = remainder < 0 || Long.compareUnsigned(remainder << 1, b) >= 0;
            rest = half ? (remainder << 1 == b ? Long.MIN_VALUE : Long.MIN_VALUE | 1) : 1;
        }
        Sum.finish(s, reg, sign, exp, q, rest);
    }

    /**
     * Quotient of the 128-bit {@code hi:lo} by a normalized {@code d} greater than {@code hi} (Knuth 4.3.1 D with digits of 32
     * bits).
     */
    static long quotient(long hi, long lo, long d) {
        long dh = d >>> 32, dl = d & 0xffffffffL;
        long q1 = digit(hi, lo >>> 32, d, dh, dl);
        long r = (hi << 32 | lo >>> 32) - q1 * d;
        long q0 = digit(r, lo & 0xffffffffL, d, dh, dl);
        return q1 << 32 | q0;
    }

    /** One 32-bit quotient digit of {@code (u * 2^32 + next) / d} with {@code u < d}. */
    private static long digit(long u, long next, long d, long dh, long dl) {
        long q = Long.divideUnsigned(u, dh);
        long r = u - q * dh;
        while (q >>> 32 != 0 || Long.compareUnsigned(q * dl, r << 32 | next) > 0) {
            q--;
            r += dh;
            if (r >>> 32 != 0) break;
        }
        return q;
    }
}
