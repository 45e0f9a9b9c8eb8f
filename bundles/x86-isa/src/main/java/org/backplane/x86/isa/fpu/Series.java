package org.backplane.x86.isa.fpu;

/** Coefficients of the power series, as pairs of doubles for {@link Wide#series}. Computed once; never written after. */
final class Series {
    /** Terms of the series of sine and cosine, whose arguments are at most pi/4. */
    static final int TRIG_TERMS = 14;

    /** Terms of the exponential's series, whose argument is at most ln 2 / 16. */
    static final int EXP_TERMS = 15;

    /** Terms of the inverse tangents' series, whose arguments are at most 0.2. */
    static final int ARC_TERMS = 20;

    /** (-1)^i / (2i+1)! and (-1)^i / (2i)!, in x^2; 1 / (i+1)!, in x. */
    static final double[] SINE = new double[2 * TRIG_TERMS],
            COSINE = new double[2 * TRIG_TERMS],
            EXP = new double[2 * EXP_TERMS];

    /** (-1)^i / (2i+1) and 1 / (2i+1), in x^2. */
    static final double[] ARC_TANGENT = new double[2 * ARC_TERMS], HYPERBOLIC = new double[2 * ARC_TERMS];

    static {
        Wide inverse = new Wide().set(1, 0), divisor = new Wide();
        for (int n = 0; n < 2 * TRIG_TERMS; n++) {
            if (n > 1) inverse.divide(divisor.set(n, 0));
            int i = n / 2, sign = (i & 1) == 0 ? 1 : -1;
            double[] c = (n & 1) == 0 ? COSINE : SINE;
            c[2 * i] = sign * inverse.hi;
            c[2 * i + 1] = sign * inverse.lo;
            if (n > 0 && n <= EXP_TERMS) {
                EXP[2 * (n - 1)] = inverse.hi;
                EXP[2 * (n - 1) + 1] = inverse.lo;
            }
        }
        for (int i = 0; i < ARC_TERMS; i++) {
            inverse.set(1, 0).divide(divisor.set(2 * i + 1, 0));
            int sign = (i & 1) == 0 ? 1 : -1;
            HYPERBOLIC[2 * i] = inverse.hi;
            HYPERBOLIC[2 * i + 1] = inverse.lo;
            ARC_TANGENT[2 * i] = sign * inverse.hi;
            ARC_TANGENT[2 * i + 1] = sign * inverse.lo;
        }
    }

    private Series() {}
}
