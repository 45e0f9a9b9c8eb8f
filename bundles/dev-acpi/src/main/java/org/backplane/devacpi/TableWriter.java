package org.backplane.devacpi;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Writes one ACPI table, front to back, little-endian. A table starts with a header that has its length and a checksum; both are
 * filled in by {@link #finish}.
 *
 * <p>Source: ACPI specification 2.0, chapter 5.2.6, System Description Table Header.
 */
final class TableWriter {
    static final int HEADER_LENGTH = 36;
    private static final int LENGTH_AT = 4;
    private static final int CHECKSUM_AT = 9;

    private byte[] bytes = new byte[64];
    private int length;

    /** Begins a table with the common header. */
    static TableWriter table(String signature, int revision) {
        return new TableWriter()
                .text(signature, 4)
                .int32(0) // length
                .int8(revision)
                .int8(0) // checksum
                .text("BCKPLN", 6)
                .text("BACKPLAN", 8)
                .int32(1) // OEM revision
                .text("BKPL", 4)
                .int32(1); // creator revision
    }

    /** Begins a structure that has no common header. */
    static TableWriter structure() {
        return new TableWriter();
    }

    TableWriter int8(int v) {
        if (length == bytes.length) bytes = Arrays.copyOf(bytes, length * 2);
        bytes[length++] = (byte) v;
        return this;
    }

    TableWriter int16(int v) {
        return int8(v).int8(v >> 8);
    }

    TableWriter int32(long v) {
        return int16((int) v).int16((int) (v >> 16));
    }

    TableWriter int64(long v) {
        return int32(v).int32(v >> 32);
    }

    /** ASCII text, padded with zeros or cut off to {@code width} bytes. */
    TableWriter text(String s, int width) {
        for (byte b : Arrays.copyOf(s.getBytes(StandardCharsets.US_ASCII), width)) int8(b);
        return this;
    }

    TableWriter bytes(byte[] b) {
        for (byte one : b) int8(one);
        return this;
    }

    /** Zeros up to this length. */
    TableWriter zerosTo(int end) {
        while (length < end) int8(0);
        return this;
    }

    /**
     * A generic address structure that names ports.
     *
     * @param bytes length of the range
     * @param access size of an access in bytes: 1, 2 or 4
     */
    TableWriter port(int port, int bytes, int access) {
        return int8(1).int8(bytes * 8).int8(0).int8(Integer.numberOfTrailingZeros(access) + 1).int64(port);
    }

    /** A generic address structure that names nothing. */
    TableWriter noAddress() {
        return zerosTo(length + 12);
    }

    /** The table, with length and checksum. */
    byte[] finish() {
        byte[] b = Arrays.copyOf(bytes, length);
        for (int i = 0; i < 4; i++) b[LENGTH_AT + i] = (byte) (length >> i * 8);
        checksum(b, CHECKSUM_AT, length);
        return b;
    }

    /** The structure as it is. */
    byte[] raw() {
        return Arrays.copyOf(bytes, length);
    }

    /** Sets the byte at {@code at} so that the first {@code count} bytes add up to 0. */
    static void checksum(byte[] b, int at, int count) {
        b[at] = 0;
        int sum = 0;
        for (int i = 0; i < count; i++) sum += b[i];
        b[at] = (byte) -sum;
    }
}
