package org.backplane.shadowmmu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
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

/** The rules of shadow paging one by one, with a 32-bit guest: directory at 0x1000, its first table at 0x2000. */
class ShadowMmuTest {
    private static final int READ = 0, WRITE = 2, USER = 4;
    private static final long DIRECTORY = 0x1000, TABLE = 0x2000;

    private TestMemory memory;
    private TestContext context;
    private VcpuContext v;
    private ShadowMmu mmu;
    private Processor cpu;
    private Audit audit;

    @BeforeEach
    void create() {
        memory = new TestMemory().ram(0, 1 << 20).slot(0x200000, 8 << 12, true, false).slot(0x300000, 8 << 12, false, true);
        context = new TestContext(memory);
        v = new VcpuContext(0, memory, null);
        context.vcpus.add(v);
        v.state.reset();
        v.state.cr0 = CpuState.CR0_PE | CpuState.CR0_PG | CpuState.CR0_WP;
        v.state.cr4 = CpuState.CR4_PSE;
        v.state.cr3 = DIRECTORY;
        mmu = (ShadowMmu) new ShadowMmuFactory().create(context);
        memory.mmu = mmu;
        memory.write(DIRECTORY, 4, TABLE | 7);
        mmu.setRoot(v);
        cpu = new Processor(memory, v, mmu);
        audit = new Audit(mmu);
    }

    @AfterEach
    void close() {
        audit.check();
        mmu.close();
        assertEquals(0, memory.frames().shadowFrames());
        memory.close();
    }

    /** Sets the guest's entry for a page of the first 4 MiB. */
    private void map(long gva, long entry) {
        memory.write(TABLE + (gva >>> 12) * 4, 4, entry);
    }

    private long count(String counter) {
        return mmu.counters().get(counter);
    }

    @Test
    void cleanPageIsReadOnlyUntilTheFirstWriteSetsTheGuestsDirtyBit() {
        map(0x5000, 0x7007);
        assertEquals(Fault.FIXED, cpu.access(0x5000, READ));
        assertEquals(0, cpu.leaf(0x5000) & Spte.W);
        assertEquals(0x7027, memory.read(TABLE + 20, 4));
        assertEquals(Fault.FIXED, cpu.access(0x5000, WRITE));
        assertEquals(1, cpu.faults);
        assertTrue((cpu.leaf(0x5000) & Spte.W) != 0);
        assertEquals(0x7067, memory.read(TABLE + 20, 4));
    }

    /** The door knows the page, since code runs from it: what the walk stores there goes through the door and is no change of a table all the same. */
    @Test
    void accessedAndDirtyBitsInATableThatIsCodeTooDropNothing() {
        map(0x5000, 0x7007);
        map(0x6000, 0x8007);
        cpu.access(0x5000, READ);
        memory.frames().setCodeMask(memory.frame(TABLE >>> 12), 1);
        long before = count("mmu_pte_write");
        cpu.access(0x6000, WRITE);
        assertEquals(0x8067, memory.read(TABLE + 24, 4));
        assertEquals(before, count("mmu_pte_write"));
        assertNotEquals(0, cpu.leaf(0x5000));
    }

    @Test
    void dirtyPageIsWritableAtOnce() {
        map(0x5000, 0x7047);
        cpu.access(0x5000, READ);
        cpu.access(0x5000, WRITE);
        assertEquals(0, cpu.faults);
    }

    @Test
    void accessedAndDirtyBitsOfTheWalkAreNoWritesToTheTable() {
        map(0x5000, 0x7007);
        cpu.access(0x5000, WRITE);
        map(0x6000, 0x8007);
        long before = count("mmu_pte_write");
        cpu.access(0x6000, WRITE);
        assertEquals(before, count("mmu_pte_write"));
        assertNotEquals(0, cpu.leaf(0x5000));
    }

