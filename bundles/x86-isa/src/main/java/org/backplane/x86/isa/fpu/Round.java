package org.backplane.x86.isa.fpu;

import org.backplane.kvm.spi.cpu.CpuState;

/**
 * Rounding of an exact or sticky result to the 80-bit format (SDM 1 4.8.4, 8.1.5.2, 8.5.4 to 8.5.6).
 *
 * <p>A result is {@code sign}, biased exponent {@code exp} (any int, the exponent range is not bounded yet), and a significand of 128
 * bits: {@code hi} with its integer bit one and {@code lo} below it, whose bit 0 stands for everything that was cut off. It is
 * rounded to the precision of the control word, and overflow, underflow and inexactness are raised. These are
 * post-computation exceptions: the destination is written and the instruction completes also when they are unmasked; then the
 * exponent is wrapped by 24576.
 *
 * <p>C1 must be clear before; it is set when the magnitude was rounded up.
 */
final class Round {
    /** Rounding control, bits 11:10 of the control word. */
    static final int NEAREST = 0, DOWN = 1, UP = 2, ZERO = 3;

    /** What is added to or subtracted from the exponent when overflow or underflow is unmasked. */
    static final int WRAP = 24576;

    /** Control word bits of {@link #isDefault}: precision, rounding and masks. */
    private static final int MODE = 0xf3f, DEFAULT_MODE = 0x33f;

    private Round() {}

    /** 64-bit precision, rounding to nearest, all exceptions masked: what FNINIT sets, and the fast paths assume. */
    static boolean isDefault(CpuState s) {
        return (s.fpControl & MODE) == DEFAULT_MODE;
    }

    static int mode(CpuState s) {
        return s.fpControl >> 10 & 3;
    }

    /** Low bits of the significand that the precision control cuts: 40, 0 (reserved encoding: as extended), 11, 0. */
    static int cutBits(CpuState s) {
        return switch (s.fpControl >> 8 & 3) {
            case 0 -> 40;
            case 2 -> 11;
            default -> 0;
        };
    }

    /**
     * Whether to round the magnitude up.
     *
     * @param odd lowest kept bit is one
     * @param rest what is cut: bit 63 is one half of the lowest kept bit, zero means exact
     */
    static boolean up(int mode, boolean negative, boolean odd, long rest) {
        return switch (mode) {
            case NEAREST -> rest < 0 && (odd || rest != Long.MIN_VALUE);
            case DOWN -> negative && rest != 0;
            case UP -> !negative && rest != 0;
            default -> false;
        };
    }

    /** Rounds to the precision of the control word and writes the register. {@code sign} is 0 or 0x8000. */
    static void pack(CpuState s, int reg, int sign, int exp, long hi, long lo) {
        pack(s, reg, sign, exp, hi, lo, cutBits(s));
    }

    /** The same with an explicit precision: {@code cut} low bits of the significand are not kept. */
    static void pack(CpuState s, int reg, int sign, int exp, long hi, long lo, int cut) {
        if (exp <= 0) {
            packTiny(s, reg, sign, exp, hi, lo, cut);
            return;
        }
        long rest = rest(hi, lo, cut);
        long kept = hi >>> cut << cut;
        if (rest != 0) {
            int flags = X87.PE;
            if (up(mode(s), sign != 0, (kept >>> cut & 1) != 0, rest)) {
                flags |= X87.C1;
                kept += 1L << cut;
                if (kept == 0) {
                    kept = Ext.INTEGER_BIT;
                    exp++;
                }
            }
            if (exp >= Ext.MAX) {
                packOverflow(s, reg, sign, exp, kept, cut, flags);
                return;
            }
            s.fpStatus |= flags & X87.C1;
            Status.raise(s, X87.PE);
        } else if (exp >= Ext.MAX) {
            packOverflow(s, reg, sign, exp, kept, cut, 0);
            return;
        }
        Ext.set(s, reg, sign | exp, kept);
    }

    /** What is below the kept bits, aligned to bit 63, with a sticky bit 0. */
    static long rest(long hi, long lo, int cut) {
        return cut == 0 ? lo : hi << 64 - cut | (lo != 0 ? 1 : 0);
    }

    private static void packOverflow(CpuState s, int reg, int sign, int exp, long kept, int cut, int flags) {
        if ((s.fpControl & X87.OE) == 0) {
            exp -= WRAP;
            if (exp < Ext.MAX) {
                s.fpStatus |= flags & X87.C1;
                Status.raise(s, X87.OE | flags & X87.PE);
                Ext.set(s, reg, sign | exp, kept);
            } else {
                // Beyond even the wrapped range (FSCALE): infinity, in every rounding mode.
                s.fpStatus |= X87.C1;
                Status.raise(s, X87.OE | X87.PE);
                Ext.set(s, reg, sign | Ext.MAX, Ext.INTEGER_BIT);
            }
            return;
        }
        Status.raise(s, X87.OE | X87.PE);
        int mode = mode(s);
        if (mode == NEAREST || mode == (sign != 0 ? DOWN : UP)) {
            s.fpStatus |= X87.C1;
            Ext.set(s, reg, sign | Ext.MAX, Ext.INTEGER_BIT);
        } else {
            Ext.set(s, reg, sign | Ext.MAX - 1, -1L << cut);
        }
    }

    private static void packTiny(CpuState s, int reg, int sign, int exp, long hi, long lo, int cut) {
        int mode = mode(s);
        // Tiny is what, rounded with an unbounded exponent, lies below the normal numbers (SDM 1 4.9.1.5).
        long rest = rest(hi, lo, cut);
        long kept = hi >>> cut << cut;
        boolean up = up(mode, sign != 0, (kept >>> cut & 1) != 0, rest);
        boolean carry = up && kept + (1L << cut) == 0;
        boolean tiny = exp < 0 || !carry;
        if (tiny && (s.fpControl & X87.UE) == 0) {
            packWrapped(s, reg, sign, exp, kept, cut, rest, up);
            return;
        }
        int shift = 1 - exp;
        long rest2, kept2;
        if (shift < 64) {
            lo = lo >>> shift | hi << 64 - shift | (lo << 64 - shift != 0 ? 1 : 0);
            hi >>>= shift;
        } else {
            // The integer bit falls to bit 63 of the rest or below it.
            lo = shift == 64 ? hi | (lo != 0 ? 1 : 0) : 1;
            hi = 0;
        }
        rest2 = rest(hi, lo, cut);
        kept2 = hi >>> cut << cut;
        if (rest2 != 0) {
            if (up(mode, sign != 0, (kept2 >>> cut & 1) != 0, rest2)) {
                kept2 += 1L << cut;
                s.fpStatus |= X87.C1;
            }
            Status.raise(s, tiny ? X87.UE | X87.PE : X87.PE);
        }
        Ext.set(s, reg, sign | (kept2 < 0 ? 1 : 0), kept2);
    }

    /** Unmasked underflow: the exponent is wrapped. */
    private static void packWrapped(
            CpuState s, int reg, int sign, int exp, long kept, int cut, long rest, boolean up) {
        if (exp + WRAP <= 0) {
            // Below even the wrapped range (FSCALE): zero, in every rounding mode.
            Status.raise(s, X87.UE | X87.PE);
            Ext.set(s, reg, sign, 0);
            return;
        }
        if (up) {
            s.fpStatus |= X87.C1;
            kept += 1L << cut;
            if (kept == 0) {
                kept = Ext.INTEGER_BIT;
                exp++;
            }
        }
        Status.raise(s, rest != 0 ? X87.UE | X87.PE : X87.UE);
        Ext.set(s, reg, sign | exp + WRAP, kept);
    }
}
