package org.backplane.x86.emulate;

import java.util.Arrays;

/**
 * The decoded blocks of one page, by the 128-byte granules they touch.
 *
 * <p>A write drops the blocks whose bytes it hits; the granule's bit in the frame's code mask stays, because code that was
 * written once is soon executed and written again, and taking write tags away costs a walk over the TLB. After {@link #PATIENCE}
 * writes with no new block the whole page is let go, so that a page that became data is fast again.
 */
final class CodePage {
    static final int GRANULE_SHIFT = 7, GRANULES = 32, PATIENCE = 256;

    /** Host address of the page, and its frame number. */
    final long host, frame;

    /** Granules that hold or held blocks, as in the frame table. */
    int mask;

    /** Writes since the last block was added. */
    int writes;

    private final Block[][] blocks = new Block[GRANULES][];
    private final int[] counts = new int[GRANULES];

    CodePage(long host, long frame) {
        this.host = host;
        this.frame = frame;
    }

    Block find(long at, int mode) {
        int g = (int) at >> GRANULE_SHIFT & GRANULES - 1;
        Block[] list = blocks[g];
        for (int i = counts[g] - 1; i >= 0; i--) {
            Block b = list[i];
            if (b.host == at && b.mode == mode && b.valid) return b;
        }
        return null;
    }

    /** Adds a block that covers {@code from} to {@code to} (inclusive) of this page. */
    void add(Block b, int from, int to) {
        writes = 0;
        for (int g = from >> GRANULE_SHIFT; g <= to >> GRANULE_SHIFT; g++) {
            Block[] list = blocks[g];
            if (list == null) list = blocks[g] = new Block[4];
            if (counts[g] == list.length) {
                compact(g);
                if (counts[g] > list.length / 2) list = blocks[g] = Arrays.copyOf(list, list.length * 2);
            }
            list[counts[g]++] = b;
            mask |= 1 << g;
        }
    }

    private void compact(int g) {
        Block[] list = blocks[g];
        int n = 0;
        for (int i = 0; i < counts[g]; i++) if (list[i].valid) list[n++] = list[i];
        Arrays.fill(list, n, counts[g], null);
        counts[g] = n;
    }

    /** Drops the blocks that have one of these bytes; says whether there were any. */
    boolean drop(int offset, int length) {
        int last = Math.min(offset + length - 1, 0xfff);
        boolean any = false;
        for (int g = offset >> GRANULE_SHIFT; g <= last >> GRANULE_SHIFT; g++) {
            Block[] list = blocks[g];
            boolean here = false;
            for (int i = 0; i < counts[g]; i++) {
                if (!covers(list[i], offset, last)) continue;
                list[i].valid = false;
                here = true;
            }
            if (here) {
                compact(g);
                any = true;
            }
        }
        return any;
    }

    private boolean covers(Block b, int first, int last) {
        int from = 0, to;
        if ((b.host & ~0xfffL) == host) {
            from = b.pageOffset();
            to = from + b.bytes - 1;
        } else { // the tail of an instruction that began in the page before
            to = b.pageOffset() + b.bytes - 0x1001;
        }
        return from <= last && to >= first;
    }

    void dropAll() {
        for (int g = 0; g < GRANULES; g++) {
            for (int i = 0; i < counts[g]; i++) blocks[g][i].valid = false;
            blocks[g] = null;
            counts[g] = 0;
        }
        mask = 0;
        writes = 0;
    }
}
