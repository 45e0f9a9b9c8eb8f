package org.backplane.x86.isa.fpu;

import org.backplane.kvm.spi.cpu.CpuState;

/**
 * A number as the unevaluated sum of two doubles, {@code hi + lo} with {@code |lo|} at most half a last place of {@code hi}: about 105
 * bits, which leaves some 40 for errors of the transcendental functions before the 64th bit.
 *
 * <p>The operations are the classical error-free transformations (Dekker, Knuth; two-product by fused multiply-add). They are in place, as
 * an object is only scratch for one instruction. The exponent range is that of double; callers keep far from its ends and carry the
 * rest of the 15-bit exponent apart.
 */
final class Wide {
    /** Natural logarithm of 2, its inverse, and pi: the nearest pairs of doubles. */
    static final double LN2_HI = 0x1.62e42fefa39efp-1,
            LN2_LO = 0x1.abc9e3b39803fp-56,
            LOG2E_HI = 0x1.71547652b82fep0,
            LOG2E_LO = 0x1.777d0ffda0d24p-56,
            PI_HI = 0x1.921fb54442d18p1,
            PI_LO = 0x1.1a62633145c07p-53;

    private static final double TWO_63 = 0x1p63, TWO_52 = 0x1p52;

    double hi, lo;

    Wide set(double h, double l) {
        hi = h;
        lo = l;
        return this;
    }

    Wide set(Wide o) {
        return set(o.hi, o.lo);
    }

    /** A normalized 64-bit significand as a number in [1, 2), exactly. */
    Wide setSignificand(long m) {
        return set((m >>> 11) / TWO_52, (m & 0x7ff) / TWO_63);
    }

    Wide negate() {
        return set(-hi, -lo);
    }

    /** Multiplies by a power of two. */
    Wide scale(int exponent) {
        return set(Math.scalb(hi, exponent), Math.scalb(lo, exponent));
    }

    Wide add(double h, double l) {
        double s = hi + h, v = s - hi, e = hi - (s - v) + (h - v);
        double t = lo + l, w = t - lo, f = lo - (t - w) + (l - w);
        e += t;
        double u = s + e;
        e = e - (u - s) + f;
        hi = u + e;
        lo = e - (hi - u);
        return this;
    }

    Wide add(Wide o) {
        return add(o.hi, o.lo);
    }

    Wide multiply(double h, double l) {
        double p = hi * h;
        double e = Math.fma(hi, h, -p) + (hi * l + lo * h);
        hi = p + e;
        lo = e - (hi - p);
        return this;
    }

    Wide multiply(Wide o) {
        return multiply(o.hi, o.lo);
    }

    /** Divides; {@code o} is another object. */
    Wide divide(Wide o) {
        double q1 = hi / o.hi;
        double h1 = subtractMultiple(q1, o);
        double q2 = h1 / o.hi;
        double h2 = subtractMultiple(q2, o);
        double q3 = h2 / o.hi;
        double s = q1 + q2, e = q2 - (s - q1);
        return set(s, e).add(q3, 0);
    }

    /** Subtracts q times o, and gives the high part of what is left. */
    private double subtractMultiple(double q, Wide o) {
        double p = q * o.hi, e = Math.fma(q, o.hi, -p);
        double e2 = q * o.lo;
        add(-p, -e);
        add(-e2, -Math.fma(q, o.lo, -e2));
        return hi;
    }

    /** Square root of a positive number. */
    Wide root() {
        double r = Math.sqrt(hi);
        double p = r * r;
        // One Newton step: r + (x - r^2) / 2r.
        add(-p, -Math.fma(r, r, -p));
        double c = hi / (2 * r);
        return set(r, 0).add(c, 0);
    }

    /**
     * Sum of a power series in {@code x} by Horner's rule: this = sum of c[i] * x^i, i from {@code last} to 0.
     *
     * @param c coefficients: high parts at 2i, low parts at 2i + 1
     */
    Wide series(double[] c, int last, Wide x) {
        set(c[2 * last], c[2 * last + 1]);
        for (int i = last - 1; i >= 0; i--) multiply(x).add(c[2 * i], c[2 * i + 1]);
        return this;
    }

    /** Rounds {@code this * 2^exponent}, which is positive and inexact, into a register. {@code sign}: 0 or 0x8000. */
    void pack(CpuState s, int reg, int sign, int exponent) {
        int e = Math.getExponent(hi);
        double h = Math.scalb(hi, -e), l = Math.scalb(lo, 63 - e);
        double whole = Math.floor(l);
        long m = (long) (h * TWO_52) << 11;
        m += (long) whole;
        long rest = (long) ((l - whole) * TWO_63) << 1 | 1;
        if (m >= 0) {
            // hi was a power of two and lo negative.
            m = m << 1 | rest >>> 63;
            rest <<= 1;
            e--;
        }
        Round.pack(s, reg, sign, exponent + e + Ext.BIAS, m, rest | 1, 0);
    }
}