    @Test
    void writeProtectionWithoutWpTurnsOverBetweenKernelAndUser() {
        v.state.cr0 &= ~CpuState.CR0_WP;
        mmu.setRoot(v);
        map(0x5000, 0x7005);
        assertEquals(Fault.FIXED, cpu.access(0x5000, WRITE));
        assertEquals(Spte.W, cpu.leaf(0x5000) & (Spte.W | Spte.U));
        assertEquals(Fault.FIXED, cpu.access(0x5000, USER));
        assertEquals(Spte.U, cpu.leaf(0x5000) & (Spte.W | Spte.U));
        assertEquals(Fault.GUEST, cpu.access(0x5000, WRITE | USER));
        assertEquals(7, v.faultError);
    }

    @Test
    void rightsOfBothLevelsAreJoined() {
        memory.write(DIRECTORY, 4, TABLE | 5);
        map(0x5000, 0x7067);
        assertEquals(Fault.FIXED, cpu.access(0x5000, USER));
        assertEquals(Fault.GUEST, cpu.access(0x5000, WRITE));
        memory.write(DIRECTORY, 4, TABLE | 3);
        v.tlb.flush(false);
        assertEquals(Fault.GUEST, cpu.access(0x5000, USER));
        assertEquals(5, v.faultError);
    }

    @Test
    void writeToATableDropsItsEntryOnly() {
        map(0x5000, 0x7067);
        map(0x6000, 0x8067);
        cpu.access(0x5000, READ);
        cpu.access(0x6000, READ);
        map(0x5000, 0x9067);
        assertEquals(0, cpu.leaf(0x5000));
        assertNotEquals(0, cpu.leaf(0x6000));
        v.tlb.flush(SoftTlb.Flush.ADDRESS, 0, 0x5000);
        cpu.access(0x5000, READ);
        assertEquals(memory.frame(9), Spte.frame(cpu.leaf(0x5000)));
    }

    @Test
    void writeToADirectoryDropsBothHalvesOfItsFourMegabytes() {
        map(0x5000, 0x7067);
        map(0x205000, 0x8067);
        cpu.access(0x5000, READ);
        cpu.access(0x205000, READ);
        memory.write(DIRECTORY, 4, 0);
        assertEquals(0, cpu.leaf(0x5000));
        assertEquals(0, cpu.leaf(0x205000));
    }

    @Test
    void kernelWriteToATableIsEmulated() {
        map(0x5000, TABLE | 0x67);
        assertEquals(Fault.EMULATE, cpu.access(0x5000, WRITE));
        assertEquals(Fault.FIXED, cpu.access(0x5000, READ));
        assertEquals(0, cpu.leaf(0x5000) & Spte.W);
    }

    @Test
    void pageThatBecomesATableLosesItsWriters() {
        map(0x5000, 0x3067);
        assertEquals(Fault.FIXED, cpu.access(0x5000, WRITE));
        memory.write(DIRECTORY + 4, 4, 0x3007);
        memory.write(0x3000, 4, 0x9067);
        assertEquals(Fault.FIXED, cpu.access(0x400000, READ));
        assertEquals(0, cpu.leaf(0x5000) & Spte.W);
        audit.check();
        assertEquals(Fault.EMULATE, cpu.access(0x5000, WRITE));
    }

    @Test
    void userWriteTurnsATableIntoData() {
        memory.write(DIRECTORY + 4, 4, 0x3007);
        memory.write(0x3000, 4, 0x9067);
        cpu.access(0x400000, READ);
        map(0x5000, 0x3067);
        assertEquals(Fault.FIXED, cpu.access(0x5000, WRITE | USER));
        assertFalse(mmu.pages().shadowed(memory.frame(3)));
        assertEquals(0, cpu.leaf(0x400000));
    }

    @Test
    void userWriteToATableOnItsOwnWayIsEmulated() {
        map(0x5000, TABLE | 0x67);
        assertEquals(Fault.EMULATE, cpu.access(0x5000, WRITE | USER));
    }

