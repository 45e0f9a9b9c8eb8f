package org.backplane.devicekit.test;

import java.io.IOException;
import org.backplane.kvm.spi.device.BlockPort;

/** A block back end in memory. */
public final class BenchBlock implements BlockPort {
    private byte[] data;
    private boolean readOnly;
    private boolean failing;
    private int generation;

    public BenchBlock(byte[] data) {
        this.data = data;
    }

    /** The medium's bytes themselves. */
    public byte[] data() {
        return data;
    }

    /** Changes the medium. */
    public void change(byte[] medium) {
        data = medium;
        generation++;
    }

    public void setReadOnly(boolean on) {
        readOnly = on;
    }

    /** From now on every transfer fails, as with a bad disk; or no longer. */
    public void setFailing(boolean on) {
        failing = on;
    }

    @Override
    public long size() {
        return data.length;
    }

    @Override
    public boolean readOnly() {
        return readOnly;
    }

    @Override
    public void read(long position, byte[] to, int offset, int length) throws IOException {
        check(position, length);
        System.arraycopy(data, (int) position, to, offset, length);
    }

    @Override
    public void write(long position, byte[] from, int offset, int length) throws IOException {
        if (readOnly) throw new IOException("read-only");
        check(position, length);
        System.arraycopy(from, offset, data, (int) position, length);
    }

    @Override
    public void flush() throws IOException {
        check(0, 0);
    }

    @Override
    public int generation() {
        return generation;
    }

    private void check(long position, int length) throws IOException {
        if (failing) throw new IOException("the bench lets it fail");
        if (position < 0 || position + length > data.length) throw new IOException("beyond the end of the medium");
    }
}
