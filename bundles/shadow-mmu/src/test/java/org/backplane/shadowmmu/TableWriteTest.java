package org.backplane.shadowmmu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.SoftTlb;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.mmu.Mmu.Fault;
import org.backplane.kvm.spi.mmu.Spte;
import org.backplane.kvm.testing.TestContext;
import org.backplane.kvm.testing.TestMemory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Writes to tables that are used more than once: in several places, in several roles, in both halves. A 32-bit guest with its directory at 0x1000, a
 * table at 0x2000 for gva 0, and one at 0x3000 for 4 MiB.
 */
class TableWriteTest {
    private static final int READ = 0, WRITE = 2;
    private static final long DIRECTORY = 0x1000, TABLE = 0x2000, OTHER = 0x3000;

    private TestMemory memory;
    private TestContext context;
    private VcpuContext v;
    private ShadowMmu mmu;
    private Processor cpu;

    @BeforeEach
    void create() {
        memory = new TestMemory().ram(0, 1 << 20).slot(0x300000, 8 << 12, false, true);
        context = new TestContext(memory);
        v = new VcpuContext(0, memory, null);
        context.vcpus.add(v);
        v.state.reset();
        v.state.cr0 = CpuState.CR0_PE | CpuState.CR0_PG | CpuState.CR0_WP;
        v.state.cr3 = DIRECTORY;
        mmu = (ShadowMmu) new ShadowMmuFactory().create(context);
        memory.mmu = mmu;
        memory.write(DIRECTORY, 4, TABLE | 7);
        memory.write(DIRECTORY + 4, 4, OTHER | 7);
        mmu.setRoot(v);
        cpu = new Processor(memory, v, mmu);
    }

    @AfterEach
    void close() {
        new Audit(mmu).check();
        mmu.close();
        memory.close();
    }

    private void map(long table, int index, long entry) {
        memory.write(table + index * 4L, 4, entry);
    }

    @Test
    void kernelWriteKeepsTheShadowOfTheTable() {
        map(OTHER, 0, 0x9067);
        map(TABLE, 5, OTHER | 0x67);
        cpu.access(0x400000, READ);
        assertEquals(Fault.EMULATE, cpu.access(0x5000, WRITE));
        assertTrue(mmu.pages().shadowed(memory.frame(OTHER >>> 12)));
        assertNotEquals(0, cpu.leaf(0x400000));
        assertEquals(0, cpu.leaf(0x5000) & Spte.W);
    }

    @Test
    void pageMappedManyTimesLosesAllItsWritersWhenItBecomesATable() {
        for (int i = 0; i < 11; i++) {
            map(TABLE, 16 + i, OTHER | 0x67);
            assertEquals(Fault.FIXED, cpu.access(0x10000 + (i << 12), WRITE));
        }
        cpu.access(0x400000 + 0x5000, READ);
        assertFalse(mmu.pages().shadowed(memory.frame(OTHER >>> 12)), "its entry is not present");
        map(OTHER, 5, 0x9067);
        cpu.access(0x400000 + 0x5000, READ);
        for (int i = 0; i < 11; i++) assertEquals(Spte.P, cpu.leaf(0x10000 + (i << 12)) & (Spte.P | Spte.W), "mapping " + i);
    }

    @Test
    void writeToATableDropsItsEntryInItsHalfOnly() {
        map(TABLE, 5, 0x7067);
        map(TABLE, 0x205, 0x8067);
        cpu.access(0x5000, READ);
        cpu.access(0x205000, READ);
        map(TABLE, 5, 0x9067);
        assertEquals(0, cpu.leaf(0x5000));
        assertEquals(memory.frame(8), Spte.frame(cpu.leaf(0x205000)));
        v.tlb.flush(false);
        cpu.access(0x5000, READ);
        map(TABLE, 0x205, 0x9067);
        assertNotEquals(0, cpu.leaf(0x5000));
        assertEquals(0, cpu.leaf(0x205000));
    }

    @Test
    void writeToATableDropsItsEntryInEveryRole() {
        map(DIRECTORY, 2, TABLE | 5);
        map(DIRECTORY, 3, TABLE | 3);
        map(TABLE, 5, 0x7067);
        cpu.access(0x5000, READ);
        cpu.access(0x805000, READ);
        cpu.access(0xc05000, READ);
        map(TABLE, 5, 0x9067);
        assertEquals(0, cpu.leaf(0x5000) | cpu.leaf(0x805000) | cpu.leaf(0xc05000));
    }

    @Test
    void zapClearsTheEntryInEveryParent() {
        map(OTHER, 5, 0x7067);
        // Seven directory entries with the same rights: one shadow page with more parents than a chunk holds.
        for (int i = 1; i < 8; i++) {
            map(DIRECTORY, i, OTHER | 7);
            cpu.access((long) i << 22 | 0x5000, READ);
        }
        map(TABLE, 5, 0x7067);
        cpu.access(0x5000, READ);
        ShadowPage page = mmu.pages().firstTable(memory.frame(OTHER >>> 12));
        assertEquals(7, page.parentRefs().size());
        for (int i = 0; i < 3; i++) map(OTHER, 6, 0);
        assertFalse(mmu.pages().shadowed(memory.frame(OTHER >>> 12)));
        for (int i = 1; i < 8; i++) assertEquals(2, mmu.view().walk(v, (long) i << 22 | 0x5000).getLast().level(), "ends at the directory");
        assertNotEquals(0, cpu.leaf(0x5000), "the other table's stays");
    }

    @Test
    void zapFlushesTheTlbs() {
        map(OTHER, 5, 0x7067);
        cpu.access(0x405000, READ);
        int flushes = context.flushes;
        map(OTHER, 6, 0);
        map(OTHER, 6, 0);
        assertEquals(flushes, context.flushes, "a change of one entry is for the guest to flush");
        map(OTHER, 6, 0);
        assertEquals(flushes + 1, context.flushes);
    }

    @Test
    void everyPageOfALoggedSlotIsProtectedAgainWhenTheLogIsRead() {
        for (int i = 0; i < 8; i++) {
            map(TABLE, 16 + i, 0x300067L + (i << 12));
            cpu.access(0x10000 + (i << 12), WRITE);
        }
        mmu.writeProtect(memory.slots().get(1));
        for (int i = 0; i < 8; i++) assertEquals(Spte.P, cpu.leaf(0x10000 + (i << 12)) & (Spte.P | Spte.W), "page " + i);
    }

    @Test
    void readingTheLogTakesTheWriteTagsOfTheTlb() {
        map(TABLE, 5, 0x300067);
        cpu.access(0x5000, WRITE);
        int flushes = context.flushes;
        mmu.writeProtect(memory.slots().get(1));
        assertEquals(flushes + 1, context.flushes);
        mmu.writeProtect(memory.slots().get(1));
        assertEquals(flushes + 1, context.flushes, "nobody has written since");
    }

    @Test
    void invlpgNeedsNoExitSinceTheWriteDroppedTheEntry() {
        assertFalse(mmu.invlpgExits());
        map(TABLE, 5, 0x7067);
        cpu.access(0x5000, READ);
        map(TABLE, 5, 0x8067);
        v.tlb.flush(SoftTlb.Flush.ADDRESS, 0, 0x5000);
        cpu.access(0x5000, READ);
        assertEquals(memory.frame(8), Spte.frame(cpu.leaf(0x5000)));
    }
}
