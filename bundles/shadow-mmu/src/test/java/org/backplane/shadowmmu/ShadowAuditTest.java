package org.backplane.shadowmmu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.Collectors;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.HostMemory;
import org.backplane.kvm.spi.cpu.SoftTlb;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.mmu.AuditReport;
import org.backplane.kvm.spi.mmu.AuditReport.Rule;
import org.backplane.kvm.spi.mmu.Spte;
import org.backplane.kvm.testing.TestContext;
import org.backplane.kvm.testing.TestMemory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Each kind of corruption, seeded into a sound shadow, is reported with its rule and its guest page. The 32-bit guest: directory in gfn 1, its tables in
 * gfn 2 (gva 0) and gfn 3 (gva 4 MiB), a large page at 8 MiB.
 */
class ShadowAuditTest {
    private static final int READ = 0, WRITE = 2, USER = 4;

    private TestMemory memory;
    private VcpuContext v;
    private ShadowMmu mmu;
    private Processor cpu;

    @BeforeEach
    void create() {
        memory = new TestMemory().ram(0, 16 << 20);
        TestContext context = new TestContext(memory);
        v = new VcpuContext(0, memory, null);
        context.vcpus.add(v);
        v.state.reset();
        v.state.cr0 = CpuState.CR0_PE | CpuState.CR0_PG | CpuState.CR0_WP;
        v.state.cr4 = CpuState.CR4_PSE;
        v.state.cr3 = 0x1000;
        mmu = (ShadowMmu) new ShadowMmuFactory().create(context);
        memory.mmu = mmu;
        memory.write(0x1000, 4, 0x2007);
        memory.write(0x1004, 4, 0x3007);
        memory.write(0x1008, 4, 0x8000e7);
        memory.write(0x2000 + 5 * 4, 4, 0x7067);
        memory.write(0x2000 + 6 * 4, 4, 0x8007);
        memory.write(0x2000 + 7 * 4, 4, 0x7005);
        memory.write(0x2000 + 8 * 4, 4, 0xfee00000L | 7);
        memory.write(0x3000, 4, 0x7067);
        mmu.setRoot(v);
        cpu = new Processor(memory, v, mmu);
        cpu.access(0x5000, WRITE);
        cpu.access(0x6000, READ | USER);
        cpu.access(0x7000, READ);
        cpu.access(0x8000, READ);
        cpu.access(0x400000, READ);
        cpu.access(0x800000, READ);
        assertEquals(List.of(), report().violations(), "it is sound before");
        assertTrue(report().checks() >= 9, "three upper entries and six leaves");
    }

    @AfterEach
    void free() {
        memory.close();
    }

    private AuditReport report() {
        return mmu.view().audit().orElseThrow();
    }

    /** The rules that are broken, with their guest pages. */
    private List<String> broken() {
        return report().violations().stream()
                .map(x -> x.rule().text() + " " + Long.toHexString(x.gfn()))
                .distinct()
                .sorted()
                .collect(Collectors.toList());
    }

    private void assertBroken(Rule rule, long gfn) {
        String expected = rule.text() + " " + Long.toHexString(gfn);
        assertTrue(broken().contains(expected), expected + " is not among " + report().violations());
    }

    // ---- where things are ----

    private ShadowPage page(long gva, int level) {
        ShadowPage p = mmu.pages().at(Spte.frame(v.paeRoot[(int) (gva >>> 30)]));
        while (p.level() > level) p = mmu.pages().at(Spte.frame(mmu.pages().entry(p, Spte.index(gva, p.level()))));
        return p;
    }

    private long entry(long gva, int level) {
        return mmu.pages().entry(page(gva, level), Spte.index(gva, level));
    }

    private void setEntry(long gva, int level, long value) {
        memory.frames().setEntry(page(gva, level).frame, Spte.index(gva, level), value);
    }

    /** Writes past the door, as nothing may. */
    private void pokeGuest(long gpa, int value) {
        HostMemory.putInt(memory.host(gpa), value);
    }

    // ---- rmap ----

    @Test
    void leafThatTheReverseMapLacks() {
        mmu.pages().rmap.remove(memory.frame(8), page(0x6000, 1).ref(6));
        assertEquals(List.of("rmap 8"), broken());
    }

    @Test
    void referenceOfTheReverseMapToAnAbsentEntry() {
        mmu.pages().rmap.add(memory.frame(9), page(0x6000, 1).ref(100));
        assertEquals(List.of("rmap 9"), broken());
    }

    @Test
    void referenceOfTheReverseMapToAnotherPagesEntry() {
        mmu.pages().rmap.add(memory.frame(9), page(0x6000, 1).ref(6));
        assertEquals(List.of("rmap 9"), broken());
    }

    @Test
    void referenceTwiceInTheReverseMap() {
        mmu.pages().rmap.add(memory.frame(8), page(0x6000, 1).ref(6));
        assertEquals(List.of("rmap 8"), broken());
    }

    // ---- write protection ----

    @Test
    void writableMappingOfATable() {
        memory.write(0x2000 + 9 * 4, 4, 0x3067);
        cpu.access(0x9000, READ);
        assertEquals(List.of(), broken());
        setEntry(0x9000, 1, entry(0x9000, 1) | Spte.W);
        assertEquals(List.of("write-protection 3"), broken());
    }

    @Test
    void writeTagOfATable() {
        v.tlb.fill(SoftTlb.SUPERVISOR, 0x9000, memory.host(0x3000), true, true, true, false);
        assertEquals(List.of("write-protection 3"), broken());
    }

    // ---- translation ----

    @Test
    void leafOfAnotherPage() {
        setEntry(0x6000, 1, entry(0x6000, 1) + (1 << 12));
        assertBroken(Rule.TRANSLATION, 2);
    }

