package org.backplane.x86.isa.oracle;

import java.util.random.RandomGenerator;
import org.backplane.kvm.spi.cpu.CpuState;

/**
 * Random x87 operands and states in which every class of operand and every mode is frequent.
 *
 * <p>The values follow from the seed of the generator alone, on any host, so that a digest of results can be recorded.
 */
final class FpuOperands {
    private final RandomGenerator random;

    FpuOperands(RandomGenerator random) {
        this.random = random;
    }

    /** Significands that matter to rounding: few bits, all ones, halves. */
    private long mantissa() {
        return switch (random.nextInt(8)) {
            case 0 -> 1L << 63;
            case 1 -> -1L;
            case 2 -> 1L << 63 | 1L << random.nextInt(63);
            case 3 -> -1L << random.nextInt(64);
            case 4 -> 1L << 63 | random.nextLong() >>> random.nextInt(64);
            case 5 -> -1L ^ 1L << random.nextInt(63);
            default -> random.nextLong() | 1L << 63;
        };
    }

    /** Writes a random value to a physical register. */
    void register(CpuState s, int reg, int center) {
        long m = mantissa();
        int se = random.nextInt(2) << 15;
        switch (random.nextInt(24)) {
            case 0 -> m = 0; // zero
            case 1 -> { // infinity
                se |= 0x7fff;
                m = 1L << 63;
            }
            case 2 -> { // quiet NaN
                se |= 0x7fff;
                m |= 3L << 62;
            }
            case 3 -> { // signalling NaN
                se |= 0x7fff;
                m = m & ~(1L << 62) | 1L << random.nextInt(62);
            }
            case 4 -> m = m >>> 1 + random.nextInt(63); // denormal
            case 5 -> {} // pseudo-denormal
            case 6 -> { // unnormal, pseudo-NaN, pseudo-infinity
                se |= random.nextBoolean() ? 0x7fff : 1 + random.nextInt(0x7ffe);
                m &= Long.MAX_VALUE;
            }
            case 7 -> se |= 1 + random.nextInt(0x7ffe); // any exponent
            case 8 -> se |= 1 + random.nextInt(70); // smallest numbers
            case 9 -> se |= 0x7ffe - random.nextInt(70); // largest numbers
            case 10, 11 -> { // integers
                m = random.nextLong() >> random.nextInt(64);
                if (m == Long.MIN_VALUE || m == 0) m = 1;
                m = Math.abs(m);
                int z = Long.numberOfLeadingZeros(m);
                m <<= z;
                se |= 0x3fff + 63 - z;
            }
            case 12, 13 -> se |= 0x3fff - 1023 - 60 + random.nextInt(120); // about the smallest double
            case 14 -> se |= 0x3fff + (random.nextBoolean() ? 1024 : 128) - 2 + random.nextInt(4);
            case 15 -> se |= 0x3fff - 127 - 30 + random.nextInt(60); // about the smallest float
            default -> se |= center + random.nextInt(140) - 70;
        }
        s.fpMantissa[reg] = m;
        s.fpSignExp[reg] = se;
    }

    /** Random control word, status without a pending exception, TOP, tags and registers. */
    void state(CpuState s) {
        s.fpControl = random.nextInt(4) << 10 | random.nextInt(4) << 8 | 0x40;
        s.fpControl |= switch (random.nextInt(4)) {
            case 0 -> random.nextInt(64);
            case 1 -> 0x3f ^ 1 << random.nextInt(6);
            default -> 0x3f;
        };
        if (random.nextInt(4) == 0) s.fpControl = 0x37f;
        s.fpStatus = random.nextInt(8) << 8 | random.nextInt(2) << 14 | random.nextInt(64) & s.fpControl & 0x3f;
        if ((s.fpStatus & 1) != 0 && random.nextBoolean()) s.fpStatus |= 0x40;
        s.fpTop = random.nextInt(8);
        s.fpEmpty = random.nextInt(10) == 0 ? random.nextInt(256) : random.nextInt(8) == 0 ? 0 : 0xf8;
        s.fpEmpty = (s.fpEmpty << s.fpTop | s.fpEmpty >> 8 - s.fpTop) & 0xff;
        int center = random.nextInt(4) == 0 ? 100 + random.nextInt(0x7e00) : 0x3fff;
        for (int r = 0; r < 8; r++) register(s, r, center);
        if (random.nextInt(6) == 0) { // equal exponents or significands, for cancellation and ties
            int a = s.fpTop, b = a + 1 & 7;
            if (random.nextBoolean()) s.fpMantissa[b] = s.fpMantissa[a];
            else s.fpSignExp[b] = s.fpSignExp[a] ^ random.nextInt(2) << 15;
        }
        s.mxcsr = 0x1f80;
    }

    /** A random single, in the low half, or double. */
    long real(int bits) {
        int fractionBits = bits == 32 ? 23 : 52;
        int maxExp = bits == 32 ? 255 : 2047;
        long fraction = mantissa() << 1 >>> 64 - fractionBits;
        long exp = switch (random.nextInt(10)) {
            case 0 -> 0;
            case 1 -> maxExp;
            case 2 -> 1;
            case 3 -> maxExp - 1;
            default -> (maxExp >> 1) - 30 + random.nextInt(60);
        };
        if (random.nextInt(10) == 0) fraction = 0;
        return (long) random.nextInt(2) << bits - 1 | exp << fractionBits | fraction;
    }

    /** A random integer of that width, small ones and extremes among them, sign-extended. */
    long integer(int bits) {
        long v = random.nextLong() >> random.nextInt(64);
        if (random.nextInt(20) == 0) v = Long.MIN_VALUE >> random.nextInt(2);
        return v << 64 - bits >> 64 - bits;
    }

    /** Digits of a packed decimal. */
    long digits(int count) {
        long out = 0;
        for (int i = 0; i < count; i++) out = out << 4 | random.nextInt(10);
        return random.nextInt(4) == 0 ? out & 0xffff : out;
    }

    RandomGenerator random() {
        return random;
    }
}
