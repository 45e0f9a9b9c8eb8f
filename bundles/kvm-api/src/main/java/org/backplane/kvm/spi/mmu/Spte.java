package org.backplane.kvm.spi.mmu;

/**
 * The format of the 64-bit entries in the tables that the processor walks, shadow and two-dimensional alike. Bits 51:12 hold a
 * <em>frame number of the VM's frame table</em>, never a raw address.
 *
 * <pre>
 *  bit 0  P    present
 *      1  W    writable
 *      2  U    user (two-dimensional tables set it everywhere)
 *      5  A    accessed, set by the processor
 *      6  D    dirty, set by the processor in a leaf
 *      7  LARGE  part of a larger page of the guest: INVLPG anywhere in that page drops it (shadow leaf)
 *      8  G    global (shadow leaf)
 *   51:12      frame
 *  62:52       for the MMU's own use
 *     63  NX   no fetch
 * </pre>
 *
 * <p>All leaves are 4 KiB. An entry with P=0 and {@link #MMIO} set marks an address without a memory slot: bits 51:12 hold
 * the <em>gfn</em>, W, U and NX the rights the guest's tables give; the processor turns an access that they allow straight into an MMIO exit.
 */
public final class Spte {
    public static final long P = 1, W = 1 << 1, U = 1 << 2, A = 1 << 5, D = 1 << 6, LARGE = 1 << 7, G = 1 << 8;
    public static final long MMIO = 1L << 62;
    public static final long NX = 1L << 63;
    public static final long FRAME_MASK = 0x000f_ffff_ffff_f000L;

    private Spte() {}

    /** The frame number (of an MMIO mark: the gfn). */
    public static long frame(long spte) {
        return (spte & FRAME_MASK) >>> 12;
    }

    /** An entry for a frame. */
    public static long of(long frame, long bits) {
        return frame << 12 | bits;
    }

    /** Index into the table of a level (1 is the leaf level) for an address; 512 entries a table. */
    public static int index(long address, int level) {
        return (int) (address >>> (12 + 9 * (level - 1))) & 511;
    }

    public static boolean present(long spte) {
        return (spte & P) != 0;
    }

    public static boolean isMmio(long spte) {
        return (spte & (P | MMIO)) == MMIO;
    }
}
