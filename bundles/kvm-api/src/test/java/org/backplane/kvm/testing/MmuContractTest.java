package org.backplane.kvm.testing;

import static org.backplane.kvm.spi.cpu.Intercepts.FETCH;
import static org.backplane.kvm.spi.cpu.Intercepts.READ;
import static org.backplane.kvm.spi.cpu.Intercepts.USER;
import static org.backplane.kvm.spi.cpu.Intercepts.WRITE;
import static org.backplane.kvm.testing.GuestTables.GLOBAL;
import static org.backplane.kvm.testing.GuestTables.LARGE;
import static org.backplane.kvm.testing.GuestTables.NX;
import static org.backplane.kvm.testing.GuestTables.P;
import static org.backplane.kvm.testing.GuestTables.U;
import static org.backplane.kvm.testing.GuestTables.W;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.Random;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.mmu.GuestWalk;
import org.backplane.kvm.spi.mmu.Mmu;
import org.backplane.kvm.spi.mmu.MmuFactory;
import org.backplane.kvm.testing.TestProcessor.Result;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/**
 * The rules that every MMU keeps, whatever it does inside: what {@link Mmu} promises to the core, and what the architecture promises to the
 * guest. An MMU's test extends this and says how to make one:
 *
 * <pre>{@code
 * class MyMmuContractTest extends MmuContractTest {
 *     @Override
 *     protected MmuFactory factory() {
 *         return new MyMmuFactory();
 *     }
 * }
 * }</pre>
 *
 * <p>{@link TestProcessor} plays the processor and the core. A result is only asked for after what the architecture says is enough to
 * make it certain: an MMU may keep old translations until then, and not a moment longer. Section numbers are of the SDM, volume 3A.
 */
public abstract class MmuContractTest {
    /** Memory: RAM, a ROM, RAM whose dirty pages are logged, RAM above 4 GiB; everything else is devices. */
    protected static final long RAM_SIZE = 0x200000, ROM = 0x300000, LOGGED = 0x400000, HIGH = 0x1_0000_0000L, DEVICE = 0xfee00000L;

    private static final int LOGGED_SLOT = 2, HIGH_SLOT = 3;
    private static final long CR0 = CpuState.CR0_PE | CpuState.CR0_WP;

    /** Linear addresses without a meaning of their own, far enough from each other to use different tables. */
    private static final long A = 0x00805000L, B = 0x40406000L, C = 0xc0007000L;

    protected TestMemory memory;
    protected TestContext context;
    protected VcpuContext v;
    protected Mmu mmu;
    protected TestProcessor cpu;
    private GuestTables tables;

    /** A factory of the MMU under test. */
    protected abstract MmuFactory factory();

    /** Card properties. */
    protected Map<String, String> properties() {
        return Map.of();
    }

    @BeforeEach
    final void power() {
        memory = new TestMemory()
                .ram(0, RAM_SIZE)
                .slot(ROM, 16 << 12, true, false)
                .slot(LOGGED, 16 << 12, false, true)
                .ram(HIGH, 64 << 12);
        context = new TestContext(memory);
        context.properties.putAll(properties());
        mmu = factory().create(context);
        memory.mmu = mmu;
        v = vcpu(0);
        cpu = new TestProcessor(memory, v, mmu);
        cpu.setMode(CpuState.CR0_PE, 0, 0);
    }

    @AfterEach
    final void closeGivesEveryFrameBack() {
        mmu.close();
        int left = memory.frames().shadowFrames();
        memory.close();
        assertEquals(0, left, "frames that the MMU keeps");
    }

    private VcpuContext vcpu(int id) {
        VcpuContext c = new VcpuContext(id, memory, null);
        c.state.reset();
        context.vcpus.add(c);
        return c;
    }

    /** Tables of a paging mode at a place of their own, in force. */
    private GuestTables paging(GuestTables.Kind kind) {
        tables = new GuestTables(memory, kind, 0x100000);
        tables.enter(cpu, v, CR0, CpuState.CR4_PSE);
        return tables;
    }

    private static long mark(long gpa) {
        return gpa * 0x9e3779b97f4a7c15L;
    }

