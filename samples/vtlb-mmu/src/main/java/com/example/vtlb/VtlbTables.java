package com.example.vtlb;

import org.backplane.kvm.spi.mmu.FrameTable;
import org.backplane.kvm.spi.mmu.Spte;

/**
 * The tables of one vCPU, in shadow frames: a fixed number of leaf tables and what leads to them. When there is no leaf table left, everything is
 * dropped and filling begins again, as in a TLB that is full and has no better idea.
 *
 * <p>The same tables serve both shapes that the processor walks. The top is always there: a table of level 4 for long mode, and four of level 2
 * for everything else, in {@code paeRoot}. Only one shape is in use at a time, since a change of mode drops all.
 *
 * <p>An upper entry has a bit of its own, {@link #PARTS}: the leaf table below has entries for parts of large pages of the guest.
 */
final class VtlbTables {
    private static final int LOCAL = 1 << 14;

    private static final long TABLE = Spte.P | Spte.W | Spte.U;

    /** One of the bits that {@link Spte} leaves to the MMU. */
    private static final long PARTS = 1L << 52;

    private final FrameTable frames;
    private final long root;
    private final long[] directories = new long[4];

    /** Leaf tables in use: the table, and where the entry that leads to it is. */
    private final long[] leafTables, parents;

    private final int[] parentIndexes;
    private int used;

    /** Tables between the root and the leaf tables, in long mode. */
    private final long[] middle;

    private int middleUsed;

    /** Entries that are not global, table and index in one number, so that a load of CR3 costs what was filled since the last one. */
    private final long[] local = new long[LOCAL];

    private int localUsed;

    VtlbTables(FrameTable frames, int limit) {
        this.frames = frames;
        leafTables = new long[limit];
        parents = new long[limit];
        parentIndexes = new int[limit];
        // At worst every leaf table has two of its own above it.
        middle = new long[2 * limit];
        root = frames.allocate();
        for (int i = 0; i < 4; i++) directories[i] = frames.allocate();
    }

    long root() {
        return root;
    }

    long directory(int i) {
        return directories[i];
    }

    // ---- finding ----

    private boolean inLongMode;

    /** Where {@link #upper} found the entry that leads to a leaf table. */
    private long at;

    private int atIndex;

    /** The entry of level 2 for a gva, 0 if there is none. */
    private long upper(long gva) {
        at = directories[(int) (gva >>> 30) & 3];
        if (inLongMode) {
            at = root;
            for (int level = 4; level > 2; level--) {
                long e = frames.entry(at, Spte.index(gva, level));
                if (!Spte.present(e)) return 0;
                at = Spte.frame(e);
            }
        }
        atIndex = Spte.index(gva, 2);
        return frames.entry(at, atIndex);
    }

    // ---- filling ----

    /** Puts a leaf entry in place. Answers whether the tables were full and everything else had to go. */
    boolean enter(long gva, boolean longMode, long entry) {
        inLongMode = longMode;
        long e = upper(gva);
        boolean full = e == 0 && used == leafTables.length || localUsed == LOCAL;
        if (full) dropAll();
        if (full || e == 0) e = addLeafTable(gva);
        if ((entry & Spte.G) == 0) local[localUsed++] = Spte.frame(e) << 9 | Spte.index(gva, 1);
        if ((entry & Spte.LARGE) != 0 && (e & PARTS) == 0) frames.setEntry(at, atIndex, e | PARTS);
        frames.setEntry(Spte.frame(e), Spte.index(gva, 1), entry);
        return full;
    }

    private long addLeafTable(long gva) {
        if (inLongMode) addMiddle(gva);
        upper(gva);
        long table = frames.allocate();
        leafTables[used] = table;
        parents[used] = at;
        parentIndexes[used++] = atIndex;
        long e = Spte.of(table, TABLE);
        frames.setEntry(at, atIndex, e);
        return e;
    }

    private void addMiddle(long gva) {
        long table = root;
        for (int level = 4; level > 2; level--) {
            int i = Spte.index(gva, level);
            long e = frames.entry(table, i);
            if (!Spte.present(e)) {
                e = Spte.of(frames.allocate(), TABLE);
                middle[middleUsed++] = Spte.frame(e);
                frames.setEntry(table, i, e);
            }
            table = Spte.frame(e);
        }
    }

    // ---- dropping ----

    /**
     * Drops what there is for an address. Where parts of large pages are, they all go with it: the largest page that could be meant is of
     * 4 MiB, or of 1 GiB in long mode. Answers whether more went than the one page.
     */
    boolean drop(long gva) {
        long e = upper(gva);
        if (e == 0) return false;
        if ((e & PARTS) == 0) {
            frames.setEntry(Spte.frame(e), Spte.index(gva, 1), 0);
            return false;
        }
        if (inLongMode) {
            dropAll();
        } else {
            empty(e);
            long other = frames.entry(at, atIndex ^ 1);
            if (other != 0) empty(other);
        }
        return true;
    }

    private void empty(long e) {
        for (int i = 0; i < 512; i++) frames.setEntry(Spte.frame(e), i, 0);
    }

    void dropAllButGlobal() {
        for (int n = 0; n < localUsed; n++) {
            long table = local[n] >>> 9;
            int i = (int) local[n] & 511;
            if ((frames.entry(table, i) & Spte.G) == 0) frames.setEntry(table, i, 0);
        }
        localUsed = 0;
    }

    void dropAll() {
        for (int n = 0; n < used; n++) {
            frames.setEntry(parents[n], parentIndexes[n], 0);
            frames.free(leafTables[n]);
        }
        used = localUsed = 0;
        for (int n = 0; n < middleUsed; n++) frames.free(middle[n]);
        if (middleUsed > 0) for (int i = 0; i < 512; i++) frames.setEntry(root, i, 0);
        middleUsed = 0;
    }

    /** Takes W and D from every entry for a range of frames. */
    void protect(long first, long pages) {
        for (int n = 0; n < used; n++) {
            for (int i = 0; i < 512; i++) {
                long e = frames.entry(leafTables[n], i);
                long f = Spte.frame(e);
                if (Spte.present(e) && f >= first && f < first + pages) frames.setEntry(leafTables[n], i, e & ~(Spte.W | Spte.D));
            }
        }
    }

    void close() {
        dropAll();
        for (long d : directories) frames.free(d);
        frames.free(root);
    }
}