    @Test
    void guestEntryChangedBehindTheDoor() {
        pokeGuest(0x2000 + 6 * 4, 0x9027);
        assertBroken(Rule.TRANSLATION, 2);
    }

    @Test
    void guestEntryGone() {
        pokeGuest(0x3000, 0);
        assertBroken(Rule.TRANSLATION, 3);
    }

    @Test
    void leafOfAnAddressSpaceThatDoesNotRun() {
        v.state.cr3 = 0x4000;
        mmu.setRoot(v);
        pokeGuest(0x3000, 0x9067);
        assertBroken(Rule.TRANSLATION, 3);
    }

    @Test
    void rightThatTheGuestDoesNotGive() {
        setEntry(0x7000, 1, entry(0x7000, 1) | Spte.W);
        assertBroken(Rule.TRANSLATION, 2);
    }

    @Test
    void userRightThatTheGuestDoesNotGive() {
        memory.write(0x2000 + 9 * 4, 4, 0x7003);
        cpu.access(0x9000, READ);
        ShadowPage p = page(0x9000, 1);
        v.state.cr3 = 0x4000;
        mmu.setRoot(v);
        assertEquals(List.of(), broken());
        memory.frames().setEntry(p.frame, 9, mmu.pages().entry(p, 9) | Spte.U);
        assertEquals(List.of("translation 2"), broken());
    }

    /** Each page agrees with its own guest table; only that the vCPU's CR3 names another shows it. */
    @Test
    void rootOfAnotherAddressSpace() {
        memory.write(0x4000, 4, 0x3007);
        v.state.cr3 = 0x4000;
        assertBroken(Rule.TRANSLATION, 3);
    }

    @Test
    void upperEntryOfAnotherTable() {
        // The table of gva 4 MiB instead of that of gva 0, with a parent to match.
        ShadowPage root = page(0, 2);
        ShadowPage other = page(0x400000, 1);
        mmu.pages().unlink(root, 0);
        mmu.pages().link(root, 0, other);
        assertBroken(Rule.TRANSLATION, 1);
    }

    @Test
    void markOfADeviceOverMemory() {
        setEntry(0xa000, 1, Spte.of(10, Spte.MMIO | Spte.U));
        assertBroken(Rule.TRANSLATION, 2);
    }

    @Test
    void markOfAnotherDevice() {
        setEntry(0x8000, 1, Spte.of(0xfee01, Spte.MMIO | Spte.U));
        assertBroken(Rule.TRANSLATION, 2);
    }

    @Test
    void partOfALargePageOutOfPlace() {
        long old = entry(0x800000, 1);
        ShadowPage p = page(0x800000, 1);
        mmu.pages().setLeaf(p, 0, Spte.of(memory.frame(0x801), old & 0xfff));
        assertBroken(Rule.TRANSLATION, p.gfn);
    }

    // ---- parents ----

    @Test
    void parentThatDoesNotPointBack() {
        page(0x6000, 1).addParent(page(0, 2).ref(77));
        assertEquals(List.of("parents 2"), broken());
    }

    @Test
    void upperEntryThatIsNoParent() {
        page(0x6000, 1).removeParent(page(0, 2).ref(0));
        assertEquals(List.of("parents 2"), broken());
    }

    @Test
    void upperEntryThatNamesNoShadowPage() {
        setEntry(0, 2, Spte.of(memory.frame(2), Spte.P | Spte.W | Spte.U));
        assertBroken(Rule.PARENTS, 1);
    }

    @Test
    void rootThatIsNoShadowPage() {
        v.paeRoot[0] = Spte.of(memory.frame(1), Spte.P);
        assertEquals(List.of("parents 0"), broken());
    }

    // ---- accessed and dirty ----

    @Test
    void entryWithoutAnAccess() {
        pokeGuest(0x3000, 0x7047);
        assertEquals(List.of("accessed-dirty 3"), broken());
    }

    @Test
    void upperEntryWithoutAnAccess() {
        pokeGuest(0x1004, 0x3007);
        assertEquals(List.of("accessed-dirty 1"), broken());
    }

    @Test
    void writableEntryOfACleanPage() {
        setEntry(0x6000, 1, entry(0x6000, 1) | Spte.W);
        assertBroken(Rule.ACCESSED_DIRTY, 2);
    }

    @Test
    void dirtyEntryThatCannotBeWritten() {
        setEntry(0x6000, 1, entry(0x6000, 1) | Spte.D);
        assertEquals(List.of("accessed-dirty 2"), broken());
    }

    @Test
    void writableLargePageThatIsClean() {
        pokeGuest(0x1008, 0x8000a7);
        assertBroken(Rule.ACCESSED_DIRTY, 1);
    }

    // ---- the report ----

    @Test
    void allAreCountedAndTheFirstHundredTold() {
        for (int i = 0; i < 512; i++) memory.frames().setEntry(page(0x400000, 1).frame, i, Spte.of(0xfee00, Spte.MMIO));
        AuditReport report = report();
        assertEquals(AuditReport.MOST, report.violations().size());
        assertTrue(report.violationCount() > 500, "all: " + report.violationCount());
    }

    @Test
    void aViolationIsOneLineWithRuleAndGuestPage() {
        mmu.pages().rmap.remove(memory.frame(8), page(0x6000, 1).ref(6));
        String line = report().violations().getFirst().toString();
        assertTrue(line.startsWith("rmap: gfn 0x8: the reverse map lacks entry 6 ("), line);
        assertTrue(line.endsWith("of [shadow of gfn 2, level 1 of 2, quadrant 0, wux, wp pse]"), line);
    }
}
