package org.backplane.x86.isa.fpu;

import org.backplane.kvm.spi.cpu.CpuState;

/**
 * MMX (SDM 1 chapter 9): packed integers in the significands of the x87 registers.
 *
 * <p>An MMX instruction is: {@link #enter}, operands by {@link #read} or from memory, {@link #operate} or {@link #shift},
 * and {@link #write} of the result. MMX registers are the physical registers, without TOP.
 */
public final class Mmx {
    /** Sign bits of the lanes. */
    private static final long SIGN_B = 0x8080808080808080L, SIGN_W = 0x8000800080008000L, SIGN_D = 0x8000000080000000L;

    private Mmx() {}

    /** What every MMX instruction but EMMS does to the x87 state: all tags valid, TOP 0 (SDM 1 9.5.1). */
    public static void enter(CpuState s) {
        s.fpTop = 0;
        s.fpEmpty = 0;
    }

    /** EMMS: all tags empty, TOP 0. */
    public static void emms(CpuState s) {
        s.fpTop = 0;
        s.fpEmpty = 0xff;
    }

    /** MMn, n 0 to 7. */
    public static long read(CpuState s, int n) {
        return s.fpMantissa[n & 7];
    }

    /** Writes MMn; sign and exponent of the x87 register become all ones. */
    public static void write(CpuState s, int n, long value) {
        s.fpMantissa[n & 7] = value;
        s.fpSignExp[n & 7] = 0xffff;
    }

    /**
     * An instruction of two operands, 0F {@code opcode}: the packed arithmetic, logic, comparison, pack and unpack
     * instructions, and the shifts by a register (D1 to D3, E1, E2, F1 to F3).
     *
     * @param opcode second byte of the opcode, one for which {@link #defined} holds
     * @param a destination operand
     * @param b source operand, 64 bits (PUNPCKL* use its low half only)
     * @return what the destination becomes
     */
    public static long operate(int opcode, long a, long b) {
        return switch (opcode) {
            case 0xdb -> a & b;
            case 0xdf -> ~a & b;
            case 0xeb -> a | b;
            case 0xef -> a ^ b;
            case 0xfc -> add(a, b, SIGN_B);
            case 0xfd -> add(a, b, SIGN_W);
            case 0xfe -> add(a, b, SIGN_D);
            case 0xf8 -> subtract(a, b, SIGN_B);
            case 0xf9 -> subtract(a, b, SIGN_W);
            case 0xfa -> subtract(a, b, SIGN_D);
            case 0x74 -> equal(a, b, 8);
            case 0x75 -> equal(a, b, 16);
            case 0x76 -> equal(a, b, 32);
            case 0x64 -> greater(a, b, 8);
            case 0x65 -> greater(a, b, 16);
            case 0x66 -> greater(a, b, 32);
            case 0xd5, 0xe5 -> multiply(a, b, opcode == 0xe5 ? 16 : 0);
            case 0xf5 -> multiplyAdd(a, b);
            case 0x60, 0x61, 0x62, 0x68, 0x69, 0x6a -> MmxPack.unpack(opcode, a, b);
            case 0x63, 0x67, 0x6b -> MmxPack.pack(opcode, a, b);
            case 0xd1, 0xd2, 0xd3 -> shiftRight(opcode & 3, a, b);
            case 0xe1, 0xe2 -> shiftArithmetic(opcode & 3, a, b);
            case 0xf1, 0xf2, 0xf3 -> shiftLeft(opcode & 3, a, b);
            default -> MmxPack.saturating(opcode, a, b);
        };
    }

    /** Whether {@link #operate} knows the opcode. */
    public static boolean defined(int opcode) {
        return switch (opcode) {
            case 0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x74, 0x75, 0x76 -> true;
            case 0xd1, 0xd2, 0xd3, 0xd5, 0xd8, 0xd9, 0xdb, 0xdc, 0xdd, 0xdf -> true;
            case 0xe1, 0xe2, 0xe5, 0xe8, 0xe9, 0xeb, 0xec, 0xed, 0xef -> true;
            case 0xf1, 0xf2, 0xf3, 0xf5, 0xf8, 0xf9, 0xfa, 0xfc, 0xfd, 0xfe -> true;
            default -> false;
        };
    }

    /**
     * A shift by an immediate: 0F 71, 72, 73.
     *
     * @param opcode 0x71, 0x72 or 0x73: words, doublewords, quadword
     * @param reg the reg field of ModRM: 2 logical right, 4 arithmetic right (not 73), 6 left
     * @param count 0 to 255
     */
    public static long shift(int opcode, int reg, long a, int count) {
        return switch (reg) {
            case 2 -> shiftRight(opcode & 3, a, count);
            case 4 -> shiftArithmetic(opcode & 3, a, count);
            default -> shiftLeft(opcode & 3, a, count);
        };
    }

    // Lanes are added without their sign bits, so that no carry leaves a lane; these are put in after.

    private static long add(long a, long b, long signs) {
        return (a & ~signs) + (b & ~signs) ^ (a ^ b) & signs;
    }

    private static long subtract(long a, long b, long signs) {
        return (a | signs) - (b & ~signs) ^ (a ^ ~b) & signs;
    }

    private static long equal(long a, long b, int width) {
        long lane = -1L >>> 64 - width, out = 0;
        for (int at = 0; at < 64; at += width) if (((a ^ b) >>> at & lane) == 0) out |= lane << at;
        return out;
    }

    private static long greater(long a, long b, int width) {
        long lane = -1L >>> 64 - width, out = 0;
        for (int at = 0; at < 64; at += width) {
            int up = 64 - width - at;
            if (a << up >> 64 - width > b << up >> 64 - width) out |= lane << at;
        }
        return out;
    }

    private static long multiply(long a, long b, int shift) {
        long out = 0;
        for (int at = 0; at < 64; at += 16) {
            int product = (short) (a >> at) * (short) (b >> at);
            out |= (long) (product >> shift & 0xffff) << at;
        }
        return out;
    }

    private static long multiplyAdd(long a, long b) {
        int low = (short) a * (short) b + (short) (a >> 16) * (short) (b >> 16);
        int high = (short) (a >> 32) * (short) (b >> 32) + (short) (a >> 48) * (short) (b >> 48);
        return (long) high << 32 | low & 0xffffffffL;
    }

    // ---- shifts: width 1 words, 2 doublewords, 3 quadword; counts are unsigned 64-bit numbers ----

    private static long shiftRight(int size, long a, long count) {
        int width = 8 << size;
        if (Long.compareUnsigned(count, width) >= 0) return 0;
        return a >>> count & lanes(size) * (-1L >>> 64 - width >>> count);
    }

    private static long shiftLeft(int size, long a, long count) {
        int width = 8 << size;
        if (Long.compareUnsigned(count, width) >= 0) return 0;
        return a << count & lanes(size) * (-1L << count & -1L >>> 64 - width);
    }

    private static long shiftArithmetic(int size, long a, long count) {
        int width = 8 << size;
        int n = Long.compareUnsigned(count, width) >= 0 ? width - 1 : (int) count;
        long out = 0;
        for (int at = 0; at < 64; at += width) {
            out |= (a << 64 - width - at >> 64 - width + n & -1L >>> 64 - width) << at;
        }
        return out;
    }

    /** One in the lowest bit of each lane: a factor that copies a lane's mask to all. */
    private static long lanes(int size) {
        return switch (size) {
            case 1 -> 0x0001000100010001L;
            case 2 -> 0x0000000100000001L;
            default -> 1;
        };
    }
}
