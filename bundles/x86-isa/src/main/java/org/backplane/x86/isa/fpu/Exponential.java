package org.backplane.x86.isa.fpu;

import org.backplane.kvm.spi.cpu.CpuState;

/** F2XM1: two to ST(0), minus one, for ST(0) from -1 to 1. Outside that range the SDM defines nothing; ST(0) stays as it is then. */
final class Exponential {
    /** Below this exponent x ln 2 is the result to more than 64 bits. */
    private static final int LINEAR = -70;

    private Exponential() {}

    /** ST(0) is not empty, C1 is clear. */
    static void f2xm1(CpuState s) {
        int reg = s.fpTop, se = s.fpSignExp[reg];
        long m = s.fpMantissa[reg];
        int sign = se & 0x8000;
        if (Ext.isUnsupported(se, m) || Ext.isNan(se, m)) {
            Ext.nanOperand(s, reg, se, m);
        } else if (Ext.isInfinity(se, m)) {
            if (sign != 0) Ext.set(s, reg, 0x8000 | Ext.BIAS, Ext.INTEGER_BIT);
        } else if (m != 0 && (!Ext.isDenormal(se, m) || Status.raise(s, X87.DE))) {
            int exp = Ext.exponent(se, m) - Ext.BIAS;
            m = Ext.significand(m);
            if (exp < 0) compute(s, reg, sign, exp, m);
            else if (exp == 0 && m == Ext.INTEGER_BIT && sign != 0) Ext.set(s, reg, 0x8000 | Ext.BIAS - 1, m);
        }
    }

    private static void compute(CpuState s, int reg, int sign, int exp, long m) {
        Wide x = new Wide().setSignificand(m).multiply(Wide.LN2_HI, Wide.LN2_LO);
        if (exp < LINEAR) {
            x.pack(s, reg, sign, exp);
            return;
        }
        // e^y - 1 by its series for y / 16, then doubled four times: e^2y - 1 = (e^y - 1) (e^y + 1).
        x.scale(exp - 4);
        if (sign != 0) x.negate();
        Wide e = new Wide().series(Series.EXP, Series.EXP_TERMS - 1, x).multiply(x);
        Wide factor = x;
        for (int i = 0; i < 4; i++) e.multiply(factor.set(e).add(2, 0));
        if (sign != 0) e.negate();
        e.pack(s, reg, sign, 0);
    }
}