    /** Every page of RAM knows its address. */
    private void markPages() {
        for (long gpa = 0; gpa < 0x80000; gpa += 4096) memory.write(gpa, 8, mark(gpa));
        for (long gpa = HIGH; gpa < HIGH + (64 << 12); gpa += 4096) memory.write(gpa, 8, mark(gpa));
    }

    private void assertMaps(long gva, long gpa, int access) {
        assertEquals(Result.MEMORY, cpu.read(gva, 8, access), () -> Long.toHexString(gva));
        assertEquals(memory.host(gpa), cpu.host, () -> Long.toHexString(gva) + " is " + Long.toHexString(gpa));
    }

    private void assertFaults(long error, long gva, int access) {
        assertEquals(Result.FAULT, (access & WRITE) != 0 ? cpu.write(gva, 4, access, 1) : cpu.read(gva, 4, access), () -> Long.toHexString(gva));
        assertEquals(error, cpu.error, "error code");
    }

    /** A write that succeeds, in whatever way the MMU chose. */
    private void store(long gva, int size, long value) {
        Result r = cpu.write(gva, size, 0, value);
        assertTrue(r == Result.MEMORY || r == Result.EMULATED, r + " for a write to " + Long.toHexString(gva));
    }

    // ---- the factory and the object ----

    @Test
    void factoryHasANameAndMakesIndependentMmus() {
        assertFalse(factory().type().isBlank());
        assertFalse(factory().description().isBlank());
        TestMemory other = new TestMemory().ram(0, 1 << 20);
        TestContext world = new TestContext(other);
        world.properties.putAll(properties());
        Mmu second = factory().create(world);
        other.mmu = second;
        VcpuContext w = new VcpuContext(0, other, null);
        w.state.reset();
        world.vcpus.add(w);
        TestProcessor otherCpu = new TestProcessor(other, w, second);
        otherCpu.setMode(CpuState.CR0_PE, 0, 0);
        assertEquals(Result.MEMORY, otherCpu.read(0x5000, 4, 0));
        assertEquals(other.host(0x5000), otherCpu.host);
        assertMaps(0x5000, 0x5000, READ);
        second.close();
        assertEquals(0, other.frames().shadowFrames());
        assertMaps(0x6000, 0x6000, READ);
        other.close();
    }

    @Test
    void kindNeverChangesAndCountersHaveNames() {
        Mmu.Kind kind = mmu.kind();
        assertNotNull(kind);
        boolean exits = mmu.invlpgExits();
        paging(GuestTables.Kind.BITS_32).map(A, 0x5000, P | W);
        cpu.read(A, 4, 0);
        assertEquals(kind, mmu.kind());
        assertEquals(exits, mmu.invlpgExits());
        mmu.counters().forEach((name, value) -> assertTrue(!name.isBlank() && value >= 0, name + " " + value));
    }

    // ---- translation ----

    @Test
    void withoutPagingLinearIsPhysical() {
        markPages();
        for (long gpa : new long[] {0, 0x5123, 0x7fff8}) {
            assertMaps(gpa, gpa, READ);
            assertMaps(gpa, gpa, FETCH | USER);
        }
        store(0x5000, 4, 77);
        assertEquals(77, memory.read(0x5000, 4));
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "NONE")
    void accessGoesWhereTheGuestsTablesSay(GuestTables.Kind kind) {
        markPages();
        paging(kind).map(A, 0x5000, P | W | U);
        tables.map(B, 0x6000, P | W | U);
        tables.map(C, 0x7000, P | W | U);
        assertMaps(A + 8, 0x5008, READ);
        assertMaps(B, 0x6000, USER);
        assertMaps(C + 0xff8, 0x7ff8, FETCH);
        assertEquals(Result.MEMORY, cpu.write(A, 8, USER, 42));
        assertEquals(42, memory.read(0x5000, 8));
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "NONE")
    void twoAddressesOfOnePageSeeEachOther(GuestTables.Kind kind) {
        paging(kind).map(A, 0x5000, P | W);
        tables.map(B, 0x5000, P | W);
        store(A + 16, 8, 123);
        assertEquals(Result.MEMORY, cpu.read(B + 16, 8, READ));
        assertEquals(123, cpu.value);
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "NONE")
    void largePageIsOneRange(GuestTables.Kind kind) {
        markPages();
        long gva = 0x00c00000L;
        paging(kind).mapLarge(gva, 0, P | W | U);
        assertMaps(gva + 0x5000, 0x5000, READ);
        assertMaps(gva + 0x7000, 0x7000, USER);
        store(gva + 0x6008, 8, 9);
        assertEquals(9, memory.read(0x6008, 8));
    }

