package org.backplane.shadowmmu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.mmu.MmuView;
import org.backplane.kvm.spi.mmu.MmuView.SpteRef;
import org.backplane.kvm.spi.mmu.MmuView.TablePage;
import org.backplane.kvm.testing.TestContext;
import org.backplane.kvm.testing.TestMemory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the view shows of a 32-bit guest with a directory in gfn 1, a table in gfn 2 and one page. */
class ShadowViewTest {
    private TestMemory memory;
    private VcpuContext v;
    private MmuView view;

    @BeforeEach
    void create() {
        memory = new TestMemory().ram(0, 1 << 20);
        TestContext context = new TestContext(memory);
        v = new VcpuContext(0, memory, null);
        context.vcpus.add(v);
        v.state.reset();
        v.state.cr0 = CpuState.CR0_PE | CpuState.CR0_PG;
        v.state.cr3 = 0x1000;
        ShadowMmu mmu = (ShadowMmu) new ShadowMmuFactory().create(context);
        memory.mmu = mmu;
        memory.write(0x1000, 4, 0x2007);
        memory.write(0x2000 + 5 * 4, 4, 0x7067);
        mmu.setRoot(v);
        new Processor(memory, v, mmu).access(0x5000, 0);
        memory.write(0x2000 + 6 * 4, 4, 0x7067);
        view = mmu.view();
    }

    @AfterEach
    void free() {
        memory.close();
    }

    @Test
    void pagesComeWithRoleParentsAndUse() {
        TablePage leaf = view.pages().getFirst();
        assertEquals(2, leaf.gfn());
        assertEquals("level 1 of 2, quadrant 0, wux", leaf.role().toString());
        assertEquals(1, leaf.entries());
        assertEquals(0, leaf.roots());
        assertEquals(1, leaf.writes());
        assertEquals(1, leaf.parents().size());
        TablePage root = view.pages().stream().filter(p -> p.frame() == leaf.parents().getFirst().frame()).findFirst().orElseThrow();
        assertEquals(1, root.gfn());
        assertEquals(1, root.roots());
        assertEquals(List.of(), root.parents());
        assertEquals(5, view.pages().size());
    }

    @Test
    void reverseMapNamesTheLeaf() {
        SpteRef leaf = view.rmap(7).getFirst();
        assertEquals(5, leaf.index());
        assertEquals(memory.frame(7), leaf.spte() << 12 >>> 24);
        assertEquals(List.of(), view.rmap(8));
        assertEquals(List.of(), view.rmap(0xfee00));
    }

    @Test
    void walkGoesFromTheDirectoryPointerToTheFirstEntryThatIsNotPresent() {
        List<SpteRef> steps = view.walk(v, 0x5123);
        assertEquals(List.of(3, 2, 1), steps.stream().map(SpteRef::level).toList());
        assertEquals(view.rmap(7).getFirst(), steps.getLast());
        assertEquals(List.of(3, 2), view.walk(v, 0x400000).stream().map(SpteRef::level).toList());
    }
}
