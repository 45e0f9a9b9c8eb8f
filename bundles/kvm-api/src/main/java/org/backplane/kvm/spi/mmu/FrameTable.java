package org.backplane.kvm.spi.mmu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.backplane.kvm.spi.cpu.HostMemory;

/**
 * The host physical memory of one VM: an <em>hpa</em> is {@code frame << 12 | offset}, and this table turns a frame number
 * into a host address. RAM frames belong to memory slots, shadow frames to the MMU (shadow pages, EPT tables). All are 4 KiB.
 *
 * <p><b>Guarantees.</b> A frame that is not in use has host address 0, and whoever fills a TLB checks that: a wrong SPTE
 * gives a reported exit and no crash of the JVM. Frame 0 is never in use. Numbers are reused only after a free.
 *
 * <p><b>Threading.</b> Changes happen with all vCPUs outside of the guest, except {@link #allocate}/{@link #free} of shadow
 * frames, which are synchronized; reads are plain.
 */
public final class FrameTable implements AutoCloseable {
    public static final int PAGE_SIZE = 4096;

    /** Shadow frames are taken from the system in chunks of so many. */
    private static final int CHUNK = 256;

    private long[] host = new long[4096];
    private int[] code = new int[4096];
    private int top = 1;
    private long[] freeShadow = new long[0];
    private int freeCount;
    private int shadowInUse;
    private final Arena arena = Arena.ofShared();

    /** Host address of a frame's first byte, or 0 when there is no such frame. */
    public long host(long frame) {
        return frame > 0 && frame < top ? host[(int) frame] : 0;
    }

    /** Enters contiguous memory (a memory slot) and returns its first frame number; the frames are consecutive. */
    public synchronized long map(long hostAddress, long pages) {
        int first = top;
        if (pages > Integer.MAX_VALUE - 8 - first) throw new OutOfMemoryError("too many frames");
        grow((int) (first + pages));
        for (int i = 0; i < pages; i++) host[first + i] = hostAddress + (long) i * PAGE_SIZE;
        top = (int) (first + pages);
        return first;
    }

    /** Takes the frames of a removed slot out of the table. Their numbers are not used again. */
    public synchronized void unmap(long first, long pages) {
        Arrays.fill(host, (int) first, (int) (first + pages), 0);
        Arrays.fill(code, (int) first, (int) (first + pages), 0);
    }

    /**
     * Takes a shadow frame, filled with zeros.
     *
     * @throws IllegalStateException behind {@link #close}
     */
    public synchronized long allocate() {
        if (freeCount == 0) moreShadowFrames();
        long frame = freeShadow[--freeCount];
        shadowInUse++;
        HostMemory.fill(host[(int) frame], PAGE_SIZE, (byte) 0);
        return frame;
    }

    /** Gives a shadow frame back. No TLB entry and no table may refer to it any more. */
    public synchronized void free(long frame) {
        freeShadow[freeCount++] = frame;
        shadowInUse--;
    }

    /** Shadow frames in use. */
    public synchronized int shadowFrames() {
        return shadowInUse;
    }

    /** Reads entry {@code index} (0 to 511) of a table in a frame. */
    public long entry(long frame, int index) {
        return HostMemory.getLong(host[(int) frame] + index * 8L);
    }

    /** Writes entry {@code index} (0 to 511) of a table in a frame. */
    public void setEntry(long frame, int index, long value) {
        HostMemory.putLong(host[(int) frame] + index * 8L, value);
    }

    /**
     * Which 128-byte granules of a frame hold code that an emulator has decoded or translated: bit n for bytes 128n to 128n+127.
     * A frame with any bit set gets no write tag in a TLB.
     */
    public int codeMask(long frame) {
        return code[(int) frame];
    }

    /** Synchronized, because the table may grow at this moment. */
    public synchronized void setCodeMask(long frame, int mask) {
        code[(int) frame] = mask;
    }

    private void moreShadowFrames() {
        MemorySegment chunk = arena.allocate((long) CHUNK * PAGE_SIZE, PAGE_SIZE);
        long first = map(chunk.address(), CHUNK);
        freeShadow = Arrays.copyOf(freeShadow, freeShadow.length + CHUNK);
        for (int i = CHUNK - 1; i >= 0; i--) freeShadow[freeCount++] = first + i;
    }

    private void grow(int size) {
        if (size <= host.length) return;
        int capacity = Math.max(size, host.length + (host.length >> 1));
        host = Arrays.copyOf(host, capacity);
        code = Arrays.copyOf(code, capacity);
    }

    /** Frees the shadow frames. The memory of slots belongs to its owner. */
    @Override
    public synchronized void close() {
        Arrays.fill(host, 0);
        top = 1;
        freeCount = 0;
        arena.close();
    }
}
