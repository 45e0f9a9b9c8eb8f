package org.backplane.shadowmmu;

/**
 * Tells a guest that changes an entry of a live page table from one that builds, copies, clears or recycles the page: the second writes the same
 * guest page three times in a row. Then it is cheaper to stop shadowing the page than to emulate each write.
 *
 * <p>A write to another shadowed table begins a new row, and so does the use of the table for a translation: whoever changes an entry and uses it, again
 * and again, would otherwise lose the shadow of all others each time.
 */
final class FloodDetector {
    private static final int ROW = 3;

    /** Key of the table written last ({@link ShadowPages#key}; 0 is nobody's), and how often in a row. */
    private long key;

    private int writes;

    /** A shadowed table is about to be written. True if that is one time too many: the next row begins. */
    boolean written(long table) {
        if (table != key) {
            key = table;
            writes = 0;
        }
        if (++writes < ROW) return false;
        writes = 0;
        return true;
    }

    /** A page is used for a translation. */
    void used(ShadowPage p) {
        if (p.key == key) writes = 0;
    }

    /** Writes in the current row, if it is to the table of this page. */
    int writes(ShadowPage p) {
        return p.key == key && !p.direct() ? writes : 0;
    }
}
