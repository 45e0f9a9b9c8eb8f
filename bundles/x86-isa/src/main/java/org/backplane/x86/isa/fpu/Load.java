package org.backplane.x86.isa.fpu;

import org.backplane.kvm.spi.cpu.CpuState;

/** FLD m32fp and m64fp, FILD and the constants. */
final class Load {
    private Load() {}

    static void f64(CpuState s, long bits) {
        s.fpStatus &= ~X87.C1;
        int exp = (int) (bits >>> 52) & 0x7ff;
        if (exp != 0 && exp != 0x7ff) {
            Ext.push(s, (int) (bits >> 48) & 0x8000 | exp + Convert.REBIAS64, bits << 11 | Ext.INTEGER_BIT);
        } else {
            special(s, Convert.signExp64(bits), Convert.mantissa64(bits), Convert.isDenormal64(bits));
        }
    }

    static void f32(CpuState s, int bits) {
        s.fpStatus &= ~X87.C1;
        special(s, Convert.signExp32(bits), Convert.mantissa32(bits), Convert.isDenormal32(bits));
    }

    private static void special(CpuState s, int se, long m, boolean denormal) {
        // A stack overflow comes before what the operand raises (SDM 1 8.5).
        if (Ext.canPush(s)) {
            // Unmasked, too, the denormal is pushed.
            if (denormal) Status.raise(s, X87.DE);
            if (Ext.isNan(se, m) && (m & Ext.QUIET_BIT) == 0) {
                if (!Status.raise(s, X87.IE)) return;
                m |= Ext.QUIET_BIT;
            }
        }
        Ext.push(s, se, m);
    }

    static void integer(CpuState s, long value) {
        s.fpStatus &= ~X87.C1;
        Ext.push(s, Convert.signExpInteger(value), Convert.mantissaInteger(value));
    }

    /** D9 E8+n: 1, log2 10, log2 e, pi, log10 2, ln 2, 0. All are rounded as the control word says, without PE. */
    static void constant(CpuState s, int n) {
        s.fpStatus &= ~X87.C1;
        int mode = Round.mode(s);
        boolean up = mode == Round.UP, nearest = mode == Round.NEAREST;
        switch (n) {
            case 0 -> Ext.push(s, Ext.BIAS, Ext.INTEGER_BIT);
            case 1 -> Ext.push(s, 0x4000, 0xd49a784bcd1b8afeL + (up ? 1 : 0));
            case 2 -> Ext.push(s, 0x3fff, 0xb8aa3b295c17f0bbL + (up || nearest ? 1 : 0));
            case 3 -> Ext.push(s, 0x4000, 0xc90fdaa22168c234L + (up || nearest ? 1 : 0));
            case 4 -> Ext.push(s, 0x3ffd, 0x9a209a84fbcff798L + (up || nearest ? 1 : 0));
            case 5 -> Ext.push(s, 0x3ffe, 0xb17217f7d1cf79abL + (up || nearest ? 1 : 0));
            default -> Ext.push(s, 0, 0);
        }
    }
}
