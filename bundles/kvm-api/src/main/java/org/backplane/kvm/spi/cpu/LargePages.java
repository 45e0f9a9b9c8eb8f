package org.backplane.kvm.spi.cpu;

import java.util.Arrays;

/**
 * Where in the linear address space a {@link SoftTlb} may hold parts of large pages: a bit for each 4 MiB, so that INVLPG of an address in
 * none of them need not look for the other parts.
 *
 * <p><b>Guarantees.</b> Every region with a part of a large page is marked. A region without one may be marked until the owner looks through its entries
 * the next time, clears the marks and makes them anew. The marks of 4 GiB are exact; in long mode regions that are 4 GiB apart share one.
 *
 * <p><b>Threading.</b> The TLB's.
 */
final class LargePages {
    /** log2 of a region's size; no page between 4 MiB and 1 GiB exists. */
    private static final int REGION = 22;

    /** log2 of the regions, and of those in a word. */
    private static final int REGIONS = 10, WORD = 6;

    private final long[] marks = new long[1 << REGIONS - WORD];

    private static int region(long gva) {
        return (int) (gva >>> REGION) & (1 << REGIONS) - 1;
    }

    /** @param shift size of the page in bits: 21, 22, or 30, which is a number of whole words */
    void mark(long gva, int shift) {
        int r = region(gva);
        if (shift <= REGION) {
            marks[r >> WORD] |= 1L << r;
            return;
        }
        int words = 1 << shift - REGION - WORD;
        int first = r >> WORD & -words;
        Arrays.fill(marks, first, first + words, -1);
    }

    boolean marked(long gva) {
        int r = region(gva);
        return (marks[r >> WORD] >>> r & 1) != 0;
    }

    void clear() {
        Arrays.fill(marks, 0);
    }
}
