package org.backplane.kvm.spi.mmu;

import org.osgi.annotation.versioning.ProviderType;

/**
 * The guest physical memory of a VM: memory slots over frames, and the one door for writes from outside the engine.
 * Implemented by the core.
 *
 * <p><b>Threading.</b> Look-ups may be made by any thread; the slots behind them change only when all vCPUs are outside the guest.
 */
@ProviderType
public interface VmMemory {
    FrameTable frames();

    /** Frame of a guest frame number, or 0 when no memory slot holds it (then it is MMIO). */
    long frame(long gfn);

    /** Host address of a guest physical address, or 0 when no memory slot holds it. Plain reads only, see {@link #write}. */
    long host(long gpa);

    /** The slot may not be written by the guest (a ROM). A write is dropped, as on a PC. */
    boolean readOnly(long gfn);

    /** Dirty logging is on for the slot of this gfn: a writable mapping may be made only together with {@link #markDirty}. */
    boolean dirtyLogged(long gfn);

    void markDirty(long gfn);

    /** All slots, ordered by gpa. */
    java.util.List<Slot> slots();

    /**
     * A memory slot.
     *
     * @param id slot number
     * @param gfn first guest frame number
     * @param pages length in 4 KiB pages
     * @param frame first frame; the frames are consecutive
     */
    record Slot(int id, long gfn, long pages, long frame, boolean readOnly, boolean dirtyLog) {}

    /**
     * Reads 1, 2, 4 or 8 bytes of RAM inside one page, zero-extended.
     *
     * @throws IndexOutOfBoundsException if no slot holds the address
     */
    long read(long gpa, int size);

    /**
     * Writes through the one door: drops code made of these bytes, tells the MMU (shadow pre-write), marks the page dirty,
     * stores. Must be called with the vCPUs at a boundary or from a vCPU's own thread. The bytes may cross pages.
     *
     * @throws IndexOutOfBoundsException if no slot holds an address
     */
    void write(long gpa, int size, long value);

    /** The same for a block. A read-only slot is written too: this is how a ROM is filled. */
    void write(long gpa, byte[] from, int offset, int length);

    /** Reads a block. */
    void read(long gpa, byte[] to, int offset, int length);

    /**
     * The door without the store, for a writer that stores by itself at once (the engine at a page it found to hold code, the emulator's
     * compare-and-exchange).
     */
    void beforeWrite(long gpa, int length);
}