    @Test
    void floodOfWritesEndsTheShadowOfATable() {
        memory.write(DIRECTORY + 4, 4, 0x3007);
        memory.write(0x3000, 4, 0x9067);
        cpu.access(0x400000, READ);
        assertTrue(mmu.pages().shadowed(memory.frame(3)));
        memory.write(0x3010, 4, 0x9067);
        memory.write(0x3014, 4, 0x9067);
        assertTrue(mmu.pages().shadowed(memory.frame(3)));
        memory.write(0x3018, 4, 0x9067);
        assertFalse(mmu.pages().shadowed(memory.frame(3)));
    }

    @Test
    void useOfATableBetweenWritesIsNoFlood() {
        for (int i = 0; i < 20; i++) {
            map(0x5000, (0x10L + i) << 12 | 0x67);
            v.tlb.flush(SoftTlb.Flush.ADDRESS, 0, 0x5000);
            assertEquals(Fault.FIXED, cpu.access(0x5000, READ));
        }
        assertTrue(mmu.pages().shadowed(memory.frame(2)));
        assertEquals(0, count("mmu_flooded"));
    }

    @Test
    void writeAcrossEntriesEndsTheShadowOfATable() {
        map(0x5000, 0x7067);
        cpu.access(0x5000, READ);
        memory.write(TABLE + 0x802, 4, 0);
        assertFalse(mmu.pages().shadowed(memory.frame(2)));
        cpu.access(0x5000, READ);
        memory.write(TABLE + 0x800, new byte[64], 0, 64);
        assertFalse(mmu.pages().shadowed(memory.frame(2)));
    }

    @Test
    void writesToTheOtherHalfOfATableCountForItsFlood() {
        memory.write(DIRECTORY + 4, 4, 0x3007);
        memory.write(0x3000, 4, 0x9067);
        cpu.access(0x400000, READ);
        for (int i = 0; i < 3; i++) memory.write(0x3800 + i * 4, 4, 0x9067);
        assertFalse(mmu.pages().shadowed(memory.frame(3)), "gva 0x600000, which that half is for, was never used");
    }

    @Test
    void writesToTwoTablesInTurnAreNoFlood() {
        memory.write(DIRECTORY + 4, 4, 0x3007);
        memory.write(0x3000, 4, 0x9067);
        cpu.access(0x400000, READ);
        map(0x5000, 0x9067);
        cpu.access(0x5000, READ);
        for (int i = 0; i < 6; i++) {
            memory.write(0x3010, 4, 0x9067);
            map(0x6000, 0x9067);
        }
        assertTrue(mmu.pages().shadowed(memory.frame(3)));
        assertTrue(mmu.pages().shadowed(memory.frame(2)));
        assertEquals(0, count("mmu_flooded"));
    }

    @Test
    void zappedRootIsFreedWhenItIsARootNoMore() {
        for (int i = 0; i < 3; i++) memory.write(DIRECTORY + 0x100 + i * 4, 4, 0);
        assertTrue(mmu.pages().shadowed(memory.frame(1)), "it is in use");
        v.state.cr3 = 0x4000;
        mmu.setRoot(v);
        assertFalse(mmu.pages().shadowed(memory.frame(1)));
    }

    @Test
    void zappedRootThatWasUsedAgainIsKeptInTheRootCache() {
        map(0x5000, 0x7067);
        for (int i = 0; i < 3; i++) memory.write(DIRECTORY + 0x100 + i * 4, 4, 0);
        cpu.access(0x5000, READ);
        v.state.cr3 = 0x4000;
        mmu.setRoot(v);
        v.state.cr3 = DIRECTORY;
        long hits = count("root_cache_hit");
        mmu.setRoot(v);
        assertEquals(hits + 1, count("root_cache_hit"), "the one of four roots that was used");
    }

    @Test
    void floodedRootStaysProtectedAndWorks() {
        map(0x5000, 0x7067);
        cpu.access(0x5000, READ);
        for (int i = 0; i < 8; i++) memory.write(DIRECTORY + 0x100 + i * 4, 4, 0);
        assertTrue(mmu.pages().shadowed(memory.frame(1)));
        assertEquals(0, cpu.leaf(0x5000));
        assertEquals(Fault.FIXED, cpu.access(0x5000, READ));
        memory.write(DIRECTORY, 4, 0);
        assertEquals(0, cpu.leaf(0x5000));
    }

