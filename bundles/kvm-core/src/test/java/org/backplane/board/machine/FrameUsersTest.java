package org.backplane.board.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.backplane.board.api.GuestFrame;
import org.backplane.board.api.GuestFrame.Place;
import org.backplane.kvm.core.memory.GuestMemory;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.mmu.AuditReport;
import org.backplane.kvm.spi.mmu.Mmu;
import org.backplane.kvm.spi.mmu.MmuView;
import org.backplane.kvm.spi.mmu.Spte;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The addresses at which a guest page is mapped, over tables made by hand for each kind of paging. */
class FrameUsersTest {
    private static final long GFN = 0x5, LEAF = 0x1001, MIDDLE = 0x1002, UPPER = 0x1003, TOP = 0x1004, OTHER_TOP = 0x1005;

    private final GuestMemory memory = new GuestMemory();
    private final List<MmuView.TablePage> pages = new ArrayList<>();
    private final List<MmuView.SpteRef> rmap = new ArrayList<>();
    private final VcpuContext v = new VcpuContext(0, memory, null);

    @BeforeEach
    void map() {
        memory.set(3, 0, 0, 1 << 20, null);
    }

    @AfterEach
    void close() {
        memory.close();
    }

    private static MmuView.SpteRef entry(long frame, int level, int index) {
        return new MmuView.SpteRef(frame, level, index, Spte.of(GFN, Spte.P));
    }

    /** A table page; the entries that point at it are given as table and index. */
    private void page(long frame, long gfn, int level, int guestLevels, int quadrant, boolean direct, long... parents) {
        List<MmuView.SpteRef> refs = new ArrayList<>();
        for (int i = 0; i < parents.length; i += 2) refs.add(entry(parents[i], level + 1, (int) parents[i + 1]));
        pages.add(new MmuView.TablePage(
                frame,
                gfn,
                new MmuView.TableRole(level, guestLevels, quadrant, direct, true, true, false, true, false, false, false, false, false, false),
                1,
                refs,
                0,
                0));
    }

    private GuestFrame users(Mmu.Kind kind, long gfn) {
        MmuView view = new MmuView() {
            @Override
            public List<TablePage> pages() {
                return pages;
            }

            @Override
            public List<SpteRef> rmap(long g) {
                return g == GFN ? rmap : List.of();
            }

            @Override
            public List<SpteRef> walk(VcpuContext v, long address) {
                return List.of();
            }

            @Override
            public Optional<AuditReport> audit() {
                return Optional.empty();
            }
        };
        Map<String, Object> answers = Map.of("kind", kind, "view", view);
        Mmu mmu = (Mmu) Proxy.newProxyInstance(
                Mmu.class.getClassLoader(), new Class<?>[] {Mmu.class}, (self, method, args) -> answers.get(method.getName()));
        return new FrameUsers(mmu, List.of(v)).of(gfn, memory);
    }

    private List<Place> places(Mmu.Kind kind) {
        List<GuestFrame.Mapping> all = users(kind, GFN).mappings();
        assertEquals(1, all.size());
        return all.getFirst().places();
    }

    @Test
    void of32BitTablesTheQuadrantOfTheTopIsTheGigabyte() {
        page(LEAF, 0x21, 1, 2, 1, false, TOP, 0x101);
        page(TOP, 0x20, 2, 2, 3, false);
        rmap.add(entry(LEAF, 1, 0x1ff));
        assertEquals(List.of(new Place(3L << 30 | 0x101 << 21 | 0x1ff << 12, 0x20)), places(Mmu.Kind.SHADOW));
    }

    @Test
    void aTableInTwoAddressSpacesIsToldOfBoth() {
        page(LEAF, 0x21, 1, 2, 0, false, TOP, 2, OTHER_TOP, 4, OTHER_TOP, 4);
        page(TOP, 0x20, 2, 2, 0, false);
        page(OTHER_TOP, 0x30, 2, 2, 0, false);
        rmap.add(entry(LEAF, 1, 1));
        assertEquals(List.of(new Place(0x401000, 0x20), new Place(0x801000, 0x30)), places(Mmu.Kind.SHADOW));
    }

