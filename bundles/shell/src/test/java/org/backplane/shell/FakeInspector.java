package org.backplane.shell;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
import org.backplane.kvm.spi.cpu.VmcsView;
import org.backplane.kvm.spi.mmu.AuditReport;
import org.backplane.kvm.spi.mmu.Mmu;
import org.backplane.kvm.spi.mmu.MmuView.TablePage;

/** Shows what a test gave it. Without paging every address below the memory's end is mapped to itself. */
final class FakeInspector implements Inspector {
    final List<String> calls = new ArrayList<>();
    final List<ExitStats.Reason> exits = new ArrayList<>();
    final List<TablePage> pages = new ArrayList<>();
    final List<TlbEntry> tlb = new ArrayList<>();
    final List<GuestMapping> mappings = new ArrayList<>();
    final Map<String, Long> counters = new LinkedHashMap<>(Map.of("pf_fixed", 7L));
    List<VmcsView.Field> fields = new ArrayList<>(List.of(new VmcsView.Field("GUEST_RIP", 0x681e, 0x7c00, "")));
    ExitTrace trace = ExitTrace.NONE;
    RegisterTrace registers = RegisterTrace.NONE;
    AuditReport audit = new AuditReport(12, List.of(), 0);
    PageWalk walk;
    GuestFrame frame;
    int watchers;

    @Override
    public VmcsView vmcs(int vcpu) {
        return new VmcsView(true, fields);
    }

    @Override
    public List<TlbEntry> tlb(int vcpu) {
        return tlb;
    }

    @Override
    public ExitStats exits() {
        return new ExitStats(System.nanoTime(), 0, 0, watchers > 0, List.copyOf(exits));
    }

    @Override
    public ExitWatch watchExits() {
        watchers++;
        return () -> watchers--;
    }

    @Override
    public void startTrace(ExitTrace.Filter filter, int size) {
        trace = new ExitTrace(true, filter, size, 0, List.of());
    }

    @Override
    public void stopTrace() {
        trace = new ExitTrace(false, trace.filter(), trace.size(), trace.recorded(), trace.entries());
    }

    @Override
    public ExitTrace trace() {
        return trace;
    }

    @Override
    public void startRegisterTrace(String slot) throws BoardException {
        if (slot.equals("vga")) throw new BoardException("slot vga has no card to trace");
        registers = new RegisterTrace(true, registers.recorded(), registers.entries());
    }

    @Override
    public void stopRegisterTrace(String slot) {
        registers = new RegisterTrace(false, registers.recorded(), registers.entries());
    }

    @Override
    public RegisterTrace registerTrace(String slot) {
        return registers;
    }

    @Override
    public PageWalk walk(int vcpu, long gva) {
        if (walk != null) return walk;
        boolean mapped = gva < FakeMachine.MEMORY;
        return new PageWalk(
                gva, PageWalk.Paging.OFF, 0, List.of(), mapped, mapped ? gva : 0, mapped ? 12 : 0, mapped, mapped, false, false,
                Mmu.Kind.TWO_DIMENSIONAL, gva, List.of(), 0, List.of());
    }

    @Override
    public List<GuestMapping> mappings(int vcpu) {
        return mappings;
    }

    @Override
    public MmuInfo mmu() {
        return new MmuInfo("shadow", Mmu.Kind.SHADOW, new LinkedHashMap<>(counters), Map.of("fills", 3L));
    }

    @Override
    public List<TablePage> pages() {
        return pages;
    }

    @Override
    public GuestFrame frame(long gfn) {
        calls.add("frame " + Long.toHexString(gfn));
        return frame != null ? frame : new GuestFrame(gfn, 0, -1, List.of(), List.of());
    }

    @Override
    public AuditReport audit() throws BoardException {
        if (audit == null) throw new BoardException("the MMU 'third' has no audit");
        return audit;
    }
}