    @Test
    void rootIsFoundAgainWhenItsAddressSpaceRunsAgain() {
        map(0x5000, 0x7067);
        cpu.access(0x5000, READ);
        long created = count("mmu_shadow_created");
        v.state.cr3 = 0x4000;
        mmu.setRoot(v);
        assertEquals(0, cpu.leaf(0x5000));
        v.state.cr3 = DIRECTORY;
        mmu.setRoot(v);
        assertNotEquals(0, cpu.leaf(0x5000));
        assertEquals(created + 4, count("mmu_shadow_created"), "the other directory's four roots");
    }

    @Test
    void largePageIsSplitAndItsDirtyBitHoldsForAll() {
        memory.write(DIRECTORY + 4, 4, 0x87);
        assertEquals(Fault.FIXED, cpu.access(0x405000, READ));
        assertEquals(memory.frame(5), Spte.frame(cpu.leaf(0x405000)));
        assertEquals(0, cpu.leaf(0x405000) & Spte.W);
        assertEquals(Fault.FIXED, cpu.access(0x406000, WRITE));
        assertEquals(0xe7, memory.read(DIRECTORY + 4, 4));
        // The guest cleans the page: what was writable must fault again.
        memory.write(DIRECTORY + 4, 4, 0xa7);
        v.tlb.flush(false);
        assertEquals(Fault.FIXED, cpu.access(0x406000, READ));
        assertEquals(0, cpu.leaf(0x406000) & Spte.W);
        assertEquals(Fault.FIXED, cpu.access(0x406000, WRITE));
        assertEquals(0xe7, memory.read(DIRECTORY + 4, 4));
    }

    @Test
    void partsOfALargePageAreMarkedSoThatOneInvlpgDropsThemAll() {
        memory.write(DIRECTORY + 4, 4, 0xe7);
        cpu.access(0x405000, READ);
        assertTrue((cpu.leaf(0x405000) & Spte.LARGE) != 0);
        map(0x5000, 0x6003);
        cpu.access(0x5000, READ);
        assertEquals(0, cpu.leaf(0x5000) & Spte.LARGE);
    }

    @Test
    void cleanAndReadOnlyLargePagesShareNoShadowPage() {
        v.state.cr0 &= ~CpuState.CR0_WP;
        mmu.setRoot(v);
        memory.write(DIRECTORY + 4, 4, 0xe5);
        memory.write(DIRECTORY + 8, 4, 0xa7);
        cpu.access(0x405000, WRITE);
        cpu.access(0x805000, WRITE);
        assertEquals(0xe7, memory.read(DIRECTORY + 8, 4), "the write to the clean one sets its dirty bit");
    }

    @Test
    void globalAndOtherLargePagesShareNoShadowPage() {
        v.state.cr4 |= CpuState.CR4_PGE;
        mmu.setRoot(v);
        memory.write(DIRECTORY + 4, 4, 0x1e7);
        memory.write(DIRECTORY + 8, 4, 0xe7);
        cpu.access(0x405000, READ);
        cpu.access(0x805000, READ);
        assertTrue((cpu.leaf(0x405000) & Spte.G) != 0);
        assertEquals(0, cpu.leaf(0x805000) & Spte.G);
    }

    @Test
    void writeAllowedByWp0DoesNotOpenTheUserPageToSmepAndSmap() {
        v.state.cr0 &= ~CpuState.CR0_WP;
        v.state.cr4 |= CpuState.CR4_SMEP;
        mmu.setRoot(v);
        map(0x5000, 0x6005);
        assertEquals(Fault.FIXED, cpu.access(0x5000, WRITE));
        assertTrue(cpu.leaf(0x5000) < 0, "no fetch");
        v.state.cr4 |= CpuState.CR4_SMAP;
        v.state.setRflags(CpuState.AC | 2);
        mmu.setRoot(v);
        assertEquals(Fault.EMULATE, cpu.access(0x5000, WRITE));
        assertEquals(Spte.U, cpu.leaf(0x5000) & (Spte.W | Spte.U));
    }

