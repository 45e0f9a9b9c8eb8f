package org.backplane.x86.isa.fpu;

/** The MMX instructions that saturate, pack or unpack (SDM 1 9.4). */
final class MmxPack {
    private MmxPack() {}

    /** PUNPCKLBW, WD, DQ (60 to 62) and PUNPCKHBW, WD, DQ (68 to 6A): interleaves the low or high halves. */
    static long unpack(int opcode, long a, long b) {
        int width = 8 << (opcode & 3);
        if (opcode >= 0x68) {
            a >>>= 32;
            b >>>= 32;
        }
        long lane = -1L >>> 64 - width, out = 0;
        for (int at = 0; at < 32; at += width) {
            out |= (a >>> at & lane) << 2 * at;
            out |= (b >>> at & lane) << 2 * at + width;
        }
        return out;
    }

    /** PACKSSWB (63), PACKUSWB (67), PACKSSDW (6B): a to the low half, b to the high half, each lane at half its width. */
    static long pack(int opcode, long a, long b) {
        int width = opcode == 0x6b ? 32 : 16, half = width / 2;
        long max = opcode == 0x67 ? 255 : (1L << half - 1) - 1;
        long min = opcode == 0x67 ? 0 : -max - 1;
        long mask = -1L >>> 64 - half, out = 0;
        for (int at = 0; at < 64; at += width) {
            int up = 64 - width - at;
            out |= (clamp(a << up >> 64 - width, min, max) & mask) << at / 2;
            out |= (clamp(b << up >> 64 - width, min, max) & mask) << 32 + at / 2;
        }
        return out;
    }

    /** PSUBUS, PADDUS, PSUBS, PADDS (D8, DC, E8, EC) and, with bit 0 set, their word forms. */
    static long saturating(int opcode, long a, long b) {
        int width = (opcode & 1) != 0 ? 16 : 8;
        boolean signed = opcode >= 0xe8, adds = (opcode & 4) != 0;
        long max = -1L >>> 64 - width + (signed ? 1 : 0), min = signed ? -max - 1 : 0;
        long mask = -1L >>> 64 - width, out = 0;
        for (int at = 0; at < 64; at += width) {
            long x = a >>> at & mask, y = b >>> at & mask;
            if (signed) {
                x = x << 64 - width >> 64 - width;
                y = y << 64 - width >> 64 - width;
            }
            out |= (clamp(adds ? x + y : x - y, min, max) & mask) << at;
        }
        return out;
    }

    private static long clamp(long v, long min, long max) {
        return Math.min(Math.max(v, min), max);
    }
}
