package org.backplane.x86.isa.oracle;

/** A memory operand of at most 16 bytes, as two little-endian words. */
final class OperandBytes {
    long low, high;

    int int16() {
        return (short) low;
    }

    int int32() {
        return (int) low;
    }

    /** Replaces the lowest {@code bits} bits of the operand. */
    void put(long value, int bits) {
        low = bits == 64 ? value : low & -1L << bits | value & ~(-1L << bits);
    }

    void put80(long value, int top) {
        low = value;
        high = high & ~0xffffL | top & 0xffff;
    }
}
