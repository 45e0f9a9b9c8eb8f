package org.backplane.x86.isa.fpu;

import org.backplane.kvm.spi.cpu.CpuState;

/**
 * The addition kernel: finite operands that are not zero, as sign (0 or 0x8000), biased exponent (any int) and normalized significand.
 */
final class Sum {
    private Sum() {}

    /** Writes {@code reg} = a + b. */
    static void add(CpuState s, int reg, int na, int ea, long a, int nb, int eb, long b) {
        int d = ea - eb;
        if (d < 0 || d == 0 && Long.compareUnsigned(a, b) < 0) {
            ordered(s, reg, nb, eb, b, na, a, -d);
        } else {
            ordered(s, reg, na, ea, a, nb, b, d);
        }
    }

    /** The same with |a| >= |b| and {@code d} the difference of the exponents. */
    private static void ordered(CpuState s, int reg, int na, int ea, long a, int nb, long b, int d) {
        // The bits of b that are shifted out go to rest, from distance 66 on only as a sticky bit: they are less than a quarter
        // of the last place then, which a difference can at most move up by one place.
        long rest;
        if (d < 64) {
            rest = d == 0 ? 0 : b << 64 - d;
            b >>>= d;
        } else {
            rest = d == 64 ? b : d == 65 ? b >>> 1 | b & 1 : 1;
            b = 0;
        }
        // Adds b:rest, or its two's complement when the signs differ; no branch, as signs are a coin toss.
        long minus = -(long) ((na ^ nb) >>> 15);
        long m = a + (b ^ minus) + (minus & ~(rest | -rest) >>> 63);
        rest = (rest ^ minus) - minus;
        // Normalized, unless both integer bits were added or a carry left bit 63, or a difference lost its high bits.
        if (m < 0 && d != 0) finish(s, reg, na, ea, m, rest);
        else if (minus == 0) finish(s, reg, na, ea + 1, m >>> 1 | Ext.INTEGER_BIT, rest >>> 1 | rest & 1 | m << 63);
        else difference(s, reg, na, ea, m, rest);
    }

    /** Normalizes a difference {@code m:rest} that has lost its high bits. */
    private static void difference(CpuState s, int reg, int sign, int exp, long m, long rest) {
        if (m == 0) {
            if (rest == 0) {
                Ext.set(s, reg, Arith.zeroSign(s), 0);
                return;
            }
            m = rest;
            rest = 0;
            exp -= 64;
        }
        int shift = Long.numberOfLeadingZeros(m);
        if (shift != 0) {
            m = m << shift | rest >>> 64 - shift;
            rest <<= shift;
        }
        finish(s, reg, sign, exp - shift, m, rest);
    }

    /** Rounds and writes (the register's tag is valid already): here in the default mode with a normal result, otherwise in {@link Round}. */
    static void finish(CpuState s, int reg, int sign, int exp, long m, long rest) {
        if (exp < 1 || exp >= Ext.MAX - 1 || !Round.isDefault(s)) {
            Round.pack(s, reg, sign, exp, m, rest);
            return;
        }
        if (rest != 0) {
            // One when rounding up: the half bit, and anything below it or an odd m. No branch, as it would be a coin toss.
            int up = (int) (rest >>> 63) & (int) ((rest << 1 | -(rest << 1) | m << 63) >>> 63);
            m += up;
            if (m == 0) {
                m = Ext.INTEGER_BIT;
                exp++;
            }
            s.fpStatus |= X87.PE | up << 9;
        }
        s.fpSignExp[reg] = sign | exp;
        s.fpMantissa[reg] = m;
    }
}
