package org.backplane.directmmu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.mmu.AuditReport;
import org.backplane.kvm.spi.mmu.FrameTable;
import org.backplane.kvm.spi.mmu.Mmu;
import org.backplane.kvm.spi.mmu.MmuView;
import org.backplane.kvm.spi.mmu.MmuView.SpteRef;
import org.backplane.kvm.spi.mmu.MmuView.TablePage;
import org.backplane.kvm.spi.mmu.Spte;
import org.backplane.kvm.testing.TestContext;
import org.backplane.kvm.testing.TestMemory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What people see of the EPT tables, and what their audit finds. */
class EptViewTest {
    private static final int READ = 0;
    private static final long ROM = 0xf0000000L;
    private TestMemory memory;
    private VcpuContext v;
    private Mmu mmu;
    private MmuView view;

    @BeforeEach
    void create() {
        memory = new TestMemory().ram(0, 1 << 20).slot(ROM, 1 << 16, true, false);
        TestContext context = new TestContext(memory);
        v = new VcpuContext(0, memory, null);
        context.vcpus.add(v);
        mmu = new DirectMmuFactory().create(context);
        mmu.setRoot(v);
        mmu.fault(v, 0x5000, READ);
        mmu.fault(v, ROM, READ);
        mmu.fault(v, 0xa00000, READ);
        view = mmu.view();
    }

    @AfterEach
    void close() {
        memory.close();
    }

    @Test
    void aWalkEndsAtTheLeafOrAtTheFirstEntryThatIsNotPresent() {
        List<SpteRef> steps = view.walk(v, 0x5123);
        assertEquals(List.of(4, 3, 2, 1), steps.stream().map(SpteRef::level).toList());
        assertEquals(memory.frame(5), Spte.frame(steps.getLast().spte()));
        assertEquals(0, view.walk(v, 0x6000).getLast().spte());
        assertEquals(List.of(4), view.walk(v, 1L << 40).stream().map(SpteRef::level).toList());
    }

    @Test
    void theReverseMapOfAPageIsItsLeaf() {
        assertEquals(List.of(view.walk(v, 0x5000).getLast()), view.rmap(5));
        assertEquals(List.of(), view.rmap(6));
        assertEquals(List.of(), view.rmap(0xa00), "a device is not mapped");
    }

    @Test
    void tablesAreATreeUnderTheRoot() {
        List<TablePage> pages = view.pages();
        assertEquals(List.of(4, 3, 2, 1, 1, 2, 1), pages.stream().map(p -> p.role().level()).toList());
        assertEquals(List.of(0L, 0L, 0L, 0L, 0xa00L, 0xc0000L, 0xf0000L), pages.stream().map(TablePage::gfn).toList());
        assertEquals(1, pages.getFirst().roots());
        for (TablePage p : pages.subList(1, pages.size())) {
            assertEquals(p.frame(), Spte.frame(p.parents().getFirst().spte()), "the one parent names it");
        }
        assertEquals(List.of(1, 2, 2, 1, 0, 1, 1), pages.stream().map(TablePage::entries).toList());
    }

    @Test
    void theAuditFindsAWrongFrameAWriteRightToARomAndAWrongMark() {
        assertEquals(new AuditReport(3, List.of(), 0), view.audit().orElseThrow());
        corrupt(0x5000, Spte.of(memory.frame(6), Spte.P | Spte.U));
        corrupt(ROM, view.rmap(ROM >>> 12).getFirst().spte() | Spte.W);
        corrupt(0xa00000, Spte.of(0xa01, Spte.MMIO));
        corrupt(0x7000, Spte.of(7, Spte.MMIO));
        AuditReport r = view.audit().orElseThrow();
        assertEquals(4, r.checks());
        assertEquals(4, r.violationCount());
        assertEquals(List.of(5L, 7L, 0xa00L, ROM >>> 12), r.violations().stream().map(AuditReport.Violation::gfn).toList());
        assertTrue(r.violations().stream().allMatch(x -> x.rule() == AuditReport.Rule.TRANSLATION));
    }

    private void corrupt(long gpa, long spte) {
        FrameTable frames = memory.frames();
        SpteRef e = view.walk(v, gpa).getLast();
        assertEquals(1, e.level());
        frames.setEntry(e.frame(), e.index(), spte);
    }
}
