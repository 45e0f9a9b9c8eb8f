package org.backplane.shadowmmu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.stream.IntStream;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.mmu.Mmu.Fault;
import org.backplane.kvm.spi.mmu.Spte;
import org.backplane.kvm.testing.TestContext;
import org.backplane.kvm.testing.TestMemory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Roots of each paging mode, and what of a role keeps two uses of one guest page apart. */
class RoleTest {
    private static final int READ = 0, WRITE = 2, USER = 4, FETCH = 16;
    private static final long NX = 1L << 63;

    /** A directory, and tables; the 8-byte tables begin at {@link #WIDE}. */
    private static final long DIRECTORY = 0x1000, TABLE = 0x2000, WIDE = 0x10000;

    private TestMemory memory;
    private VcpuContext v;
    private ShadowMmu mmu;
    private Processor cpu;

    @BeforeEach
    void create() {
        memory = new TestMemory().ram(0, 4 << 20);
        TestContext context = new TestContext(memory);
        v = new VcpuContext(0, memory, null);
        context.vcpus.add(v);
        v.state.reset();
        mmu = (ShadowMmu) new ShadowMmuFactory().create(context);
        memory.mmu = mmu;
        cpu = new Processor(memory, v, mmu);
    }

    @AfterEach
    void close() {
        new Audit(mmu).check();
        mmu.close();
        memory.close();
    }

    private void enter32() {
        v.state.cr0 = CpuState.CR0_PE | CpuState.CR0_PG | CpuState.CR0_WP;
        v.state.cr3 = DIRECTORY;
        memory.write(DIRECTORY, 4, TABLE | 7);
        mmu.setRoot(v);
    }

    /** Four directories from {@link #WIDE} on, each with a table at 4 to 7 pages behind. */
    private void enterPae() {
        v.state.cr0 = CpuState.CR0_PE | CpuState.CR0_PG | CpuState.CR0_WP;
        v.state.cr4 = CpuState.CR4_PAE;
        v.state.efer = CpuState.EFER_NX;
        for (int i = 0; i < 4; i++) {
            v.guestPdpte[i] = WIDE + (i << 12) | 1;
            memory.write(WIDE + (i << 12), 8, WIDE + (i + 4 << 12) | 7);
        }
        mmu.setRoot(v);
    }

    private ShadowPage root(int i) {
        return mmu.pages().at(Spte.frame(v.paeRoot[i]));
    }

    private long mapped(long gva) {
        return Spte.frame(cpu.leaf(gva));
    }

    // ---- roots ----

    @Test
    void withoutPagingFourDirectRootsEachHaveTheirGib() {
        mmu.setRoot(v);
        assertEquals(0, v.root);
        for (int i = 0; i < 4; i++) {
            assertTrue(root(i).direct());
            assertEquals(2, root(i).level());
            assertEquals((long) i << 18, root(i).gfn);
        }
        assertEquals(Fault.FIXED, cpu.access(0x5000, READ));
        assertEquals(memory.frame(5), mapped(0x5000));
    }

    @Test
    void fourRootsOfA32BitGuestAreTheQuartersOfItsDirectory() {
        enter32();
        for (int i = 0; i < 4; i++) {
            assertEquals(DIRECTORY >>> 12, root(i).gfn);
            assertEquals(i, Role.quadrant(root(i).role));
            memory.write(DIRECTORY + i * 0x400L, 4, TABLE + (i << 12) | 7);
            memory.write(TABLE + (i << 12) + 5 * 4, 4, 0x20067L + (i << 12));
        }
        long[] gvas = IntStream.range(0, 4).mapToLong(i -> (long) i << 30 | 0x5000).toArray();
        for (long gva : gvas) cpu.access(gva, READ);
        for (int i = 0; i < 4; i++) assertEquals(memory.frame(0x20 + i), mapped(gvas[i]), "GiB " + i);
    }

    @Test
    void rootsOfAPaeGuestAreTheDirectoriesOfItsFourPdptes() {
        enterPae();
        assertEquals(0, v.root);
        for (int i = 0; i < 4; i++) {
            assertEquals((WIDE >>> 12) + i, root(i).gfn);
            memory.write(WIDE + (i + 4 << 12) + 5 * 8, 8, 0x20067L + (i << 12));
        }
        for (int i = 0; i < 4; i++) cpu.access((long) i << 30 | 0x5000, READ);
        for (int i = 0; i < 4; i++) assertEquals(memory.frame(0x20 + i), mapped((long) i << 30 | 0x5000), "GiB " + i);
    }

    @Test
    void pdpteThatIsNotPresentHasNoRoot() {
        enterPae();
        v.guestPdpte[1] = 0;
        mmu.setRoot(v);
        assertEquals(0, v.paeRoot[1]);
        assertEquals(Fault.GUEST, cpu.access(0x40005000L, READ));
        assertEquals(0, v.faultError);
    }

