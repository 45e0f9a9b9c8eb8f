package org.backplane.shadowmmu;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.mmu.AuditReport;
import org.backplane.kvm.spi.mmu.FrameTable;
import org.backplane.kvm.spi.mmu.MmuContext;
import org.backplane.kvm.spi.mmu.MmuView;
import org.backplane.kvm.spi.mmu.Spte;

/** The shadow for people to look at. */
final class ShadowView implements MmuView {
    private final MmuContext context;
    private final ShadowPages pages;
    private final FloodDetector flood;
    private final FrameTable frames;

    ShadowView(MmuContext context, ShadowPages pages, FloodDetector flood) {
        this.context = context;
        this.pages = pages;
        this.flood = flood;
        this.frames = context.memory().frames();
    }

    @Override
    public List<TablePage> pages() {
        List<TablePage> all = new ArrayList<>();
        for (ShadowPage p = pages.newest(); p != null; p = p.lruNext) {
            int entries = 0;
            for (int i = 0; i < 512; i++) if (Spte.present(frames.entry(p.frame, i))) entries++;
            List<SpteRef> parents = new ArrayList<>();
            for (long ref : p.parentRefs()) parents.add(spte(ref, p.level() + 1));
            all.add(new TablePage(p.frame, p.gfn, Role.describe(p.role), entries, parents, p.roots, flood.writes(p)));
        }
        return all;
    }

    @Override
    public List<SpteRef> rmap(long gfn) {
        List<SpteRef> all = new ArrayList<>();
        long frame = pages.key(gfn);
        if (frame < 0) return all;
        for (long ref = pages.rmap.first(frame); ref != 0; ref = pages.rmap.next()) all.add(spte(ref, 1));
        return all;
    }

    private SpteRef spte(long ref, int level) {
        long frame = ShadowPage.frameOf(ref);
        int index = ShadowPage.indexOf(ref);
        return new SpteRef(frame, level, index, frames.entry(frame, index));
    }

    @Override
    public List<SpteRef> walk(VcpuContext v, long gva) {
        List<SpteRef> steps = new ArrayList<>();
        long e;
        int level;
        if (v.root != 0) {
            e = Spte.of(v.root, Spte.P);
            level = 4;
        } else {
            int i = (int) (gva >>> 30) & 3;
            e = v.paeRoot[i];
            steps.add(new SpteRef(0, 3, i, e));
            level = 2;
        }
        while (level >= 1 && Spte.present(e)) {
            long frame = Spte.frame(e);
            int i = Spte.index(gva, level);
            e = frames.entry(frame, i);
            steps.add(new SpteRef(frame, level, i, e));
            level--;
        }
        return steps;
    }

    @Override
    public Optional<AuditReport> audit() {
        return Optional.of(new ShadowAudit(context.memory(), pages, context.vcpus()).run());
    }
}
