package org.backplane.board.api;

import java.util.List;
import org.backplane.kvm.spi.mmu.MmuView.SpteRef;
import org.backplane.kvm.spi.mmu.MmuView.TablePage;

/**
 * A guest page and its reverse map.
 *
 * @param frame host frame, 0 if no memory slot holds the page: an access is one to a device
 * @param slot number of the memory slot, -1 if none
 * @param shadows the pages of shadow tables made of this page, because the guest uses it as a page table; then nobody may write it unnoticed
 * @param mappings who maps it
 */
public record GuestFrame(long gfn, long frame, int slot, List<TablePage> shadows, List<Mapping> mappings) {
    /**
     * One leaf entry that maps the page.
     *
     * @param entry the entry
     * @param table gfn that the entry's table shadows
     * @param places where the table is in use, as far as that can be told: a shadow table may be in several address spaces
     */
    public record Mapping(SpteRef entry, long table, List<Place> places) {}

    /**
     * An address at which an entry is reached.
     *
     * @param address gva with shadow paging, gpa with two-dimensional paging
     * @param top gfn of the topmost table: of a 32-bit guest the page that CR3 names
     */
    public record Place(long address, long top) {}
}
