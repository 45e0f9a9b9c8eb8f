package org.backplane.x86.isa.fpu;

import org.backplane.kvm.spi.cpu.CpuState;

/**
 * FPATAN: the angle of the point (ST(0), ST(1)), from -pi to pi; the result goes to ST(1) and the stack is popped.
 *
 * <p>The smaller of both coordinates over the larger is halved as an angle twice and put into the series; quadrant and
 * octant come from signs and order.
 */
final class ArcTangent {
    /** Ratios below 2 to this are their own arc tangents to more than 64 bits. */
    private static final int LINEAR = -36;

    private ArcTangent() {}

    static void fpatan(CpuState s) {
        if (Ext.requireTwoPopping(s) && angle(s, s.fpTop + 1 & 7)) X87.pop(s);
    }

    /** False when an unmasked exception stopped it. */
    private static boolean angle(CpuState s, int reg) {
        int sx = s.fpSignExp[s.fpTop], sy = s.fpSignExp[reg];
        long x = s.fpMantissa[s.fpTop], y = s.fpMantissa[reg];
        if (Ext.isUnsupported(sx, x) || Ext.isUnsupported(sy, y) || Ext.isNan(sx, x) || Ext.isNan(sy, y)) {
            return Ext.nanOperands(s, reg, sy, y, sx, x);
        }
        if ((Ext.isDenormal(sx, x) || Ext.isDenormal(sy, y)) && !Status.raise(s, X87.DE)) return false;
        boolean infiniteX = Ext.isInfinity(sx, x), infiniteY = Ext.isInfinity(sy, y);
        boolean left = (sx & 0x8000) != 0;
        int sign = sy & 0x8000;
        if (infiniteY) {
            quarters(s, reg, sign, !infiniteX ? 2 : left ? 3 : 1);
        } else if (y == 0 || infiniteX) {
            if (left) quarters(s, reg, sign, 4);
            else Ext.set(s, reg, sign, 0);
        } else if (x == 0) {
            quarters(s, reg, sign, 2);
        } else {
            finite(s, reg, sign, left, Ext.exponent(sx, x), Ext.significand(x), Ext.exponent(sy, y), Ext.significand(y));
        }
        return true;
    }

    /** Writes n quarters of pi. */
    private static void quarters(CpuState s, int reg, int sign, int n) {
        new Wide().set(Wide.PI_HI, Wide.PI_LO).multiply(n, 0).pack(s, reg, sign, -2);
    }

    private static void finite(CpuState s, int reg, int sign, boolean left, int ex, long x, int ey, long y) {
        boolean steep = ey != ex ? ey > ex : Long.compareUnsigned(y, x) > 0;
        int d = steep ? ex - ey : ey - ex;
        Wide t = new Wide().setSignificand(steep ? x : y);
        Wide by = new Wide().setSignificand(steep ? y : x);
        t.divide(by);
        if (!steep && !left && d < LINEAR) {
            // Just below the ratio, as the arc tangent is.
            t.add(-0x1p-100, 0).pack(s, reg, sign, d);
            return;
        }
        Wide a = d < -200 ? t.set(0x1p-200, 0) : arcTangent(t.scale(d));
        if (steep) a.negate().add(Wide.PI_HI / 2, Wide.PI_LO / 2);
        if (left) a.negate().add(Wide.PI_HI, Wide.PI_LO);
        a.pack(s, reg, sign, 0);
    }

    /** Arc tangent of t, 0 to 1, which is changed. */
    private static Wide arcTangent(Wide t) {
        int doublings = 0;
        Wide root = new Wide();
        // tan(a / 2) = t / (1 + sqrt(1 + t^2))
        for (; t.hi > 0.2; doublings++) {
            root.set(t).multiply(t).add(1, 0).root().add(1, 0);
            t.divide(root);
        }
        Wide square = root.set(t).multiply(t);
        Wide sum = new Wide().series(Series.ARC_TANGENT, Series.ARC_TERMS - 1, square);
        return sum.multiply(t).scale(doublings);
    }
}
