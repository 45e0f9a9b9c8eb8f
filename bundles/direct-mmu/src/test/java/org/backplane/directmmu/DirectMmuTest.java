package org.backplane.directmmu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.mmu.FrameTable;
import org.backplane.kvm.spi.mmu.Mmu;
import org.backplane.kvm.spi.mmu.Spte;
import org.backplane.kvm.testing.TestContext;
import org.backplane.kvm.testing.TestMemory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class DirectMmuTest {
    private static final int READ = 0, WRITE = 2;
    private TestMemory memory;
    private TestContext context;
    private VcpuContext v;
    private Mmu mmu;

    @BeforeEach
    void create() {
        memory = new TestMemory().ram(0, 1 << 20).slot(0xf0000000L, 1 << 16, true, false).slot(0x1_0000_0000L, 1 << 20, false, true);
        context = new TestContext(memory);
        v = new VcpuContext(0, memory, null);
        context.vcpus.add(v);
        mmu = new DirectMmuFactory().create(context);
        mmu.setRoot(v);
    }

    @AfterEach
    void close() {
        memory.close();
    }

    /** What the processor would find for a gpa. */
    private long leaf(long gpa) {
        FrameTable frames = memory.frames();
        long table = v.root;
        for (int level = 4; level > 1; level--) {
            long e = frames.entry(table, Spte.index(gpa, level));
            if (!Spte.present(e)) return 0;
            table = Spte.frame(e);
        }
        return frames.entry(table, Spte.index(gpa, 1));
    }

    @Test
    void pageOfRamIsMappedWritableByAReadFault() {
        assertEquals(0, leaf(0x5000));
        assertEquals(Mmu.Fault.FIXED, mmu.fault(v, 0x5123, READ));
        assertEquals(memory.frame(5), Spte.frame(leaf(0x5000)));
        assertTrue((leaf(0x5000) & Spte.W) != 0);
        assertEquals(0, leaf(0x6000));
    }

    @Test
    void addressWithoutSlotIsMarkedMmio() {
        assertEquals(Mmu.Fault.MMIO, mmu.fault(v, 0xfee00030L, WRITE));
        assertEquals(0xfee00030L, v.gpa);
        assertTrue(Spte.isMmio(leaf(0xfee00030L)));
        assertEquals(0xfee00, Spte.frame(leaf(0xfee00000L)));
    }

    @Test
    void readOnlySlotIsNeverWritable() {
        assertEquals(Mmu.Fault.FIXED, mmu.fault(v, 0xf0001000L, READ));
        assertEquals(0, leaf(0xf0001000L) & Spte.W);
        assertEquals(Mmu.Fault.MMIO, mmu.fault(v, 0xf0001000L, WRITE | 1));
        assertEquals(0, leaf(0xf0001000L) & Spte.W);
        assertTrue(Spte.present(leaf(0xf0001000L)));
    }

    @Test
    void loggedPageBecomesWritableOnlyWithTheMark() {
        long gpa = 0x1_0000_3000L;
        mmu.fault(v, gpa, READ);
        assertEquals(0, leaf(gpa) & Spte.W);
        assertTrue(memory.dirty.isEmpty());
        mmu.fault(v, gpa, WRITE | 1);
        assertTrue((leaf(gpa) & Spte.W) != 0);
        assertTrue(memory.dirty.get((int) (gpa >>> 12)));
    }

    @Test
    void readingTheLogProtectsItsSlotOnly() {
        mmu.fault(v, 0x5000, WRITE);
        mmu.fault(v, 0x1_0000_0000L, WRITE);
        mmu.fault(v, 0x1_000f_f000L, WRITE);
        mmu.writeProtect(memory.slots().get(2));
        assertEquals(0, leaf(0x1_0000_0000L) & Spte.W);
        assertEquals(0, leaf(0x1_000f_f000L) & Spte.W);
        assertTrue(Spte.present(leaf(0x1_000f_f000L)));
        assertTrue((leaf(0x5000) & Spte.W) != 0);
        assertEquals(1, context.flushes);
        mmu.writeProtect(memory.slots().get(2));
        assertEquals(1, context.flushes, "nothing was writable: no flush");
    }

    @Test
    void slotsChangedDropsAllAndFlushes() {
        mmu.fault(v, 0x5000, WRITE);
        mmu.fault(v, 0xfee00000L, WRITE);
        mmu.slotsChanged();
        assertEquals(0, leaf(0x5000));
        assertEquals(0, leaf(0xfee00000L));
        assertEquals(1, context.flushes);
        assertEquals(1, memory.frames().shadowFrames(), "only the root is left");
    }

    @Test
    void closeGivesAllFramesBack() {
        for (long gpa = 0; gpa < 1 << 20; gpa += 4096) mmu.fault(v, gpa, READ);
        mmu.close();
        assertEquals(0, memory.frames().shadowFrames());
    }

    @Test
    void gvaToGpaReportsTheGuestsError() {
        v.state.reset();
        assertEquals(0x1234, mmu.gvaToGpa(v, 0x1234, Intercepts.READ));
        v.state.cr0 |= CpuState.CR0_PE | CpuState.CR0_PG;
        v.state.cr3 = 0x1000;
        assertEquals(-1, mmu.gvaToGpa(v, 0x1234, Intercepts.WRITE));
        assertEquals(2, v.faultError);
        memory.write(0x1000, 4, 0x2003);
        memory.write(0x2004, 4, 0x7003);
        assertEquals(0x7234, mmu.gvaToGpa(v, 0x1234, Intercepts.WRITE | Mmu.PROBE));
        assertEquals(0x7003, memory.read(0x2004, 4), "a probe leaves the accessed bit");
        assertEquals(0x7234, mmu.gvaToGpa(v, 0x1234, Intercepts.WRITE));
        assertEquals(0x7063, memory.read(0x2004, 4));
        assertEquals(0x2023, memory.read(0x1000, 4));
        assertFalse(mmu.gvaToGpa(v, 0x1234, Intercepts.WRITE | Intercepts.USER) >= 0);
        assertEquals(7, v.faultError);
    }
}