    @Test
    void withoutPagingTheGfnOfTheTopIsTheGigabyte() {
        page(LEAF, 0x40000, 1, 0, 0, true, TOP, 0);
        page(TOP, 0x40000, 2, 0, 0, true);
        rmap.add(entry(LEAF, 1, 5));
        assertEquals(List.of(new Place(0x4000_5000L, 0x40000)), places(Mmu.Kind.SHADOW));
    }

    @Test
    void ofPaeTablesTheDirectoryPointersOfTheVcpusNameTheGigabytes() {
        page(LEAF, 0x21, 1, 3, 0, false, TOP, 1);
        page(TOP, 0x20, 2, 3, 0, false);
        rmap.add(entry(LEAF, 1, 3));
        assertEquals(List.of(), places(Mmu.Kind.SHADOW), "in no address space that is in use");
        v.paeRoot[1] = v.paeRoot[2] = Spte.of(TOP, Spte.P);
        v.paeRoot[3] = Spte.of(TOP, 0);
        assertEquals(List.of(new Place(0x4020_3000L, 0x20), new Place(0x8020_3000L, 0x20)), places(Mmu.Kind.SHADOW));
    }

    private void fourLevels() {
        page(LEAF, 0x21, 1, 4, 0, false, MIDDLE, 2);
        page(MIDDLE, 0x22, 2, 4, 0, false, UPPER, 3);
        page(UPPER, 0x23, 3, 4, 0, false, TOP, 0x1ff);
        page(TOP, 0x20, 4, 4, 0, false);
        rmap.add(entry(LEAF, 1, 1));
    }

    @Test
    void anAddressOfFourLevelsIsCanonical() {
        fourLevels();
        assertEquals(List.of(new Place(0xffff_ff80_c040_1000L, 0x20)), places(Mmu.Kind.SHADOW));
    }

    @Test
    void underEptTheAddressIsPhysical() {
        fourLevels();
        assertEquals(List.of(new Place(0xff80_c040_1000L, 0x20)), places(Mmu.Kind.TWO_DIMENSIONAL));
    }

    @Test
    void aTableWithoutParentsIsMappedNowhereNow() {
        page(LEAF, 0x21, 1, 2, 0, false);
        rmap.add(entry(LEAF, 1, 1));
        GuestFrame f = users(Mmu.Kind.SHADOW, GFN);
        assertEquals(0x21, f.mappings().getFirst().table());
        assertEquals(List.of(), f.mappings().getFirst().places());
    }

    @Test
    void thePlacesOfOneEntryAreBounded() {
        long[] parents = new long[200];
        for (int i = 0; i < 100; i++) {
            parents[2 * i] = TOP;
            parents[2 * i + 1] = i;
        }
        page(LEAF, 0x21, 1, 2, 0, false, parents);
        page(TOP, 0x20, 2, 2, 0, false);
        rmap.add(entry(LEAF, 1, 0));
        assertEquals(64, places(Mmu.Kind.SHADOW).size());
    }

    @Test
    void aPageIsToldWithItsSlotAndTheShadowsMadeOfIt() {
        page(LEAF, GFN, 1, 2, 0, false);
        page(MIDDLE, GFN, 1, 2, 1, false);
        page(UPPER, GFN, 1, 2, 0, true); // a part of a large page that begins there
        GuestFrame f = users(Mmu.Kind.SHADOW, GFN);
        assertEquals(3, f.slot());
        assertEquals(memory.frame(GFN), f.frame());
        assertEquals(List.of(LEAF, MIDDLE), f.shadows().stream().map(MmuView.TablePage::frame).toList());
        GuestFrame hole = users(Mmu.Kind.SHADOW, 0x12345);
        assertEquals(-1, hole.slot());
        assertEquals(0, hole.frame());
    }
}
