package org.backplane.shell;

import java.io.IOException;
import java.util.Optional;
import java.util.Set;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.backplane.board.api.ExitTrace;
import org.backplane.board.api.ExitTrace.Filter;
import org.backplane.board.api.ExitTrace.Range;
import org.backplane.board.api.Machine;
import org.jline.terminal.Terminal;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** VM exits, and what else is counted. */
@Component(
        service = ExitCommands.class,
        property = {
            "osgi.command.scope=exit",
            "osgi.command.function=list",
            "osgi.command.function=top",
            "osgi.command.function=trace",
            "osgi.command.function=stats"
        })
public final class ExitCommands {
    private static final String MACHINE = "[MACHINE]";
    private static final String TOP = "[MACHINE] [-d SECONDS] [-n TIMES]";
    private static final String TRACE =
            "[MACHINE] [on|off|show] [-reason REASON] [-port RANGE] [-gpa RANGE] [-gva RANGE] [-rip RANGE] [-size COUNT] [-n COUNT]";
    private static final String STATS = "[MACHINE] [PREFIX]";
    private static final int SHOWN = 20;

    private final MachineDirectory directory;

    @Activate
    public ExitCommands(@Reference MachineDirectory directory) {
        this.directory = directory;
    }

    @Descriptor("counts VM exits by reason, with times where exit:top ran")
    @Example("exit:list -- since the CPU backend was put in service")
    public void list(CommandSession session, @Descriptor(MACHINE) String[] args) {
        Machine m = directory.onlyMachine(session, new Arguments("exit:list", MACHINE, args));
        ExitTable.of(m.inspector().exits(), null).print(System.out);
    }

    @Descriptor("shows VM exits as they come, with rates and times; q ends")
    @Example({"exit:top -- refreshed every second; without a terminal one second, once", "exit:top -d 0.2 -n 50 -- five times a second, for ten seconds"})
    public void top(CommandSession session, @Descriptor(TOP) String[] args) throws IOException, InterruptedException {
        Arguments a = new Arguments("exit:top", TOP, args);
        double seconds = a.option("-d").map(Arguments::seconds).orElse(1.0);
        int times = a.option("-n").map(n -> Arguments.count(n, Integer.MAX_VALUE)).orElse(0);
        ExitTop top = new ExitTop(directory.onlyMachine(session, a), seconds, System.out);
        Optional<Terminal> terminal = ConsoleSession.terminal(session);
        if (terminal.isPresent()) top.live(terminal.get(), times);
        else top.once();
    }

    @Descriptor("records VM exits in a ring, with filters: on, off, show")
    @Example({
        "exit:trace on -- everything",
        "exit:trace on -reason IO -port 0x3f8-0x3ff -- the first serial port",
        "exit:trace on -reason CR_ACCESS,INVLPG -size 100 -- control registers; the last hundred are kept",
        "exit:trace on -gpa 0xa0000-0xbffff -- accesses to video memory",
        "exit:trace on -rip 0xc0100000-0xc01fffff -- what a part of a kernel causes",
        "exit:trace show -n 50 -- the last fifty, while it runs or afterwards"
    })
    public void trace(CommandSession session, @Descriptor(TRACE) String[] args) {
        Arguments a = new Arguments("exit:trace", TRACE, args);
        Optional<Set<Integer>> reasons = a.option("-reason").map(TraceText::reasons);
        Range ports = range(a, "-port"), gpas = range(a, "-gpa"), gvas = range(a, "-gva"), rips = range(a, "-rip");
        Optional<Integer> size = a.option("-size").map(n -> Arguments.count(n, ExitTrace.LARGEST));
        Optional<Integer> count = a.option("-n").map(n -> Arguments.count(n, ExitTrace.LARGEST));
        Filter filter = new Filter(reasons.orElse(Set.of()), ports, gpas, gvas, rips);
        Machine m = directory.machine(session, a, 0);
        String what = a.takeIfAny().orElse("");
        a.end();
        boolean on = what.equals("on");
        if (!on && (!filter.equals(Filter.ALL) || size.isPresent()) || count.isPresent() && !what.equals("show")) throw a.usage();
        switch (what) {
            case "on" -> Inspecting.ask(() -> {
                m.inspector().startTrace(filter, size.orElse(ExitTrace.USUAL));
                return null;
            });
            case "off" -> m.inspector().stopTrace();
            case "show" -> TraceText.print(m.inspector().trace(), count.orElse(SHOWN), System.out);
            case "" -> {}
            default -> throw a.usage();
        }
        System.out.println(TraceText.status(m.inspector().trace()));
    }

    private static Range range(Arguments a, String option) {
        return a.option(option).map(TraceText::range).orElse(Range.ALL);
    }

    @Descriptor("prints all that is counted, or what begins with PREFIX")
    @Example("exit:stats mmu. -- what the MMU counts")
    public void stats(CommandSession session, @Descriptor(STATS) String[] args) {
        Arguments a = new Arguments("exit:stats", STATS, args);
        Machine m = directory.machine(session, a, 0);
        String prefix = a.takeIfAny().orElse("");
        a.end();
        Table t = new Table("NAME", "VALUE>");
        m.stats().forEach((name, value) -> {
            if (name.startsWith(prefix)) t.row(name, Units.count(value));
        });
        t.print(System.out);
    }
}
