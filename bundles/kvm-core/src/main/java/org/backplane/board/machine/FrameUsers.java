package org.backplane.board.machine;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.backplane.board.api.GuestFrame;
import org.backplane.board.api.GuestFrame.Mapping;
import org.backplane.board.api.GuestFrame.Place;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.mmu.Mmu;
import org.backplane.kvm.spi.mmu.MmuView;
import org.backplane.kvm.spi.mmu.MmuView.SpteRef;
import org.backplane.kvm.spi.mmu.MmuView.TablePage;
import org.backplane.kvm.spi.mmu.Spte;
import org.backplane.kvm.spi.mmu.VmMemory;

/**
 * Who maps a guest page, and at which addresses: the reverse map's entries followed upwards, from table to parents, to the tops.
 *
 * <p>A top is a table of level 4, or of level 2 in a PAE shadow, whose place in the four gigabytes is its quadrant (32-bit guests), its gfn (no
 * paging) or the directory pointer of a vCPU that names it (PAE guests; so with them only the address spaces in use now can be told).
 *
 * <p><b>Threading.</b> With all vCPUs at a boundary.
 */
final class FrameUsers {
    /** Places told for one entry: the kernel's tables are in every process. */
    private static final int MOST_PLACES = 64;

    private final MmuView view;
    private final boolean shadow;
    private final List<VcpuContext> vcpus;
    private final Map<Long, TablePage> byFrame = new HashMap<>();
    private final List<TablePage> pages;

    FrameUsers(Mmu mmu, List<VcpuContext> vcpus) {
        view = mmu.view();
        shadow = mmu.kind() == Mmu.Kind.SHADOW;
        this.vcpus = vcpus;
        pages = view.pages();
        for (TablePage p : pages) byFrame.put(p.frame(), p);
    }

    GuestFrame of(long gfn, VmMemory memory) {
        int slot = -1;
        for (VmMemory.Slot s : memory.slots()) if (gfn >= s.gfn() && gfn < s.gfn() + s.pages()) slot = s.id();
        List<TablePage> shadows = shadow ? pages.stream().filter(p -> p.gfn() == gfn && !p.role().direct()).toList() : List.of();
        List<Mapping> mappings = new ArrayList<>();
        for (SpteRef e : view.rmap(gfn)) {
            TablePage table = byFrame.get(e.frame());
            List<Place> places = new ArrayList<>();
            if (table != null) follow(table, (long) e.index() << 12, places);
            mappings.add(new Mapping(e, table == null ? 0 : table.gfn(), List.copyOf(places)));
        }
        return new GuestFrame(gfn, memory.frame(gfn), slot, shadows, List.copyOf(mappings));
    }

    /** @param below the part of the address that the tables from this one on decide */
    private void follow(TablePage page, long below, List<Place> to) {
        int level = page.role().level();
        if (shadow && level == 2 && page.role().guestLevels() != 4) {
            tops(page, below, to);
        } else if (level == 4) {
            add(to, new Place(shadow ? below << 16 >> 16 : below, page.gfn()));
        } else {
            for (SpteRef parent : page.parents()) {
                TablePage above = byFrame.get(parent.frame());
                if (above != null) follow(above, below | (long) parent.index() << 12 + 9 * level, to);
            }
        }
    }

    private void tops(TablePage page, long below, List<Place> to) {
        switch (page.role().guestLevels()) {
            case 0 -> add(to, new Place(page.gfn() >>> 18 << 30 | below, page.gfn()));
            case 2 -> add(to, new Place((long) page.role().quadrant() << 30 | below, page.gfn()));
            default -> {
                for (VcpuContext v : vcpus) {
                    for (int i = 0; i < 4; i++) {
                        boolean names = Spte.present(v.paeRoot[i]) && Spte.frame(v.paeRoot[i]) == page.frame();
                        if (names) add(to, new Place((long) i << 30 | below, page.gfn()));
                    }
                }
            }
        }
    }

    private static void add(List<Place> to, Place place) {
        if (to.size() < MOST_PLACES && !to.contains(place)) to.add(place);
    }
}
