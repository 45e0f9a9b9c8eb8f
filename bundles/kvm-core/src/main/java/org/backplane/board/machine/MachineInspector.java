package org.backplane.board.machine;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.ExitStats;
import org.backplane.board.api.ExitTrace;
import org.backplane.board.api.ExitWatch;
import org.backplane.board.api.GuestFrame;
import org.backplane.board.api.GuestMapping;
import org.backplane.board.api.Inspector;
import org.backplane.board.api.MmuInfo;
import org.backplane.board.api.PageWalk;
import org.backplane.board.api.RegisterTrace;
import org.backplane.board.api.TlbEntry;
import org.backplane.board.cards.Card.Kind;
import org.backplane.kvm.core.vm.KvmVcpu;
import org.backplane.kvm.spi.cpu.SoftTlb;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.cpu.VmcsView;
import org.backplane.kvm.spi.exit.ExitReasons;
import org.backplane.kvm.spi.mmu.AuditReport;
import org.backplane.kvm.spi.mmu.GuestWalk;
import org.backplane.kvm.spi.mmu.Mmu;
import org.backplane.kvm.spi.mmu.MmuView.SpteRef;
import org.backplane.kvm.spi.mmu.MmuView.TablePage;
import org.backplane.kvm.spi.mmu.Spte;
import org.backplane.kvm.spi.mmu.VmMemory;

/**
 * Looks inside one machine. Every look is a request to the machine's thread and so finds all vCPUs outside of the guest.
 *
 * <p><b>Threading.</b> The methods of {@link Inspector} by any thread; all others on the machine's.
 */
final class MachineInspector implements Inspector {
    private final PcMachine machine;
    private final MachineLoop loop;
    private final CardBay bay;
    private final ExitProbe probe;

    /** The last figures of a machine that has ended. */
    private ExitStats frozen;

    MachineInspector(PcMachine machine, MachineLoop loop, CardBay bay) {
        this.machine = machine;
        this.loop = loop;
        this.bay = bay;
        probe = new ExitProbe(machine.vm(), machine.clock()::nanos);
    }

    /** The machine ends: keep what was counted. */
    void freeze() {
        frozen = exitsNow();
    }

    /** A question about the CPU, which must be there. */
    private <T> T ask(MachineLoop.Question<T> question) throws BoardException {
        return loop.ask(() -> {
            if (frozen != null) throw new BoardException("machine " + machine.name() + " has ended");
            if (!machine.vm().cpuPresent()) {
                throw new BoardException("machine " + machine.name() + " has nothing to show: " + machine.cpuSlots().missing());
            }
            return question.answer();
        });
    }

    private VcpuContext vcpu(int id) throws BoardException {
        for (KvmVcpu c : machine.vm().vcpus()) if (c.id() == id) return c.context();
        throw new BoardException("machine " + machine.name() + " has no vCPU " + id);
    }

    // ---- the processor ----

    @Override
    public VmcsView vmcs(int vcpu) throws BoardException {
        return ask(() -> machine.vm().backend().vmcs(vcpu(vcpu)));
    }

    @Override
    public List<TlbEntry> tlb(int vcpu) throws BoardException {
        return ask(() -> {
            List<TlbEntry> all = new ArrayList<>();
            for (SoftTlb.Entry e : vcpu(vcpu).tlb.contents()) all.add(tlbEntry(e));
            all.sort(Comparator.comparing(TlbEntry::user).thenComparing(TlbEntry::gva, Long::compareUnsigned));
            return List.copyOf(all);
        });
    }

    private TlbEntry tlbEntry(SoftTlb.Entry e) {
        return new TlbEntry(e.user(), e.gva(), gpa(e.host()), e.read(), e.write(), e.exec(), e.global());
    }

    /** The guest physical address of host memory, -1 if it is in no slot. */
    private long gpa(long host) {
        for (VmMemory.Slot s : machine.vm().memory().slots()) {
            long offset = host - machine.vm().memory().frames().host(s.frame());
            if (offset >= 0 && offset < s.pages() << 12) return (s.gfn() << 12) + offset;
        }
        return -1;
    }

    // ---- exits ----

    @Override
    public ExitStats exits() {
        return loop.call(() -> frozen != null ? frozen : exitsNow());
    }

    private ExitStats exitsNow() {
        Map<String, Long> counters = machine.vm().cpuPresent() ? machine.vm().backend().counters() : Map.of();
        List<ExitStats.Reason> reasons = new ArrayList<>();
        ExitMeter m = probe.meter();
        for (int r = 0; r < ExitReasons.COUNT; r++) {
            String name = ExitReasons.name(r);
            long count = counters.getOrDefault(MachineReport.EXITS + name, 0L);
            if (count != 0) reasons.add(new ExitStats.Reason(r, name, count, m.timed(r), m.nanos(r), m.min(r), m.max(r)));
        }
        long instructions = machine.vcpu().context().instructions;
        return new ExitStats(System.nanoTime(), machine.clock().nanos(), instructions, probe.timing(), List.copyOf(reasons));
    }

