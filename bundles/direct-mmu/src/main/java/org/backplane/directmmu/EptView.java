package org.backplane.directmmu;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.mmu.AuditReport;
import org.backplane.kvm.spi.mmu.FrameTable;
import org.backplane.kvm.spi.mmu.MmuView;
import org.backplane.kvm.spi.mmu.Spte;
import org.backplane.kvm.spi.mmu.VmMemory;

/**
 * The EPT tables for people to look at. They are a tree with one leaf for each gpa, so that the reverse map of a guest page is its one leaf,
 * and a table has one parent. No table shadows anything: all are {@code direct}.
 */
final class EptView implements MmuView {
    private static final int LEVELS = 4;

    private final VmMemory memory;
    private final FrameTable frames;
    private final EptTables tables;

    EptView(VmMemory memory, EptTables tables) {
        this.memory = memory;
        this.frames = memory.frames();
        this.tables = tables;
    }

    /** From the top down; EPT tables are in no order of use. */
    @Override
    public List<TablePage> pages() {
        List<TablePage> all = new ArrayList<>();
        page(tables.root, LEVELS, 0, List.of(), all);
        return all;
    }

    private void page(long table, int level, long gfn, List<SpteRef> parents, List<TablePage> to) {
        List<TablePage> below = new ArrayList<>();
        int entries = 0;
        for (int i = 0; i < 512; i++) {
            long e = frames.entry(table, i);
            if (!Spte.present(e)) continue;
            entries++;
            if (level == 1) continue;
            page(Spte.frame(e), level - 1, gfn | (long) i << 9 * (level - 1), List.of(new SpteRef(table, level, i, e)), below);
        }
        TableRole role = new TableRole(level, 0, 0, true, true, true, false, false, false, false, false, false, false, false);
        to.add(new TablePage(table, gfn, role, entries, parents, level == LEVELS ? 1 : 0, 0));
        to.addAll(below);
    }

    @Override
    public List<SpteRef> rmap(long gfn) {
        List<SpteRef> steps = walk(null, gfn << 12);
        SpteRef last = steps.getLast();
        return last.level() == 1 && Spte.present(last.spte()) ? List.of(last) : List.of();
    }

    @Override
    public List<SpteRef> walk(VcpuContext v, long gpa) {
        List<SpteRef> steps = new ArrayList<>();
        long table = tables.root;
        for (int level = LEVELS; level >= 1; level--) {
            int i = Spte.index(gpa, level);
            long e = frames.entry(table, i);
            steps.add(new SpteRef(table, level, i, e));
            if (!Spte.present(e)) break;
            table = Spte.frame(e);
        }
        return steps;
    }

    @Override
    public Optional<AuditReport> audit() {
        Audit a = new Audit();
        a.table(tables.root, LEVELS, 0);
        return Optional.of(new AuditReport(a.checks, List.copyOf(a.found), a.count));
    }

    /** Every leaf against the memory slots: its frame, and no right to write what is read-only. A mark of a device stands where there is no slot. */
    private final class Audit {
        private final List<AuditReport.Violation> found = new ArrayList<>();
        private long checks, count;

        void table(long table, int level, long gfn) {
            for (int i = 0; i < 512; i++) {
                long e = frames.entry(table, i);
                long at = gfn | (long) i << 9 * (level - 1);
                if (level == 1) leaf(at, e);
                else if (Spte.present(e)) table(Spte.frame(e), level - 1, at);
            }
        }

        private void leaf(long gfn, long e) {
            if (!Spte.present(e) && !Spte.isMmio(e)) return;
            checks++;
            long frame = memory.frame(gfn);
            if (Spte.isMmio(e)) {
                if (frame != 0) wrong(gfn, "is marked as a device and is memory");
                else if (Spte.frame(e) != gfn) wrong(gfn, String.format("has the mark of gfn 0x%x", Spte.frame(e)));
            } else if (Spte.frame(e) != frame) {
                wrong(gfn, String.format("maps frame 0x%x in place of 0x%x", Spte.frame(e), frame));
            } else if ((e & Spte.W) != 0 && memory.readOnly(gfn)) {
                wrong(gfn, "is writable in a read-only slot");
            }
        }

        private void wrong(long gfn, String detail) {
            if (count++ < AuditReport.MOST) found.add(new AuditReport.Violation(AuditReport.Rule.TRANSLATION, gfn, detail));
        }
    }
}
