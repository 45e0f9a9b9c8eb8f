package org.backplane.shell;

import java.io.PrintStream;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.backplane.board.api.GuestMapping;
import org.backplane.board.api.Machine;
import org.backplane.board.api.MmuInfo;
import org.backplane.board.api.PageWalk;
import org.backplane.kvm.spi.mmu.AuditReport;
import org.backplane.kvm.spi.mmu.Mmu;
import org.backplane.kvm.spi.mmu.MmuView.TablePage;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Looking into page tables: the guest's own, and those that the processor walks. */
@Component(
        service = MmuCommands.class,
        property = {
            "osgi.command.scope=mmu",
            "osgi.command.function=walk",
            "osgi.command.function=translate",
            "osgi.command.function=map",
            "osgi.command.function=pages",
            "osgi.command.function=rmap",
            "osgi.command.function=audit",
            "osgi.command.function=stats"
        })
public final class MmuCommands {
    private static final String ADDRESS = "[MACHINE] ADDRESS";
    private static final String MACHINE = "[MACHINE]";
    private static final String MAP = "[MACHINE] [-n COUNT]";
    private static final String PAGES = "[MACHINE] [-gfn GFN] [-frame FRAME] [-level LEVEL] [-roots] [-direct] [-n COUNT]";
    private static final String RMAP = "[MACHINE] GFN";
    private static final int FEW_PAGES = 20, FEW_MAPPINGS = 40, MOST = 1 << 20, VIOLATIONS_SHOWN = 20;

    /** Session variable with the counters of the last {@code mmu:stats}, by machine. */
    private static final String LAST_STATS = ".mmu.stats";

    private final MachineDirectory directory;

    @Activate
    public MmuCommands(@Reference MachineDirectory directory) {
        this.directory = directory;
    }

    @Descriptor("walks guest tables and shadow tables (or EPT) side by side")
    @Example({"mmu:walk eip -- the page of the next instruction", "mmu:walk 0xc0100000 -- a linear address", "mmu:walk demo ds:si -- in machine demo"})
    public void walk(CommandSession session, @Descriptor(ADDRESS) String[] args) {
        WalkText.print(walk(session, new Arguments("mmu:walk", ADDRESS, args)), System.out);
    }

    @Descriptor("translates a linear address to a physical one")
    @Example("mmu:translate esp -- where the stack is")
    public void translate(CommandSession session, @Descriptor(ADDRESS) String[] args) {
        System.out.println(WalkText.translation(walk(session, new Arguments("mmu:translate", ADDRESS, args))).replaceFirst("^guest +", ""));
    }

    private PageWalk walk(CommandSession session, Arguments a) {
        Machine m = directory.machine(session, a, 1);
        long address = Address.parse(a.take(), m.cpu(0));
        a.end();
        return Inspecting.ask(() -> m.inspector().walk(0, address));
    }

    @Descriptor("lists what the guest's own page tables map")
    @Example("mmu:map -n 100 -- the first hundred ranges")
    public void map(CommandSession session, @Descriptor(MAP) String[] args) {
        Arguments a = new Arguments("mmu:map", MAP, args);
        int limit = a.option("-n").map(n -> Arguments.count(n, MOST)).orElse(FEW_MAPPINGS);
        Machine m = directory.onlyMachine(session, a);
        List<GuestMapping> all = Inspecting.ask(() -> m.inspector().mappings(0));
        if (all.isEmpty()) {
            System.out.println(m.cpu(0).paging() ? "nothing is mapped" : "paging is off");
            return;
        }
        Table t = new Table("FROM", "TO", "SIZE>", "RIGHTS", "FOR", "FIRST GPA", "");
        for (GuestMapping g : all.subList(0, Math.min(limit, all.size()))) {
            t.row(
                    String.format("0x%08x", g.gva()),
                    String.format("0x%08x", g.gva() + g.size() - 1),
                    Units.bytes(g.size()),
                    Bits.rights(true, g.writable(), !g.noExecute()),
                    g.user() ? "user" : "supervisor",
                    String.format("0x%08x", g.gpa()),
                    g.global() ? "global" : "");
        }
        t.print(System.out);
        long mapped = all.stream().mapToLong(GuestMapping::size).sum();
        System.out.println((limit < all.size() ? limit + " of " + Units.count(all.size()) + " ranges (-n COUNT shows more)" : all.size() == 1 ? "1 range" : all.size() + " ranges")
                + ", " + Units.bytes(mapped) + " mapped");
    }