    @Override
    public ExitWatch watchExits() {
        loop.call(() -> {
            probe.watch();
            return null;
        });
        AtomicBoolean open = new AtomicBoolean(true);
        return () -> {
            if (!open.getAndSet(false)) return;
            loop.call(() -> {
                probe.unwatch();
                return null;
            });
        };
    }

    @Override
    public void startTrace(ExitTrace.Filter filter, int size) throws BoardException {
        if (size < 1 || size > ExitTrace.LARGEST) throw new BoardException("a trace holds 1 to " + ExitTrace.LARGEST + " exits, not " + size);
        for (int r : filter.reasons()) if (r < 0 || r >= ExitReasons.COUNT) throw new BoardException("there is no exit reason " + r);
        ExitRing ring = new ExitRing(filter, size);
        loop.call(() -> {
            probe.trace(ring);
            return null;
        });
    }

    @Override
    public void stopTrace() {
        loop.call(() -> {
            probe.stopTrace();
            return null;
        });
    }

    @Override
    public ExitTrace trace() {
        return loop.call(probe::trace);
    }

    // ---- registers of cards ----

    @Override
    public void startRegisterTrace(String slot) throws BoardException {
        loop.run(() -> bay.startTrace(slot));
    }

    @Override
    public void stopRegisterTrace(String slot) throws BoardException {
        loop.run(() -> bay.stopTrace(slot));
    }

    @Override
    public RegisterTrace registerTrace(String slot) throws BoardException {
        return loop.ask(() -> bay.trace(slot));
    }

    // ---- page tables ----

    @Override
    public PageWalk walk(int vcpu, long gva) throws BoardException {
        return ask(() -> walkNow(vcpu(vcpu), gva));
    }

    private PageWalk walkNow(VcpuContext v, long gva) {
        Mmu mmu = machine.vm().mmu();
        GuestTables guest = new GuestTables(machine.vm().memory(), v);
        boolean mapped = guest.walk(gva);
        GuestWalk w = guest.last();
        boolean shadow = mmu.kind() == Mmu.Kind.SHADOW;
        long walked = shadow ? gva : mapped ? w.gpa : 0;
        List<SpteRef> host = shadow || mapped ? mmu.view().walk(v, walked) : List.of();
        SpteRef last = host.isEmpty() ? null : host.getLast();
        boolean leaf = last != null && last.level() == 1 && Spte.present(last.spte());
        List<TlbEntry> tlb = new ArrayList<>();
        for (SoftTlb.Entry e : v.tlb.contents()) if (e.gva() == (gva & SoftTlb.PAGE)) tlb.add(tlbEntry(e));
        return new PageWalk(
                gva,
                PageWalk.Paging.of(w.levels),
                v.state.cr3,
                guest.entries(),
                mapped,
                mapped ? w.gpa : 0,
                mapped ? w.pageShift : 0,
                mapped && (w.rights & Spte.W) != 0,
                mapped && (w.rights & Spte.U) != 0,
                mapped && w.rights < 0,
                mapped && w.global,
                mmu.kind(),
                walked,
                host,
                leaf ? Spte.frame(last.spte()) : 0,
                List.copyOf(tlb));
    }

    @Override
    public List<GuestMapping> mappings(int vcpu) throws BoardException {
        return ask(() -> List.copyOf(new GuestTables(machine.vm().memory(), vcpu(vcpu)).mappings()));
    }

    @Override
    public MmuInfo mmu() throws BoardException {
        return ask(() -> {
            Map<String, Long> tlb = new LinkedHashMap<>();
            for (VcpuContext v : machine.vm().contexts()) {
                tlb.merge("fills", v.tlb.fills, Long::sum);
                tlb.merge("flushes", v.tlb.flushes, Long::sum);
                tlb.merge("page_flushes", v.tlb.pageFlushes, Long::sum);
            }
            Mmu mmu = machine.vm().mmu();
            return new MmuInfo(machine.cpuSlots().active(Kind.MMU).type(), mmu.kind(), mmu.counters(), tlb);
        });
    }

    @Override
    public List<TablePage> pages() throws BoardException {
        return ask(() -> machine.vm().mmu().view().pages());
    }

    @Override
    public GuestFrame frame(long gfn) throws BoardException {
        return ask(() -> new FrameUsers(machine.vm().mmu(), machine.vm().contexts()).of(gfn, machine.vm().memory()));
    }

    @Override
    public AuditReport audit() throws BoardException {
        return ask(() -> machine.vm()
                .mmu()
                .view()
                .audit()
                .orElseThrow(() -> new BoardException("the MMU '" + machine.cpuSlots().active(Kind.MMU).type() + "' has no audit")));
    }
}
