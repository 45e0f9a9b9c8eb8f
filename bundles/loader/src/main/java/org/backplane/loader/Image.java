package org.backplane.loader;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.backplane.kvm.spi.boot.BootException;

/** Little-endian fields of a file or of a structure to be made. Offsets in bytes, values unsigned. */
final class Image {
    private final byte[] bytes;
    private final ByteBuffer buffer;

    Image(byte[] bytes) {
        this.bytes = bytes;
        buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    Image(int size) {
        this(new byte[size]);
    }

    byte[] bytes() {
        return bytes;
    }

    int length() {
        return bytes.length;
    }

    int u8(int at) {
        return bytes[at] & 0xff;
    }

    int u16(int at) {
        return buffer.getShort(at) & 0xffff;
    }

    long u32(int at) {
        return buffer.getInt(at) & 0xffffffffL;
    }

    Image put8(int at, int v) {
        bytes[at] = (byte) v;
        return this;
    }

    Image put16(int at, int v) {
        buffer.putShort(at, (short) v);
        return this;
    }

    Image put32(int at, long v) {
        buffer.putInt(at, (int) v);
        return this;
    }

    Image put64(int at, long v) {
        buffer.putLong(at, v);
        return this;
    }

    /** Copies bytes of a file in here. */
    void copy(Image from, int at, int length) {
        System.arraycopy(from.bytes, at, bytes, at, length);
    }

    /** Fails unless the file reaches to {@code end}. */
    void require(long end, String what, Object file) throws BootException {
        if (end > bytes.length) {
            throw new BootException("kernel: " + file + " is truncated: " + what + " ends at byte " + end + ", the file has "
                    + bytes.length);
        }
    }
}