    @Descriptor("lists shadow pages: gfn, role, parents, use; last used first")
    @Example({
        "mmu:pages -- the twenty used last",
        "mmu:pages -roots -- those that a vCPU starts from",
        "mmu:pages -gfn gpa:cr3 -- those that shadow the guest's topmost table",
        "mmu:pages -frame 0x4a12 -- one page, with its parents",
        "mmu:pages -level 1 -direct -n 100 -- parts of large pages"
    })
    public void pages(CommandSession session, @Descriptor(PAGES) String[] args) {
        Arguments a = new Arguments("mmu:pages", PAGES, args);
        var gfn = a.option("-gfn");
        var frame = a.option("-frame").map(f -> Arguments.number(f, "frame"));
        var level = a.option("-level").map(l -> Arguments.count(l, 4));
        boolean roots = a.flag("-roots");
        boolean direct = a.flag("-direct");
        int limit = a.option("-n").map(n -> Arguments.count(n, MOST)).orElse(FEW_PAGES);
        Machine m = directory.onlyMachine(session, a);
        var page = gfn.map(g -> GuestPage.parse(g, m));
        List<TablePage> all = Inspecting.ask(() -> m.inspector().pages()).stream()
                .filter(p -> page.isEmpty() || p.gfn() == page.get())
                .filter(p -> frame.isEmpty() || p.frame() == frame.get())
                .filter(p -> level.isEmpty() || p.role().level() == level.get())
                .filter(p -> !roots || p.roots() > 0)
                .filter(p -> !direct || p.role().direct())
                .toList();
        if (all.isEmpty()) {
            System.out.println("no such page");
            return;
        }
        PagesText.print(all.subList(0, Math.min(limit, all.size())), all.size(), System.out);
        if (all.size() == 1) PagesText.parents(all.getFirst(), System.out);
    }

    @Descriptor("tells who maps a page: a GFN, gpa:ADDRESS or gva:ADDRESS")
    @Example({"mmu:rmap 0x1a2b -- by guest frame number", "mmu:rmap gpa:cr3 -- the guest's topmost page table", "mmu:rmap gva:eip -- the page of the next instruction"})
    public void rmap(CommandSession session, @Descriptor(RMAP) String[] args) {
        Arguments a = new Arguments("mmu:rmap", RMAP, args);
        Machine m = directory.machine(session, a, 1);
        String text = a.take();
        a.end();
        long gfn = GuestPage.parse(text, m);
        PagesText.print(Inspecting.ask(() -> m.inspector().frame(gfn)), System.out);
    }

    @Descriptor("checks the MMU against what it was made of, by rule")
    @Example("mmu:audit -- fails when a rule is broken, so that a script can tell")
    public void audit(CommandSession session, @Descriptor(MACHINE) String[] args) {
        Machine m = directory.onlyMachine(session, new Arguments("mmu:audit", MACHINE, args));
        AuditReport r = Inspecting.ask(() -> m.inspector().audit());
        PrintStream out = System.out;
        Map<AuditReport.Rule, Integer> byRule = new EnumMap<>(AuditReport.Rule.class);
        for (AuditReport.Violation v : r.violations()) byRule.merge(v.rule(), 1, Integer::sum);
        Table t = new Table("RULE", "VIOLATIONS>");
        for (AuditReport.Rule rule : AuditReport.Rule.values()) t.row(rule.text(), Units.count(byRule.getOrDefault(rule, 0)));
        t.print(out);
        r.violations().stream().limit(VIOLATIONS_SHOWN).forEach(out::println);
        out.println("audit: " + r.checks() + " checks, " + r.violationCount() + " violations");
        if (r.violationCount() > 0) throw new CommandException("the audit of " + m.name() + " found violations");
    }

    @Descriptor("prints counters of MMU and TLB, and how much came since")
    @Example("mmu:stats; sleep 1; mmu:stats -- what happened in a second")
    public void stats(CommandSession session, @Descriptor(MACHINE) String[] args) {
        Machine m = directory.onlyMachine(session, new Arguments("mmu:stats", MACHINE, args));
        MmuInfo info = Inspecting.ask(() -> m.inspector().mmu());
        Map<String, Long> now = new LinkedHashMap<>();
        info.counters().forEach((name, value) -> now.put("mmu." + name, value));
        info.tlb().forEach((name, value) -> now.put("tlb." + name, value));
        Map<String, Long> before = before(session, m.name() + " " + m.stats().get("swaps"), now);
        System.out.println(m.name() + ": MMU " + info.type() + ", " + (info.kind() == Mmu.Kind.SHADOW ? "shadow paging" : "two-dimensional paging"));
        Table t = before == null ? new Table("NAME", "VALUE>") : new Table("NAME", "VALUE>", "CHANGE>");
        now.forEach((name, value) -> {
            if (before == null) t.row(name, Units.count(value));
            else t.row(name, Units.count(value), change(value - before.getOrDefault(name, 0L)));
        });
        t.print(System.out);
    }

    private static String change(long n) {
        return n > 0 ? "+" + Units.count(n) : Units.count(n);
    }

    /** The counters that this session saw last, or null; remembers those of now. After a swap it begins anew. */
    @SuppressWarnings("unchecked")
    private static Map<String, Long> before(CommandSession session, String key, Map<String, Long> now) {
        Map<String, Map<String, Long>> all = session.get(LAST_STATS) instanceof Map<?, ?> known ? (Map<String, Map<String, Long>>) known : new HashMap<>();
        Map<String, Long> before = all.put(key, now);
        session.put(LAST_STATS, all);
        return before;
    }
}