    /** Table 4-4: bits 16:13 of a 4 MiB entry are bits 35:32 of the address. */
    @Test
    void pse36ReachesAbove4GiB() {
        markPages();
        paging(GuestTables.Kind.BITS_32).setLeaf(0x00c00000L, 2, P | W | LARGE | 1 << 13);
        assertMaps(0x00c03000L, HIGH + 0x3000, READ);
        tables.setLeaf(0x01000000L, 2, P | W | LARGE | 1 << 17);
        assertFaults(9, 0x01000000L, READ);
    }

    // ---- faults ----

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "NONE")
    void faultHasTheArchitecturesErrorCodeAndChangesNothing(GuestTables.Kind kind) {
        paging(kind).map(A, 0x5000, 0);
        assertFaults(0, A, READ);
        assertFaults(WRITE, A, WRITE);
        assertFaults(WRITE | USER, A, WRITE | USER);
        tables.map(A, 0x5000, P);
        cpu.invlpg(A);
        assertFaults(P | WRITE, A, WRITE);
        assertFaults(P | USER, A, USER);
        assertFaults(P | USER | WRITE, A, USER | WRITE);
        assertEquals(0x5001, tables.leaf(A, 1), "a fault sets no bits");
        assertMaps(A, 0x5000, READ);
    }

    @ParameterizedTest
    @EnumSource(names = {"PAE", "LONG"})
    void noExecuteIsForFetchesAndReservedWithoutNxe(GuestTables.Kind kind) {
        tables = new GuestTables(memory, kind, 0x100000);
        tables.enter(cpu, v, CR0, 0);
        v.state.efer |= CpuState.EFER_NX;
        cpu.setMode(v.state.cr0, v.state.cr4, v.state.efer);
        tables.map(A, 0x5000, P | W | NX);
        assertMaps(A, 0x5000, READ);
        assertFaults(P | FETCH, A, FETCH);
        cpu.setMode(v.state.cr0, v.state.cr4, v.state.efer & ~CpuState.EFER_NX);
        assertFaults(P | 8, A, READ);
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "NONE")
    void smepAndSmapKeepTheSupervisorOutOfUserPages(GuestTables.Kind kind) {
        paging(kind).map(A, 0x5000, P | W | U);
        tables.map(B, 0x6000, P | W);
        cpu.setMode(v.state.cr0, v.state.cr4 | CpuState.CR4_SMEP, v.state.efer);
        assertFaults(P | FETCH, A, FETCH);
        assertMaps(A, 0x5000, READ);
        assertMaps(B, 0x6000, FETCH);
        cpu.setMode(v.state.cr0, v.state.cr4 | CpuState.CR4_SMAP, v.state.efer);
        v.state.setRflags(2);
        assertFaults(P, A, READ);
        assertFaults(P | WRITE, A, WRITE);
        v.state.setRflags(2 | CpuState.AC);
        assertMaps(A, 0x5000, READ);
        assertMaps(A, 0x5000, USER);
        store(B, 4, 1);
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "NONE")
    void withoutWriteProtectionTheSupervisorWritesReadOnlyPagesAndUsersDoNot(GuestTables.Kind kind) {
        paging(kind).map(A, 0x5000, P | U);
        cpu.setMode(v.state.cr0 & ~CpuState.CR0_WP, v.state.cr4, v.state.efer);
        store(A, 4, 11);
        assertMaps(A, 0x5000, USER);
        assertFaults(P | WRITE | USER, A, WRITE | USER);
        store(A, 4, 12);
        assertEquals(12, memory.read(0x5000, 4));
        cpu.setMode(v.state.cr0 | CpuState.CR0_WP, v.state.cr4, v.state.efer);
        assertFaults(P | WRITE, A, WRITE);
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "NONE")
    void writeUnderWp0OpensNoUserPageToSmepOrSmap(GuestTables.Kind kind) {
        paging(kind).map(A, 0x5000, P | U);
        cpu.setMode(v.state.cr0 & ~CpuState.CR0_WP, v.state.cr4 | CpuState.CR4_SMEP | CpuState.CR4_SMAP, v.state.efer);
        v.state.setRflags(2 | CpuState.AC);
        store(A, 4, 11);
        v.state.setRflags(2);
        assertFaults(P, A, READ);
        v.state.setRflags(2 | CpuState.AC);
        store(A, 4, 11);
        assertFaults(P | FETCH, A, FETCH);
    }

    // ---- accessed and dirty ----

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "NONE")
    void readSetsAccessedAndTheFirstWriteSetsDirty(GuestTables.Kind kind) {
        paging(kind).map(A, 0x5000, P | W);
        assertMaps(A, 0x5000, READ);
        assertEquals(0x5023, tables.leaf(A, 1));
        assertEquals(0x20, tables.leaf(A, 2) & 0x60, "A above, and no D");
        store(A, 4, 1);
        assertEquals(0x5063, tables.leaf(A, 1));
        assertEquals(0x20, tables.leaf(A, 2) & 0x60);
    }

    /** What a kernel's page replacement lives on: bits that it clears come back, once it has told the TLB. */
    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "NONE")
    void clearedBitsComeBackAfterInvlpg(GuestTables.Kind kind) {
        paging(kind).map(A, 0x5000, P | W);
        store(A, 4, 1);
        for (int i = 0; i < 8; i++) {
            tables.setLeaf(A, 1, 0x5000 | P | W);
            cpu.invlpg(A);
            assertMaps(A, 0x5000, READ);
            assertEquals(0x5023, tables.leaf(A, 1), "A");
            store(A, 4, i);
            assertEquals(0x5063, tables.leaf(A, 1), "D");
        }
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "NONE")
    void dirtyBitOfALargePageIsSetByAWriteToAnyPart(GuestTables.Kind kind) {
        long gva = 0x00c00000L;
        paging(kind).mapLarge(gva, 0, P | W);
        assertMaps(gva + 0x5000, 0x5000, READ);
        assertEquals(0x20, tables.leaf(gva, 2) & 0x60);
        store(gva + 0x7000, 4, 1);
        assertEquals(0x60, tables.leaf(gva, 2) & 0x60);
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "NONE")
    void twoLargePagesOfTheSameMemoryHaveTheirOwnBits(GuestTables.Kind kind) {
        long one = 0x00c00000L;
        long two = 0x01000000L;
        paging(kind).mapLarge(one, 0, P | 0x60);
        tables.mapLarge(two, 0, P | W);
        cpu.setMode(v.state.cr0 & ~CpuState.CR0_WP, v.state.cr4, v.state.efer);
        store(one + 0x5000, 4, 1);
        assertMaps(two + 0x5000, 0x5000, READ);
        assertEquals(0x20, tables.leaf(two, 2) & 0x60);
        store(two + 0x5000, 4, 1);
        assertEquals(0x60, tables.leaf(two, 2) & 0x60);
    }

    // ---- what the guest must do, and what is then certain ----

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "NONE")
    void changedEntryIsInForceAfterInvlpg(GuestTables.Kind kind) {
        paging(kind).map(A, 0x5000, P | W);
        store(A, 4, 1);
        tables.map(A, 0x6000, P | W);
        cpu.invlpg(A);
        assertMaps(A, 0x6000, READ);
        tables.map(A, 0x6000, P);
        cpu.invlpg(A);
        assertFaults(P | WRITE, A, WRITE);
        tables.map(A, 0, 0);
        cpu.invlpg(A);
        assertFaults(0, A, READ);
    }

    /** 4.10.4.3: without INVLPG, when the change only gives rights or presence, for a fault invalidates. */
    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "NONE")
    void entryThatOnlyGivesMoreIsInForceAtOnceOrAfterOneFault(GuestTables.Kind kind) {
        paging(kind).map(A, 0, 0);
        assertFaults(0, A, READ);
        tables.map(A, 0x5000, P);
        assertMaps(A, 0x5000, READ);
        tables.map(A, 0x5000, P | W);
        if (cpu.write(A, 4, 0, 1) == Result.FAULT) store(A, 4, 1);
        assertEquals(1, memory.read(0x5000, 4));
    }

    /** 4.10.4.1: a page fault drops what the TLB has for its address. */
    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "NONE")
    void faultInvalidatesItsPage(GuestTables.Kind kind) {
        paging(kind).map(A, 0x5000, P);
        assertMaps(A, 0x5000, READ);
        tables.map(A, 0x6000, P);
        assertFaults(P | WRITE, A, WRITE);
        assertMaps(A, 0x6000, READ);
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "NONE")
    void oneInvlpgDropsAllOfALargePage(GuestTables.Kind kind) {
        long gva = 0x00c00000L;
        paging(kind).mapLarge(gva, 0, P | W);
        assertMaps(gva + 0x5000, 0x5000, READ);
        assertMaps(gva + 0x6000, 0x6000, READ);
        tables.setLeaf(gva, 2, 0);
        cpu.invlpg(gva + 0x5000);
        assertFaults(0, gva + 0x6000, READ);
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "NONE")
    void changeHigherUpIsInForceAfterInvlpg(GuestTables.Kind kind) {
        paging(kind).map(A, 0x5000, P | W | U);
        assertMaps(A, 0x5000, USER);
        tables.setLeaf(A, 2, tables.leaf(A, 2) & ~U);
        cpu.invlpg(A);
        assertFaults(P | USER, A, USER);
        tables.setLeaf(A, 2, 0);
        cpu.invlpg(A);
        assertFaults(0, A, READ);
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "NONE")
    void loadOfCr3BringsTheOtherTablesAndBack(GuestTables.Kind kind) {
        GuestTables first = paging(kind);
        first.map(A, 0x5000, P | W);
        GuestTables second = new GuestTables(memory, kind, 0x140000);
        second.map(A, 0x6000, P | W);
        for (int i = 0; i < 6; i++) {
            cpu.loadCr3(first.root);
            assertMaps(A, 0x5000, READ);
            store(A, 4, i);
            cpu.loadCr3(second.root);
            assertMaps(A, 0x6000, READ);
        }
        first.setLeaf(A, 1, 0x5000 | P);
        cpu.loadCr3(first.root);
        assertFaults(P | WRITE, A, WRITE);
    }

    /** 4.10.2.4: a global translation may outlive a load of CR3, but neither INVLPG nor a change of CR4.PGE; others may not. */
    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "NONE")
    void globalPagesEndWithInvlpgOrPge(GuestTables.Kind kind) {
        paging(kind).map(A, 0x5000, P | W | GLOBAL);
        tables.map(B, 0x6000, P | W);
        cpu.setMode(v.state.cr0, v.state.cr4 | CpuState.CR4_PGE, v.state.efer);
        assertMaps(A, 0x5000, READ);
        assertMaps(B, 0x6000, READ);
        tables.map(A, 0x7000, P | W | GLOBAL);
        tables.map(B, 0x8000, P | W);
        cpu.loadCr3(tables.root);
        assertMaps(B, 0x8000, READ);
        cpu.invlpg(A);
        assertMaps(A, 0x7000, READ);
        tables.map(A, 0x9000, P | W | GLOBAL);
        cpu.setMode(v.state.cr0, v.state.cr4 & ~CpuState.CR4_PGE, v.state.efer);
        assertMaps(A, 0x9000, READ);
        tables.map(A, 0xa000, P | W | GLOBAL);
        cpu.loadCr3(tables.root);
        assertMaps(A, 0xa000, READ);
    }

    @Test
    void pdptesAreRegisters() {
        paging(GuestTables.Kind.PAE).map(A, 0x5000, P | W);
        assertMaps(A, 0x5000, READ);
        memory.write(tables.root, 8, 0);
        cpu.invlpg(A);
        assertMaps(A, 0x5000, READ);
        cpu.loadCr3(tables.root);
        assertFaults(0, A, READ);
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "NONE")
    void pagingModesChangeUnderTheSameTables(GuestTables.Kind kind) {
        markPages();
        paging(kind).map(A, 0x5000, P | W);
        assertMaps(A, 0x5000, READ);
        cpu.setMode(CpuState.CR0_PE, 0, 0);
        assertMaps(0x6000, 0x6000, READ);
        tables.map(A, 0x7000, P | W);
        tables.enter(cpu, v, CR0, CpuState.CR4_PSE);
        assertMaps(A, 0x7000, READ);
    }

    // ---- tables that are themselves mapped ----

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "NONE")
    void kernelChangesItsTablesThroughItsOwnMapping(GuestTables.Kind kind) {
        paging(kind).map(A, 0x5000, P | W);
        long entry = tables.leafAt(A, 1);
        tables.map(B, entry & ~0xfffL, P | W);
        assertMaps(A, 0x5000, READ);
        for (int i = 0; i < 12; i++) {
            long gpa = 0x6000 + (i << 12);
            store(B | entry & 0xfff, tables.entrySize, gpa | P | W);
            cpu.invlpg(A);
            assertMaps(A, gpa, READ);
            store(A, 8, i);
            assertEquals(i, memory.read(gpa, 8));
        }
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "NONE")
    void pageBecomesATableWhileItIsMappedWritable(GuestTables.Kind kind) {
        paging(kind).map(A, 0x5000, P | W);
        tables.map(B, 0x20000, P | W);
        store(B, 8, 0);
        // The page behind B is A's table from now on; the write tag that the TLB has for it must not outlive that.
        for (int i = 0; i < 4096; i += tables.entrySize) memory.write(0x20000 + i, tables.entrySize, 0);
        long at = 0x20000 | tables.leafAt(A, 1) & 0xfff;
        memory.write(at, tables.entrySize, 0x6000 | P | W);
        tables.setLeaf(A, 2, 0x20000 | P | W | U);
        cpu.invlpg(A);
        assertMaps(A, 0x6000, READ);
        store(B | at & 0xfff, tables.entrySize, 0x7000 | P | W);
        cpu.invlpg(A);
        assertMaps(A, 0x7000, READ);
        // And again, when it has been in use for a while.
        store(B | at & 0xfff, tables.entrySize, 0x8000 | P);
        cpu.invlpg(A);
        assertMaps(A, 0x8000, READ);
        assertFaults(P | WRITE, A, WRITE);
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "NONE")
    void userProgramsMayWriteWhatWasATable(GuestTables.Kind kind) {
        paging(kind).map(A, 0x5000, P | W | U);
        assertMaps(A, 0x5000, READ);
        long table = tables.leafAt(A, 1) & ~0xfffL;
        tables.map(B, table, P | W | U);
        tables.setLeaf(A, 2, 0);
        cpu.invlpg(A);
        for (int i = 0; i < 64; i += 8) {
            Result r = cpu.write(B + i, 8, USER, i);
            assertTrue(r == Result.MEMORY || r == Result.EMULATED, r.toString());
            assertEquals(i, memory.read(table + i, 8));
        }
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "NONE")
    void deviceThatWritesATableIsSeenAfterInvlpg(GuestTables.Kind kind) {
        paging(kind).map(A, 0x5000, P | W);
        store(A, 4, 1);
        byte[] page = new byte[4096];
        memory.read(tables.leafAt(A, 1) & ~0xfffL, page, 0, 4096);
        int at = (int) tables.leafAt(A, 1) & 0xfff;
        page[at + 1] = (byte) (page[at + 1] & 0xf | 0x90);
        memory.write(tables.leafAt(A, 1) & ~0xfffL, page, 0, 4096);
        cpu.invlpg(A);
        assertMaps(A, 0x9000, READ);
    }

    // ---- devices, ROM, the dirty log ----

    @ParameterizedTest
    @EnumSource
    void addressWithoutMemoryIsADevice(GuestTables.Kind kind) {
        paging(kind).map(DEVICE, DEVICE, P | W | U);
        for (int i = 0; i < 3; i++) {
            assertEquals(Result.DEVICE, cpu.read(DEVICE + 0x30, 4, USER));
            assertEquals(DEVICE + 0x30, cpu.gpa);
            assertEquals(Result.DEVICE, cpu.write(DEVICE + 0x34, 4, 0, 1));
            assertEquals(DEVICE + 0x34, cpu.gpa);
        }
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "NONE")
    void devicePagesHaveRightsToo(GuestTables.Kind kind) {
        paging(kind).map(A, DEVICE, P);
        assertEquals(Result.DEVICE, cpu.read(A, 4, 0));
        assertFaults(P | USER, A, USER);
        assertFaults(P | WRITE, A, WRITE);
        assertEquals(Result.DEVICE, cpu.read(A, 4, 0));
        tables.map(A, 0x5000, P);
        cpu.invlpg(A);
        assertMaps(A, 0x5000, READ);
    }

    @ParameterizedTest
    @EnumSource
    void romIsReadAndNeverWritten(GuestTables.Kind kind) {
        memory.write(ROM, new byte[] {1, 2, 3, 4}, 0, 4);
        paging(kind).map(ROM, ROM, P | W);
        for (int i = 0; i < 3; i++) {
            assertMaps(ROM, ROM, READ);
            assertEquals(0x04030201L, cpu.value & 0xffffffffL);
            Result r = cpu.write(ROM, 4, 0, -1);
            assertTrue(r == Result.EMULATED || r == Result.DEVICE, r.toString());
        }
        assertEquals(0x04030201L, memory.read(ROM, 4));
    }

    @ParameterizedTest
    @EnumSource
    void everyWrittenPageIsInTheDirtyLogAlsoAfterItWasRead(GuestTables.Kind kind) {
        paging(kind).map(LOGGED, LOGGED, P | W);
        assertMaps(LOGGED, LOGGED, READ);
        assertFalse(memory.dirty.get((int) (LOGGED >>> 12)), "reading is not writing");
        for (int i = 0; i < 4; i++) {
            memory.dirty.clear();
            mmu.writeProtect(memory.slots().get(LOGGED_SLOT));
            cpu.invlpg(LOGGED);
            assertMaps(LOGGED, LOGGED, READ);
            store(LOGGED, 4, i);
            assertTrue(memory.dirty.get((int) (LOGGED >>> 12)), "after reading the log " + i + " times");
            store(LOGGED + 4, 4, i);
        }
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "NONE")
    void accessedBitsAreWritesForTheDirtyLog(GuestTables.Kind kind) {
        paging(kind).map(A, 0x5000, P | W);
        tables.setLeaf(A, 2, LOGGED | P | W);
        long at = LOGGED | tables.leafAt(A, 1) & 0xfff;
        memory.write(at, tables.entrySize, 0x5000 | P | W);
        memory.dirty.clear();
        mmu.writeProtect(memory.slots().get(LOGGED_SLOT));
        cpu.invlpg(A);
        assertMaps(A, 0x5000, READ);
        assertTrue(memory.dirty.get((int) (LOGGED >>> 12)));
    }

    // ---- slots ----

    @ParameterizedTest
    @EnumSource(names = {"PAE", "LONG"})
    void removedMemoryIsADeviceAndNoFrameOfItIsUsed(GuestTables.Kind kind) {
        paging(kind).map(A, HIGH + 0x3000, P | W);
        store(A, 8, 5);
        memory.remove(HIGH_SLOT);
        mmu.slotsChanged();
        mmu.setRoot(v);
        v.tlb.flush(false);
        assertEquals(Result.DEVICE, cpu.read(A, 8, 0));
        assertEquals(HIGH + 0x3000, cpu.gpa);
        memory.ram(HIGH, 64 << 12);
        mmu.slotsChanged();
        mmu.setRoot(v);
        v.tlb.flush(false);
        assertMaps(A, HIGH + 0x3000, READ);
    }

    @Test
    void switchedDirtyLogIsInForceAfterSlotsChanged() {
        store(0x5000, 4, 1);
        memory.dirtyLog(0, true);
        mmu.slotsChanged();
        mmu.setRoot(v);
        v.tlb.flush(false);
        assertMaps(0x5000, 0x5000, READ);
        store(0x5000, 4, 1);
        assertTrue(memory.dirty.get(5));
    }

    // ---- several vCPUs ----

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "NONE")
    void eachVcpuHasItsOwnTables(GuestTables.Kind kind) {
        VcpuContext w = vcpu(1);
        TestProcessor otherCpu = new TestProcessor(memory, w, mmu);
        GuestTables other = new GuestTables(memory, kind, 0x140000);
        other.map(A, 0x6000, P | W);
        other.enter(otherCpu, w, CR0, CpuState.CR4_PSE);
        paging(kind).map(A, 0x5000, P | W);
        for (int i = 0; i < 3; i++) {
            store(A, 4, 1);
            assertEquals(memory.host(0x5000), cpu.host);
            assertEquals(Result.MEMORY, otherCpu.write(A, 4, 0, 2));
            assertEquals(memory.host(0x6000), otherCpu.host);
            mmu.slotsChanged();
            for (VcpuContext c : context.vcpus) mmu.setRoot(c);
        }
        assertEquals(1, memory.read(0x5000, 4));
        assertEquals(2, memory.read(0x6000, 4));
    }

    // ---- gvaToGpa ----

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "NONE")
    void gvaToGpaSaysWhatTheTablesSay(GuestTables.Kind kind) {
        paging(kind).map(A, 0x5000, P | W);
        assertEquals(0x5123, mmu.gvaToGpa(v, A + 0x123, WRITE | Mmu.PROBE));
        assertEquals(0x5003, tables.leaf(A, 1), "a probe changes nothing");
        assertEquals(-1, mmu.gvaToGpa(v, A, USER | Mmu.PROBE));
        assertEquals(P | USER, v.faultError);
        assertEquals(-1, mmu.gvaToGpa(v, B, WRITE));
        assertEquals(WRITE, v.faultError);
        assertEquals(0x5000, mmu.gvaToGpa(v, A, WRITE));
        assertEquals(0x5063, tables.leaf(A, 1), "an emulated access sets the bits");
    }

    // ---- much ----

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "NONE")
    void manyAddressSpacesStayApart(GuestTables.Kind kind) {
        int spaces = 20;
        GuestTables[] all = new GuestTables[spaces];
        paging(kind);
        for (int i = 0; i < spaces; i++) {
            all[i] = new GuestTables(memory, kind, 0x110000 + i * 0x8000L);
            all[i].map(A, 0x5000 + (i << 12), P | W);
            all[i].map(B, 0x5000 + (spaces - i << 12), P | W);
        }
        Random random = new Random(1);
        for (int n = 0; n < 2000; n++) {
            int i = random.nextInt(spaces);
            cpu.loadCr3(all[i].root);
            assertMaps(A, 0x5000 + (i << 12), READ);
            assertMaps(B, 0x5000 + (spaces - i << 12), READ);
        }
    }

    /** Tables of random bytes, aliases and loops among them; after each change everything is flushed, and so every result is certain. */
    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "NONE")
    void randomTablesGiveWhatAWalkOfThemGives(GuestTables.Kind kind) {
        Random random = new Random(kind.ordinal());
        paging(kind);
        GuestWalk reference = new GuestWalk();
        GuestWalk.Memory over = GuestWalk.over(memory);
        int translated = 0;
        for (int n = 0; n < 6000; n++) {
            if (n % 4 == 0) {
                tables.randomEntry(random);
                cpu.loadCr3(tables.root);
            }
            int access = new int[] {READ, WRITE, FETCH, USER, USER | WRITE, USER | FETCH}[random.nextInt(6)];
            long gva = tables.randomAddress(random);
            int expected = reference.walk(v, over, gva, access | Mmu.PROBE, false);
            long gpa = reference.gpa;
            int error = reference.errorCode;
            Result r = (access & WRITE) != 0 ? cpu.write(gva, 1, access, random.nextInt(256)) : cpu.read(gva, 1, access);
            String where = String.format("step %d: %x access %x", n, gva, access);
            if (expected == GuestWalk.FAULT) {
                assertEquals(Result.FAULT, r, where);
                assertEquals(error, cpu.error, where);
                continue;
            }
            translated++;
            if (memory.frame(gpa >>> 12) == 0) {
                assertEquals(Result.DEVICE, r, where);
                assertEquals(gpa, cpu.gpa, where);
            } else if (r == Result.MEMORY) {
                assertEquals(memory.host(gpa), cpu.host, where);
            } else {
                assertNotEquals(Result.FAULT, r, where);
                assertEquals(gpa, cpu.gpa, where);
            }
            // The write may have changed a table.
            if ((access & WRITE) != 0) cpu.loadCr3(tables.root);
        }
        assertTrue(translated > 300, "translated " + translated);
    }
}
