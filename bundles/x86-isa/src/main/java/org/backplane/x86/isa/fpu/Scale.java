package org.backplane.x86.isa.fpu;

import org.backplane.kvm.spi.cpu.CpuState;

/** FRNDINT, FSCALE and FXTRACT. Precision control does not apply to them (SDM 1 8.1.5.2). */
final class Scale {
    private Scale() {}

    /** ST(0) is not empty, C1 is clear. */
    static void frndint(CpuState s) {
        int reg = s.fpTop, se = s.fpSignExp[reg];
        long m = s.fpMantissa[reg];
        if (Ext.isUnsupported(se, m) || Ext.isNan(se, m)) {
            Ext.nanOperand(s, reg, se, m);
            return;
        }
        int exp = (se & Ext.MAX) - Ext.BIAS;
        // Zero, infinity, or without fraction bits.
        if (m == 0 || exp >= 63) return;
        if (Ext.isDenormal(se, m) && !Status.raise(s, X87.DE)) return;
        int sign = se & 0x8000, mode = Round.mode(s);
        if (exp < 0) {
            long rest = exp == -1 ? m : 1;
            boolean up = Round.up(mode, sign != 0, false, rest);
            if (up) s.fpStatus |= X87.C1;
            Status.raise(s, X87.PE);
            if (up) Ext.set(s, reg, sign | Ext.BIAS, Ext.INTEGER_BIT);
            else Ext.set(s, reg, sign, 0);
            return;
        }
        int cut = 63 - exp;
        long rest = m << 64 - cut, kept = m >>> cut << cut;
        if (rest == 0) return;
        if (Round.up(mode, sign != 0, (kept >>> cut & 1) != 0, rest)) {
            s.fpStatus |= X87.C1;
            kept += 1L << cut;
            if (kept == 0) {
                kept = Ext.INTEGER_BIT;
                se++;
            }
        }
        Status.raise(s, X87.PE);
        Ext.set(s, reg, se, kept);
    }

    /** ST(0) and ST(1) are not empty, C1 is clear. */
    static void fscale(CpuState s) {
        int reg = s.fpTop, by = reg + 1 & 7;
        int sa = s.fpSignExp[reg], sb = s.fpSignExp[by];
        long a = s.fpMantissa[reg], b = s.fpMantissa[by];
        if (Ext.isUnsupported(sa, a) || Ext.isUnsupported(sb, b) || Ext.isNan(sa, a) || Ext.isNan(sb, b)) {
            Ext.nanOperands(s, reg, sa, a, sb, b);
            return;
        }
        boolean infinite = Ext.isInfinity(sa, a);
        if (Ext.isInfinity(sb, b)) {
            // 0 * 2^+inf and inf * 2^-inf have no value.
            boolean grows = (sb & 0x8000) == 0;
            if (grows ? a == 0 : infinite) {
                Ext.invalid(s, reg);
            } else if (!Ext.isDenormal(sa, a) || Status.raise(s, X87.DE)) {
                if (grows) Ext.set(s, reg, sa & 0x8000 | Ext.MAX, Ext.INTEGER_BIT);
                else Ext.set(s, reg, sa & 0x8000, 0);
            }
            return;
        }
        if ((Ext.isDenormal(sa, a) || Ext.isDenormal(sb, b)) && !Status.raise(s, X87.DE)) return;
        if (infinite || a == 0) return;
        Round.pack(s, reg, sa & 0x8000, Ext.exponent(sa, a) + clampedInteger(sb, b), Ext.significand(a), 0, 0);
    }

    /** The integer part of a finite number, limited to what takes any number out of the exponent range, also wrapped. */
    private static int clampedInteger(int se, long m) {
        int exp = (se & Ext.MAX) - Ext.BIAS;
        if (exp < 0 || m == 0) return 0;
        int magnitude = exp > 16 ? 1 << 17 : (int) (m >>> 63 - exp);
        return (se & 0x8000) != 0 ? -magnitude : magnitude;
    }

    static void fxtract(CpuState s) {
        int reg = s.fpTop, se = s.fpSignExp[reg];
        long m = s.fpMantissa[reg];
        s.fpStatus &= ~X87.C1;
        if ((s.fpEmpty >> reg & 1) != 0 || !Ext.canPush(s)) {
            boolean masked = (s.fpEmpty >> reg & 1) != 0 ? Status.underflow(s) : Status.overflow(s);
            if (masked) both(s, reg, Ext.INDEFINITE_SE, Ext.INDEFINITE);
        } else if (Ext.isUnsupported(se, m)) {
            if (Status.raise(s, X87.IE)) both(s, reg, Ext.INDEFINITE_SE, Ext.INDEFINITE);
        } else if (Ext.isNan(se, m)) {
            if (!Ext.isSignalling(se, m) || Status.raise(s, X87.IE)) both(s, reg, se, m | Ext.QUIET_BIT);
        } else if (Ext.isInfinity(se, m)) {
            Ext.set(s, reg, Ext.MAX, Ext.INTEGER_BIT);
            Ext.push(s, se, m);
        } else if (m == 0) {
            // The exponent of zero is minus infinity, by way of a zero divide.
            if (!Status.raise(s, X87.ZE)) return;
            Ext.set(s, reg, 0x8000 | Ext.MAX, Ext.INTEGER_BIT);
            Ext.push(s, se, m);
        } else if (!Ext.isDenormal(se, m) || Status.raise(s, X87.DE)) {
            int exp = Ext.exponent(se, m) - Ext.BIAS;
            Ext.set(s, reg, Convert.signExpInteger(exp), Convert.mantissaInteger(exp));
            Ext.push(s, se & 0x8000 | Ext.BIAS, Ext.significand(m));
        }
    }

    /** Writes a value to {@code reg}, then pushes it over whatever is there. */
    private static void both(CpuState s, int reg, int se, long m) {
        Ext.set(s, reg, se, m);
        s.fpTop = s.fpTop - 1 & 7;
        Ext.set(s, s.fpTop, se, m);
    }
}
