package org.backplane.kvm.core.paging;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/** Guest-physical memory as plain bytes: a few ranges, one of them a ROM; elsewhere there is nothing. Aligned accesses only. */
final class ReferenceMemory {
    /** A range of memory. */
    record Range(long gpa, int pages, boolean rom, boolean logged, int offset) {
        long end() {
            return gpa + ((long) pages << 12);
        }
    }

    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    final Range[] ranges;
    final byte[] bytes;

    /** Pages that were stored to, by {@link #page}. */
    final boolean[] written;

    ReferenceMemory(Range... ranges) {
        this.ranges = ranges;
        Range last = ranges[ranges.length - 1];
        bytes = new byte[last.offset + (last.pages << 12)];
        written = new boolean[bytes.length >> 12];
    }

    private Range range(long gpa) {
        for (Range r : ranges) if (gpa >= r.gpa && gpa < r.end()) return r;
        return null;
    }

    /** Number of the page, or -1 where there is no memory. */
    int page(long gpa) {
        Range r = range(gpa);
        return r == null ? -1 : r.offset + (int) (gpa - r.gpa) >> 12;
    }

    boolean present(long gpa) {
        return range(gpa) != null;
    }

    boolean rom(long gpa) {
        Range r = range(gpa);
        return r != null && r.rom;
    }

    /** Reads 1, 2, 4 or 8 bytes, zero-extended; 0 where there is no memory. */
    long read(long gpa, int size) {
        Range r = range(gpa);
        if (r == null) return 0;
        int at = r.offset + (int) (gpa - r.gpa);
        return switch (size) {
            case 1 -> bytes[at] & 0xffL;
            case 2 -> bytes[at] & 0xffL | (bytes[at + 1] & 0xffL) << 8;
            case 4 -> (int) INT.get(bytes, at) & 0xffffffffL;
            default -> (long) LONG.get(bytes, at);
        };
    }

    /** Writes; a ROM and nothing stay as they are. */
    void write(long gpa, int size, long value) {
        Range r = range(gpa);
        if (r == null || r.rom) return;
        int at = r.offset + (int) (gpa - r.gpa);
        written[at >> 12] = true;
        for (int i = 0; i < size; i++) bytes[at + i] = (byte) (value >>> 8 * i);
    }

    /** Forgets which pages of a range were written. */
    void clean(Range r) {
        Arrays.fill(written, r.offset >> 12, (r.offset >> 12) + r.pages, false);
    }
}
