package org.backplane.x86.isa.fpu;

import org.backplane.kvm.spi.cpu.CpuState;

/** FBLD and FBSTP: packed decimal integers of 18 digits with a sign in bit 79 (SDM 1 4.7). */
final class Bcd {
    /** The packed decimal indefinite is FFFF C000000000000000. */
    private static final long INDEFINITE_LOW = 0xc000000000000000L;

    private static final int INDEFINITE_HIGH = 0xffff;

    /** Ten to the eighteenth. */
    private static final long LIMIT = 1_000_000_000_000_000_000L;

    private Bcd() {}

    /** A digit above nine is undefined by the SDM; it counts as its value here. */
    static void load(CpuState s, long low, int high) {
        s.fpStatus &= ~X87.C1;
        long value = (high >> 4 & 15) * 10L + (high & 15);
        for (int shift = 60; shift >= 0; shift -= 4) value = value * 10 + (low >>> shift & 15);
        Ext.push(s, high & 0x8000 | Convert.signExpInteger(value), Convert.mantissaInteger(value));
    }

    static long storeLow(CpuState s) {
        long value = rounded(s);
        if (value < 0) return INDEFINITE_LOW;
        long out = 0;
        for (int shift = 0; shift < 64; shift += 4) {
            out |= value % 10 << shift;
            value /= 10;
        }
        return out;
    }

    /** The rest of the operand; the status was set by {@link #storeLow}. */
    static int storeHigh(CpuState s) {
        int status = s.fpStatus;
        long value = rounded(s);
        s.fpStatus = status;
        if (value < 0) return INDEFINITE_HIGH;
        int digits = (int) (value / (LIMIT / 100));
        return s.fpSignExp[s.fpTop] & 0x8000 | digits / 10 << 4 | digits % 10;
    }

    /** Magnitude of ST(0) as an integer below {@link #LIMIT}, or -1 for the indefinite; raises what is due. */
    private static long rounded(CpuState s) {
        int top = s.fpTop, se = s.fpSignExp[top];
        long m = s.fpMantissa[top];
        s.fpStatus &= ~X87.C1;
        if ((s.fpEmpty >> top & 1) != 0) {
            Status.underflow(s);
            return -1;
        }
        int exp = (se & Ext.MAX) - Ext.BIAS;
        if (Ext.isUnsupported(se, m) || exp >= 60) {
            Status.raise(s, X87.IE);
            return -1;
        }
        if (m == 0) return 0;
        int shift = 63 - exp;
        long whole = shift < 64 ? m >>> shift : 0;
        long rest = shift < 64 ? m << 64 - shift : shift == 64 ? m : 1;
        boolean up = Round.up(Round.mode(s), (se & 0x8000) != 0, (whole & 1) != 0, rest);
        if (up) whole++;
        if (whole >= LIMIT) {
            Status.raise(s, X87.IE);
            return -1;
        }
        if (rest != 0) {
            if (up) s.fpStatus |= X87.C1;
            Status.raise(s, X87.PE);
        }
        return whole;
    }
}
