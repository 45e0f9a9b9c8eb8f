package org.backplane.board.machine;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;
import org.backplane.board.api.PauseStats;
import org.backplane.kvm.core.vm.Auditor;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.mmu.Mmu;

/**
 * What a machine can tell about itself as text: statistics, the report of a crash. On the machine's thread; what it said last stays readable after
 * the machine has ended.
 */
final class MachineReport {
    /** Prefix of the CPU backend's counters of exits by reason. */
    static final String EXITS = "exits.";

    private static final String[] GPR = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi"};
    private static final String[] SEG = {"es", "cs", "ss", "ds", "fs", "gs", "ldt", "tr"};

    private final PcMachine machine;
    private final List<Supplier<Map<String, String>>> added = new CopyOnWriteArrayList<>();
    private Map<String, String> frozenStats;

    MachineReport(PcMachine machine) {
        this.machine = machine;
    }

    /** The machine ends: keep what its cards counted. */
    void freeze() {
        frozenStats = stats();
    }

    Map<String, String> stats() {
        if (frozenStats != null) return frozenStats;
        Map<String, String> m = new LinkedHashMap<>();
        long instructions = machine.vcpu().context().instructions;
        double seconds = machine.clock().nanos() / 1e9;
        m.put("instructions", Long.toString(instructions));
        m.put("time", String.format(Locale.ROOT, "%.3f s", seconds));
        if (seconds > 0) m.put("rate", String.format(Locale.ROOT, "%.1f million instructions/s", instructions / seconds / 1e6));
        if (machine.vm().cpuPresent()) {
            m.put("realmode", machine.vm().realMode().option);
            add(m, "", machine.vm().backend().counters());
            add(m, "mmu.", machine.vm().mmu().counters());
            add(m, "emulator.", machine.vm().emulator().counters());
        }
        var tlb = machine.vcpu().context().tlb;
        m.put("tlb.fills", Long.toString(tlb.fills));
        m.put("tlb.flushes", Long.toString(tlb.flushes));
        m.put("tlb.page_flushes", Long.toString(tlb.pageFlushes));
        m.put("swaps", Long.toString(machine.swaps()));
        PauseStats p = machine.pauses();
        add(m, "pause.side_by_side", p.sideBySide());
        add(m, "pause.in_place", p.inPlace());
        Auditor audits = machine.vm().auditor();
        m.put("audit", audits.checks() + " checks, " + audits.violations() + " violations");
        return m;
    }

    private static void add(Map<String, String> to, String prefix, Map<String, Long> counters) {
        counters.forEach((k, v) -> {
            if (v != 0 || !k.startsWith(EXITS)) to.put(prefix + k, Long.toString(v));
        });
    }

    private static void add(Map<String, String> to, String name, PauseStats.Figures f) {
        if (f.count() == 0) return;
        to.put(name, String.format(Locale.ROOT, "%d, p50 %.2f ms, p99 %.2f ms, max %.2f ms",
                f.count(), f.p50Nanos() / 1e6, f.p99Nanos() / 1e6, f.maxNanos() / 1e6));
    }

    /** See {@code Machine.addStats}. */
    void add(Supplier<Map<String, String>> lines) {
        added.add(lines);
    }

    /** These statistics and behind them what front ends add; on any thread. */
    Map<String, String> all(Map<String, String> own) {
        Map<String, String> m = new LinkedHashMap<>(own);
        added.forEach(lines -> m.putAll(lines.get()));
        return m;
    }

    /** The report of a guest that was ended: reason, registers, and the bytes at RIP. */
    String crash(String reason) {
        CpuState s = machine.vcpu().context().state;
        StringBuilder b = new StringBuilder("guest ended: ").append(reason).append('\n');
        b.append(registers(s));
        b.append("code:");
        for (int i = 0; i < 15; i++) {
            long gpa = probe(s.linearRip() + i);
            byte[] one = new byte[1];
            if (gpa >= 0) machine.dma().read(gpa, one, 0, 1);
            b.append(gpa < 0 ? " ??" : String.format(" %02x", one[0]));
        }
        return b.toString();
    }

    /** Where a linear address lies, or -1; also if the MMU is what broke. */
    private long probe(long gva) {
        if (!machine.vm().cpuPresent()) return -1;
        try {
            return machine.vm().mmu().gvaToGpa(machine.vcpu().context(), gva, Mmu.PROBE);
        } catch (RuntimeException e) {
            return -1;
        }
    }

    static String registers(CpuState s) {
        StringBuilder b = new StringBuilder();
        for (int i = 0; i < 8; i++) {
            b.append(String.format("%s=%016x%c", GPR[i], s.gpr[i], (i & 3) == 3 ? '\n' : ' '));
        }
        b.append(String.format("rip=%016x rflags=%08x cpl=%d\n", s.rip, s.rflags(), s.cpl));
        for (int i = 0; i < 8; i++) {
            b.append(String.format(
                    "%-3s sel=%04x base=%08x limit=%08x ar=%05x\n", SEG[i], s.segSel[i], s.segBase[i], s.segLimit[i], s.segAr[i]));
        }
        b.append(String.format("gdt base=%08x limit=%04x  idt base=%08x limit=%04x\n", s.gdtBase, s.gdtLimit, s.idtBase, s.idtLimit));
        b.append(String.format("cr0=%08x cr2=%08x cr3=%08x cr4=%08x efer=%x\n", s.cr0, s.cr2, s.cr3, s.cr4, s.efer));
        return b.toString();
    }
}
