package org.backplane.board.api;

import java.util.List;
import org.backplane.kvm.spi.mmu.Mmu;
import org.backplane.kvm.spi.mmu.MmuView.SpteRef;

/**
 * One linear address in two sets of tables: the guest's own, and those that the processor walks.
 *
 * @param gva the address
 * @param mode how the guest's tables are made
 * @param cr3 the guest's CR3
 * @param guest the entries on the way, from the top to the last that could be read
 * @param mapped the guest's tables map the address
 * @param gpa where to, if mapped
 * @param pageShift log2 of the size of the guest's page, if mapped
 * @param writable all levels of the guest's tables grant writes
 * @param user all levels grant user accesses
 * @param noExecute a level forbids fetches
 * @param global the translation is global
 * @param kind how the MMU in service works
 * @param walked what the processor translates by its tables: with shadow paging the gva, with two-dimensional paging the gpa
 * @param host the entries that the processor reads, from the top to the leaf or the first that is not present
 * @param frame frame that the processor ends at, 0 if the walk does not end in one
 * @param tlb what the TLB holds for the page, at most one entry each for supervisor and user
 */
public record PageWalk(
        long gva,
        Paging mode,
        long cr3,
        List<GuestEntry> guest,
        boolean mapped,
        long gpa,
        int pageShift,
        boolean writable,
        boolean user,
        boolean noExecute,
        boolean global,
        Mmu.Kind kind,
        long walked,
        List<SpteRef> host,
        long frame,
        List<TlbEntry> tlb) {
    /** Paging modes of the guest (SDM 3A 4.1.1). */
    public enum Paging {
        OFF(0),
        BITS_32(2),
        PAE(3),
        LEVELS_4(4);

        private final int levels;

        Paging(int levels) {
            this.levels = levels;
        }

        /** Levels of the tables. */
        public int levels() {
            return levels;
        }

        /** The mode with so many levels. */
        public static Paging of(int levels) {
            return levels == 0 ? OFF : values()[levels - 1];
        }
    }

    /**
     * An entry of the guest's tables.
     *
     * @param level 1 for a PTE, up to 4
     * @param gpa where it is; of a PAE directory pointer, which the processor holds in a register, where it was loaded from
     */
    public record GuestEntry(int level, long gpa, long value) {}
}
