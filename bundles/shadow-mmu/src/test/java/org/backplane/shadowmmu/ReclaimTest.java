package org.backplane.shadowmmu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.mmu.Spte;
import org.backplane.kvm.testing.TestContext;
import org.backplane.kvm.testing.TestMemory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Memory pressure: fewer than 5 free shadow pages, and the least recently used go until 25 are free. */
class ReclaimTest {
    private static final int LIMIT = 200, ROLE = Role.of(0, 1, 0, false, Spte.W);

    private TestMemory memory;
    private TestContext context;
    private ShadowMmu mmu;
    private ShadowPages pages;

    @BeforeEach
    void create() {
        memory = new TestMemory().ram(0, 4 << 20);
        context = new TestContext(memory);
        mmu = new ShadowMmu(context, LIMIT);
        pages = mmu.pages();
    }

    @AfterEach
    void close() {
        mmu.close();
        assertEquals(0, memory.frames().shadowFrames());
        memory.close();
    }

    /** Shadows of so many guest tables, from gfn 0 on. */
    private void fill(int count) {
        for (int gfn = 0; gfn < count; gfn++) pages.get(gfn, ROLE);
    }

    private boolean shadowed(long gfn) {
        return pages.shadowed(memory.frame(gfn));
    }

    @Test
    void beginsWithFewerThanFiveFreePagesAndEndsWithTwentyFive() {
        fill(LIMIT - 5);
        pages.makeRoom();
        assertEquals(LIMIT - 5, pages.inUse);
        pages.get(LIMIT, ROLE);
        pages.makeRoom();
        assertEquals(LIMIT - 25, pages.inUse);
        assertEquals(21, pages.reclaimed);
    }

    @Test
    void takesTheLeastRecentlyUsedFirst() {
        fill(LIMIT - 4);
        pages.get(0, ROLE);
        pages.makeRoom();
        assertTrue(shadowed(0), "used again");
        for (int gfn = 1; gfn <= 21; gfn++) assertFalse(shadowed(gfn), "gfn " + gfn);
        for (int gfn = 22; gfn < LIMIT - 4; gfn++) assertTrue(shadowed(gfn), "gfn " + gfn);
    }

    @Test
    void reclaimedPageLeavesNoReferenceToItsLeaves() {
        ShadowPage p = pages.get(0, ROLE);
        pages.setLeaf(p, 1, Spte.of(memory.frame(0x300), Spte.P));
        pages.setLeaf(p, 2, Spte.of(memory.frame(0x301), Spte.P | Spte.W));
        fill(LIMIT - 4);
        for (int gfn = 1; gfn < 30; gfn++) pages.get(gfn, ROLE);
        pages.makeRoom();
        assertFalse(shadowed(0));
        assertEquals(0, pages.rmap.first(memory.frame(0x300)));
        assertEquals(0, pages.rmap.first(memory.frame(0x301)));
    }

    @Test
    void tablesInOneBucketOfTheHashAreToldApart() {
        // The bucket is made of bits 11:0 and 23:12: two changes that cancel.
        ShadowPage one = pages.get(0x100000, ROLE);
        ShadowPage two = pages.get(0x100000 ^ 0x1001, ROLE);
        assertNotEquals(one, two);
        assertEquals(one, pages.get(0x100000, ROLE));
        assertEquals(two, pages.get(0x100000 ^ 0x1001, ROLE));
    }

    @Test
    void sparesTheRootsInUse() {
        ShadowPage root = pages.get(0, ROLE);
        root.roots++;
        pages.setLeaf(root, 1, Spte.of(memory.frame(0x300), Spte.P));
        for (int gfn = 1; gfn < LIMIT - 4; gfn++) pages.get(gfn, ROLE);
        pages.makeRoom();
        assertTrue(shadowed(0));
        assertNotEquals(0, pages.entry(root, 1), "and what is in them");
        assertFalse(shadowed(1));
        assertEquals(LIMIT - 25, pages.inUse);
    }

    @Test
    void loadsOfCr3StayInTheBudget() {
        VcpuContext v = new VcpuContext(0, memory, null);
        context.vcpus.add(v);
        v.state.reset();
        v.state.cr0 = CpuState.CR0_PE | CpuState.CR0_PG;
        for (int i = 0; i < 300; i++) {
            v.state.cr3 = (long) i << 12;
            mmu.setRoot(v);
            assertTrue(pages.inUse <= LIMIT, pages.inUse + " pages");
        }
        assertTrue(shadowed(299) && shadowed(290) && !shadowed(0), "the latest are kept");
    }
}
