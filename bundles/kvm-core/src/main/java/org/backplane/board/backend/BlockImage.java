package org.backplane.board.backend;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;
import org.backplane.board.api.BoardException;
import org.backplane.kvm.spi.device.BlockPort;

/**
 * An image as a block back end: a file, or bytes in memory. In snapshot mode, when the file cannot be written, and always for an image in
 * memory, writes go to a copy of the touched sectors that is forgotten at the end.
 *
 * <p><b>Threading.</b> The machine's thread.
 */
public final class BlockImage implements BlockPort, AutoCloseable {
    private static final int SECTOR = 512;

    /** Where the image is read from. */
    private interface Base extends AutoCloseable {
        void read(long position, byte[] to, int offset, int length) throws IOException;

        @Override
        void close() throws IOException;
    }

    private final Base base;

    /** Where writes go; null with an overlay. */
    private final FileChannel file;

    private final long size;
    private final Map<Long, byte[]> written = new HashMap<>();

    /** @param key the option or property it was given with, for the error message */
    public static BlockImage open(String key, Path path, boolean snapshot) throws BoardException {
        if (!Files.isRegularFile(path)) throw new BoardException(key + ": no such file: " + path);
        boolean writable = !snapshot && Files.isWritable(path);
        try {
            FileChannel c = writable
                    ? FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)
                    : FileChannel.open(path, StandardOpenOption.READ);
            return new BlockImage(new FileBase(c), writable ? c : null, c.size());
        } catch (IOException e) {
            throw new BoardException(key + ": cannot open " + path + ": " + e.getMessage());
        }
    }

    /** An image in memory; the array is not changed. */
    static BlockImage of(byte[] image) {
        return new BlockImage(new MemoryBase(image), null, image.length);
    }

    private BlockImage(Base base, FileChannel file, long size) {
        this.base = base;
        this.file = file;
        this.size = size;
    }

    private record FileBase(FileChannel file) implements Base {
        @Override
        public void read(long position, byte[] to, int offset, int length) throws IOException {
            ByteBuffer b = ByteBuffer.wrap(to, offset, length);
            while (b.hasRemaining()) {
                int n = file.read(b, position + b.position() - offset);
                if (n < 0) throw new IOException("unexpected end of image");
            }
        }

        @Override
        public void close() throws IOException {
            file.close();
        }
    }

    private record MemoryBase(byte[] image) implements Base {
        @Override
        public void read(long position, byte[] to, int offset, int length) {
            System.arraycopy(image, (int) position, to, offset, length);
        }

        @Override
        public void close() {
            // Nothing is open.
        }
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public boolean readOnly() {
        return false;
    }

    @Override
    public int generation() {
        return 0;
    }

    @Override
    public void read(long position, byte[] to, int offset, int length) throws IOException {
        check(position, length);
        base.read(position, to, offset, length);
        if (written.isEmpty()) return;
        for (int i = 0; i < length; i++) {
            byte[] sector = written.get((position + i) / SECTOR);
            if (sector != null) to[offset + i] = sector[(int) ((position + i) % SECTOR)];
        }
    }

    @Override
    public void write(long position, byte[] from, int offset, int length) throws IOException {
        check(position, length);
        if (file != null) {
            ByteBuffer b = ByteBuffer.wrap(from, offset, length);
            while (b.hasRemaining()) file.write(b, position + b.position() - offset);
            return;
        }
        for (int i = 0; i < length; i++) {
            long n = (position + i) / SECTOR;
            byte[] sector = written.get(n);
            if (sector == null) {
                sector = new byte[SECTOR];
                base.read(n * SECTOR, sector, 0, (int) Math.min(SECTOR, size - n * SECTOR));
                written.put(n, sector);
            }
            sector[(int) ((position + i) % SECTOR)] = from[offset + i];
        }
    }

    private void check(long position, int length) throws IOException {
        if (position < 0 || position + length > size) {
            throw new IOException("access at " + position + " outside of the image of " + size + " bytes");
        }
    }

    @Override
    public void flush() throws IOException {
        if (file != null) file.force(false);
    }

    @Override
    public void close() throws IOException {
        base.close();
    }
}