    @Test
    void addressWithoutSlotIsMarkedWithItsRights() {
        map(0x5000, 0xfee00000L | 0x61);
        assertEquals(Fault.MMIO, mmu.fault(v, 0x5010, READ));
        assertEquals(Fault.MMIO, cpu.access(0x5010, READ));
        assertEquals(0xfee00010L, v.gpa);
        assertTrue(Spte.isMmio(cpu.leaf(0x5000)));
        assertEquals(Fault.MMIO, cpu.access(0x5014, READ));
        assertEquals(0, cpu.faults, "the processor finds the mark");
        assertEquals(Fault.GUEST, cpu.access(0x5010, WRITE));
        map(0x5000, 0);
        assertEquals(0, cpu.leaf(0x5000));
    }

    @Test
    void firstWriteToADeviceThroughACleanEntrySetsItsDirtyBit() {
        map(0x5000, 0xfee00000L | 3);
        cpu.access(0x5010, READ);
        cpu.access(0x5010, WRITE);
        assertEquals(0xfee00063L, memory.read(TABLE + 20, 4));
    }

    @Test
    void readOnlySlotIsADeviceForWrites() {
        map(0x5000, 0x200067);
        assertEquals(Fault.FIXED, cpu.access(0x5000, READ));
        assertEquals(Fault.MMIO, cpu.access(0x5000, WRITE));
        assertEquals(0x200000, v.gpa);
    }

    @Test
    void loggedPageBecomesWritableWithTheMarkAndIsProtectedAgain() {
        map(0x5000, 0x300067);
        cpu.access(0x5000, READ);
        assertEquals(0, cpu.leaf(0x5000) & Spte.W);
        assertFalse(memory.dirty.get(0x300));
        cpu.access(0x5000, WRITE);
        assertTrue(memory.dirty.get(0x300));
        memory.dirty.clear();
        mmu.writeProtect(memory.slots().get(2));
        cpu.access(0x5000, WRITE);
        assertTrue(memory.dirty.get(0x300));
    }

    @Test
    void tablesInALoggedSlotAreMarkedWhenTheWalkSetsBits() {
        memory.write(DIRECTORY + 4, 4, 0x301007);
        memory.write(0x301000, 4, 0x7007);
        memory.dirty.clear();
        cpu.access(0x400000, READ);
        assertTrue(memory.dirty.get(0x301));
    }

    @Test
    void removedSlotLeavesNothing() {
        map(0x5000, 0x300067);
        map(0x6000, 0x7067);
        cpu.access(0x5000, WRITE);
        cpu.access(0x6000, WRITE);
        mmu.slotsChanged();
        memory.remove(2);
        assertEquals(0, cpu.leaf(0x6000));
        assertEquals(Fault.MMIO, cpu.access(0x5000, READ));
        assertEquals(Fault.FIXED, cpu.access(0x6000, WRITE));
    }

    @Test
    void slotThatComesReplacesTheMarksOfADevice() {
        map(0x5000, 0x400067);
        map(0x6000, 0x7067);
        assertEquals(Fault.MMIO, cpu.access(0x5000, READ));
        cpu.access(0x6000, READ);
        memory.ram(0x400000, 4096);
        mmu.slotsChanged();
        assertEquals(0, cpu.leaf(0x5000));
        assertNotEquals(0, cpu.leaf(0x6000), "the other slots stay mapped");
        assertEquals(Fault.FIXED, cpu.access(0x5000, READ));
    }

