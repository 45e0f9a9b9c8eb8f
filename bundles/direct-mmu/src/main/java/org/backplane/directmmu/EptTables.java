package org.backplane.directmmu;

import org.backplane.kvm.spi.mmu.FrameTable;
import org.backplane.kvm.spi.mmu.Spte;

/**
 * A 4-level table from gpa to frame, in shadow frames, in the format of {@link Spte}. Rights are given in leaves only:
 * entries of upper levels grant everything.
 */
final class EptTables {
    private static final int LEVELS = 4;
    private static final long TABLE_BITS = Spte.P | Spte.W | Spte.U;

    private final FrameTable frames;

    /** Frame of the top table; it stays the same as long as the tables live. */
    final long root;

    EptTables(FrameTable frames) {
        this.frames = frames;
        root = frames.allocate();
    }

    /** The leaf entry of a gpa, 0 when a table on the way is missing. */
    long leaf(long gpa) {
        long table = leafTable(gpa);
        return table == 0 ? 0 : frames.entry(table, Spte.index(gpa, 1));
    }

    /** Sets the leaf entry of a gpa and makes the tables on the way. */
    void setLeaf(long gpa, long spte) {
        long table = root;
        for (int level = LEVELS; level > 1; level--) {
            int i = Spte.index(gpa, level);
            long e = frames.entry(table, i);
            if (!Spte.present(e)) {
                e = Spte.of(frames.allocate(), TABLE_BITS);
                frames.setEntry(table, i, e);
            }
            table = Spte.frame(e);
        }
        frames.setEntry(table, Spte.index(gpa, 1), spte);
    }

    /** Takes W and D from the leaves of a range of pages. Answers whether one of them could be in a TLB as writable. */
    boolean writeProtect(long gfn, long pages) {
        boolean any = false;
        long end = gfn + pages;
        while (gfn < end) {
            long table = leafTable(gfn << 12);
            long next = Math.min(end, (gfn | 511) + 1);
            for (; table != 0 && gfn < next; gfn++) {
                int i = (int) gfn & 511;
                long e = frames.entry(table, i);
                if (Spte.present(e) && (e & Spte.W) != 0) {
                    frames.setEntry(table, i, e & ~(Spte.W | Spte.D));
                    any = true;
                }
            }
            gfn = next;
        }
        return any;
    }

    /** Frees every table but the root, which is left empty. */
    void clear() {
        clear(root, LEVELS);
    }

    /** Frees the root too; the tables may not be used any more. */
    void close() {
        clear();
        frames.free(root);
    }

    private void clear(long table, int level) {
        for (int i = 0; i < 512; i++) {
            long e = frames.entry(table, i);
            if (e == 0) continue;
            if (level > 1 && Spte.present(e)) {
                clear(Spte.frame(e), level - 1);
                frames.free(Spte.frame(e));
            }
            frames.setEntry(table, i, 0);
        }
    }

    private long leafTable(long gpa) {
        long table = root;
        for (int level = LEVELS; level > 1; level--) {
            long e = frames.entry(table, Spte.index(gpa, level));
            if (!Spte.present(e)) return 0;
            table = Spte.frame(e);
        }
        return table;
    }
}