    // ---- what a role tells apart ----

    @Test
    void quadrantTellsTheHalvesOfATableApart() {
        enter32();
        memory.write(TABLE + 5 * 4, 4, 0x7067);
        memory.write(TABLE + 0x205 * 4, 4, 0x8067);
        cpu.access(0x5000, READ);
        cpu.access(0x205000, READ);
        assertEquals(memory.frame(7), mapped(0x5000));
        assertEquals(memory.frame(8), mapped(0x205000));
    }

    @Test
    void directoryThatIsItsOwnTableHasAPageOfEachLevel() {
        enter32();
        memory.write(DIRECTORY + 4, 4, DIRECTORY | 0x67);
        cpu.access(0x401000, READ);
        assertEquals(memory.frame(DIRECTORY >>> 12), mapped(0x401000));
        assertEquals(Fault.EMULATE, cpu.access(0x401000, WRITE));
    }

    @Test
    void tableOf32BitPagingIsAnotherPageThanOneOfPae() {
        enter32();
        ShadowPage before = root(0);
        v.state.cr4 = CpuState.CR4_PAE;
        v.guestPdpte[0] = DIRECTORY | 1;
        mmu.setRoot(v);
        assertNotEquals(before, root(0));
        assertEquals(3, Role.guestLevels(root(0).role));
    }

    @Test
    void partOfALargePageAndATableInTheSamePlaceAreTwoPages() {
        enter32();
        v.state.cr4 = CpuState.CR4_PSE;
        mmu.setRoot(v);
        memory.write(DIRECTORY + 4, 4, 0xe7);
        memory.write(DIRECTORY + 8, 4, 0x200007);
        memory.write(0x200000, 4, 0x9067);
        cpu.access(0x800000, READ);
        cpu.access(0x600000, READ);
        assertEquals(memory.frame(9), mapped(0x800000));
        assertEquals(memory.frame(0x200), mapped(0x600000));
    }

    @Test
    void largePageThatWasCleanedIsCleanInAllItsParts() {
        enter32();
        v.state.cr4 = CpuState.CR4_PSE;
        mmu.setRoot(v);
        memory.write(DIRECTORY + 4, 4, 0xe7);
        cpu.access(0x405000, WRITE);
        cpu.access(0x406000, WRITE);
        memory.write(DIRECTORY + 4, 4, 0xa7);
        v.tlb.flush(false);
        cpu.access(0x405000, READ);
        cpu.access(0x406000, WRITE);
        assertEquals(0xe7, memory.read(DIRECTORY + 4, 4));
    }

    @Test
    void oneTableWithTwoRightsAboveItIsTwoPages() {
        enterPae();
        long table = WIDE + (4 << 12);
        memory.write(WIDE + 8, 8, table | 5);
        memory.write(WIDE + 16, 8, table | 3);
        memory.write(WIDE + 24, 8, table | 7 | NX);
        memory.write(table + 5 * 8, 8, 0x9067);
        assertEquals(Fault.FIXED, cpu.access(0x5000, WRITE | USER));
        assertEquals(Fault.FIXED, cpu.access(0x5000, FETCH | USER));
        assertEquals(Fault.GUEST, cpu.access(0x205000, WRITE | USER));
        assertEquals(Fault.GUEST, cpu.access(0x405000, USER));
        assertEquals(Fault.GUEST, cpu.access(0x605000, FETCH | USER));
        assertEquals(Fault.FIXED, cpu.access(0x205000, USER));
        assertEquals(Fault.FIXED, cpu.access(0x405000, WRITE));
        assertEquals(Fault.FIXED, cpu.access(0x605000, WRITE | USER));
    }

    @Test
    void registersThatDecideWhatAnEntryMeansArePartOfIt() {
        enterPae();
        ShadowPage before = root(0);
        v.state.cr0 &= ~CpuState.CR0_WP;
        mmu.setRoot(v);
        assertFalse(Role.wp(root(0).role));
        assertNotEquals(before, root(0));
        v.state.cr0 |= CpuState.CR0_WP;
        for (long bit : new long[] {CpuState.CR4_SMEP, CpuState.CR4_SMAP}) {
            v.state.cr4 ^= bit;
            mmu.setRoot(v);
            assertNotEquals(before, root(0));
            v.state.cr4 ^= bit;
        }
        v.state.efer = 0;
        mmu.setRoot(v);
        assertNotEquals(before, root(0));
        v.state.efer = CpuState.EFER_NX;
        mmu.setRoot(v);
        assertEquals(before, root(0), "and the root of the first registers is found again");
    }
}