    @Test
    void slotThatGoesTakesItsMappingsAndTheShadowOfItsTables() {
        memory.write(DIRECTORY + 4, 4, 0x301007);
        memory.write(0x301000, 4, 0x7067);
        map(0x5000, 0x302067);
        map(0x6000, 0x7067);
        cpu.access(0x400000, READ);
        cpu.access(0x5000, READ);
        cpu.access(0x6000, READ);
        memory.remove(2);
        mmu.slotsChanged();
        assertEquals(0, cpu.leaf(0x5000));
        assertEquals(0, cpu.leaf(0x400000));
        assertNotEquals(0, cpu.leaf(0x6000), "the other slots stay mapped");
        assertEquals(Fault.GUEST, cpu.access(0x400000, READ), "a table in no memory reads as not present");
    }

    @Test
    void slotThatBecomesReadOnlyLosesItsWriters() {
        map(0x5000, 0x300067);
        cpu.access(0x5000, WRITE);
        memory.readOnly(2, true);
        mmu.slotsChanged();
        assertEquals(Fault.MMIO, cpu.access(0x5000, WRITE));
    }

    @Test
    void movedRootIsLookedUpAnew() {
        map(0x5000, 0x7067);
        cpu.access(0x5000, READ);
        v.state.cr3 = 0x301000;
        memory.write(0x301000, 4, TABLE | 7);
        mmu.setRoot(v);
        cpu.access(0x5000, READ);
        memory.remove(2);
        mmu.slotsChanged();
        assertEquals(Fault.GUEST, cpu.access(0x5000, READ));
        memory.slot(0x300000, 8 << 12, false, false);
        memory.write(0x301000, 4, TABLE | 7);
        mmu.slotsChanged();
        assertEquals(Fault.FIXED, cpu.access(0x5000, READ));
    }

    @Test
    void invlpgDropsTheLeaf() {
        map(0x5000, 0x7067);
        cpu.access(0x5000, READ);
        mmu.invlpg(v, 0x5000);
        assertEquals(0, cpu.leaf(0x5000));
        mmu.invlpg(v, 0xdead0000L);
    }

    @Test
    void budgetOfPagesHolds() {
        context.properties.put("shadow-pages", "64");
        mmu.close();
        mmu = (ShadowMmu) new ShadowMmuFactory().create(context);
        memory.mmu = mmu;
        mmu.setRoot(v);
        cpu = new Processor(memory, v, mmu);
        audit = new Audit(mmu);
        for (int i = 0; i < 200; i++) {
            // Large pages at many places: two shadow pages each.
            memory.write(DIRECTORY + i * 4, 4, i % 2 * 0x400000L | 0xe7);
            cpu.access((long) i << 22, READ);
            cpu.access(((long) i << 22) + 0x200000, READ);
            v.state.cr3 = i % 2 == 0 ? DIRECTORY : 0x10000 + (i << 12) % 0x80000;
            mmu.setRoot(v);
            v.state.cr3 = DIRECTORY;
            mmu.setRoot(v);
            assertTrue(memory.frames().shadowFrames() <= 64);
        }
        assertTrue(count("mmu_recycled") > 0);
    }

    @Test
    void everyVcpuHasItsRootsAndEachSeesTheOthersTables() {
        VcpuContext other = new VcpuContext(1, memory, null);
        context.vcpus.add(other);
        other.state.copyFrom(v.state);
        mmu.setRoot(other);
        Processor cpu1 = new Processor(memory, other, mmu);
        map(0x5000, 0x7067);
        cpu.access(0x5000, WRITE);
        assertNotEquals(0, cpu1.leaf(0x5000), "the same directory, the same roots");
        memory.write(DIRECTORY + 4, 4, 0x7007);
        int flushes = context.flushes;
        cpu1.access(0x400000, READ);
        cpu.access(0x400000, READ);
        assertTrue(context.flushes > flushes || !mmu.pages().shadowed(memory.frame(7)), "a new table takes write tags from all");
    }

    @Test
    void badBudgetIsRefused() {
        context.properties.put("shadow-pages", "many");
        assertThrows(IllegalArgumentException.class, () -> new ShadowMmuFactory().create(context));
        context.properties.put("shadow-pages", "63");
        assertThrows(IllegalArgumentException.class, () -> new ShadowMmuFactory().create(context));
    }
}
