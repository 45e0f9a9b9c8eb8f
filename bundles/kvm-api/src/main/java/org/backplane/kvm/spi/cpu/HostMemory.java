package org.backplane.kvm.spi.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Loads and stores at host addresses: little-endian, unaligned, unchecked.
 *
 * <p>An address may come only from a {@link SoftTlb} entry, from {@link Intercepts#translate} or from the frame table:
 * any other number crashes the JVM. There is no liveness check either; whoever removes a memory slot first takes every
 * vCPU out of the guest and drops every TLB entry (DESIGN: guest memory).
 */
public final class HostMemory {
    /** All of the address space. As fast as {@code Unsafe}, because a static final segment's bounds are constants. */
    private static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** For atomic operations, which the architecture and the JDK allow at aligned addresses. */
    private static final VarHandle ALIGNED_INT = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();

    private static final VarHandle ALIGNED_LONG = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();

    private HostMemory() {}

    public static byte getByte(long host) {
        return ALL.get(ValueLayout.JAVA_BYTE, host);
    }

    public static short getShort(long host) {
        return ALL.get(SHORT, host);
    }

    public static int getInt(long host) {
        return ALL.get(INT, host);
    }

    public static long getLong(long host) {
        return ALL.get(LONG, host);
    }

    public static void putByte(long host, byte value) {
        ALL.set(ValueLayout.JAVA_BYTE, host, value);
    }

    public static void putShort(long host, short value) {
        ALL.set(SHORT, host, value);
    }

    public static void putInt(long host, int value) {
        ALL.set(INT, host, value);
    }

    public static void putLong(long host, long value) {
        ALL.set(LONG, host, value);
    }

    /** Compares and sets 4 bytes at a multiple of 4 as one operation; answers whether it was set. */
    public static boolean compareAndSetInt(long host, int expected, int value) {
        return ALIGNED_INT.compareAndSet(ALL, host, expected, value);
    }

    /** Compares and sets 8 bytes at a multiple of 8 as one operation; answers whether it was set. */
    public static boolean compareAndSetLong(long host, long expected, long value) {
        return ALIGNED_LONG.compareAndSet(ALL, host, expected, value);
    }

    /** Loads 1, 2, 4 or 8 bytes, zero-extended. */
    public static long get(long host, int size) {
        return switch (size) {
            case 1 -> getByte(host) & 0xffL;
            case 2 -> getShort(host) & 0xffffL;
            case 4 -> getInt(host) & 0xffffffffL;
            default -> getLong(host);
        };
    }

    /** Stores the low 1, 2, 4 or 8 bytes. */
    public static void put(long host, int size, long value) {
        switch (size) {
            case 1 -> putByte(host, (byte) value);
            case 2 -> putShort(host, (short) value);
            case 4 -> putInt(host, (int) value);
            default -> putLong(host, value);
        }
    }

    /**
     * Compares 1, 2, 4 or 8 bytes with {@code expected} and, if they are equal, stores {@code value}: atomically, against other threads, if the
     * bytes lie in one aligned word of 4 bytes, or 8 for a size of 8. Others (an unaligned LOCK) are compared and stored in two steps.
     *
     * @return what was found, zero-extended; the store happened if that is {@code expected}
     */
    public static long compareAndExchange(long host, int size, long expected, long value) {
        if (size == 8 && (host & 7) == 0) return (long) ALIGNED_LONG.compareAndExchange(ALL, host, expected, value);
        if (size == 4 && (host & 3) == 0) {
            return (int) ALIGNED_INT.compareAndExchange(ALL, host, (int) expected, (int) value) & 0xffffffffL;
        }
        if (size < 4 && (host & 3) + size <= 4) return compareAndExchangePart(host, size, expected, value);
        long found = get(host, size);
        if (found == (expected & -1L >>> 64 - 8 * size)) put(host, size, value);
        return found;
    }

    /** A byte or a word inside an aligned double word. */
    private static long compareAndExchangePart(long host, int size, long expected, long value) {
        long word = host & ~3L;
        int shift = (int) (host & 3) * 8;
        int mask = (1 << 8 * size) - 1;
        while (true) {
            int old = getInt(word);
            int found = old >>> shift & mask;
            if (found != ((int) expected & mask)) return found;
            int next = old & ~(mask << shift) | ((int) value & mask) << shift;
            if (ALIGNED_INT.compareAndSet(ALL, word, old, next)) return found;
        }
    }

    /** Copies between host addresses; the ranges may overlap. */
    public static void copy(long from, long to, long bytes) {
        MemorySegment.copy(ALL, from, ALL, to, bytes);
    }

    /** Fills a range with a byte. */
    public static void fill(long host, long bytes, byte value) {
        ALL.asSlice(host, bytes).fill(value);
    }

    /** Copies out of guest memory. */
    public static void copy(long from, byte[] to, int offset, int length) {
        MemorySegment.copy(ALL, ValueLayout.JAVA_BYTE, from, to, offset, length);
    }

    /** Copies into guest memory. */
    public static void copy(byte[] from, int offset, long to, int length) {
        MemorySegment.copy(from, offset, ALL, ValueLayout.JAVA_BYTE, to, length);
    }
}
