package org.backplane.shell;

import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.backplane.board.api.Machine;
import org.jline.terminal.Attributes;
import org.jline.terminal.Terminal;
import org.jline.utils.NonBlockingReader;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** VM exits, and what else is counted. */
@Component(
        service = ExitCommands.class,
        property = {"osgi.command.scope=exit", "osgi.command.function=list", "osgi.command.function=top", "osgi.command.function=stats"})
public final class ExitCommands {
    private static final String MACHINE = "[MACHINE]";
    private static final String STATS = "[MACHINE] [PREFIX]";
    private static final long INTERVAL_MILLIS = 1000;

    private final MachineDirectory directory;

    @Activate
    public ExitCommands(@Reference MachineDirectory directory) {
        this.directory = directory;
    }

    @Descriptor("counts the VM exits by reason")
    public void list(CommandSession session, @Descriptor(MACHINE) String[] args) {
        Machine m = directory.onlyMachine(session, new Arguments("exit:list", MACHINE, args));
        table(m.exits(), Map.of(), 0).print(System.out);
    }

    @Descriptor("shows the VM exits by reason as they come; any key ends it")
    public void top(CommandSession session, @Descriptor(MACHINE) String[] args) throws IOException {
        Machine m = directory.onlyMachine(session, new Arguments("exit:top", MACHINE, args));
        Terminal terminal = ConsoleSession.terminal(session)
                .orElseThrow(() -> new CommandException("exit:top needs a terminal; without one: exit:list"));
        Attributes saved = terminal.enterRawMode();
        PrintStream out = System.out;
        try {
            out.print("\033[2J");
            view(m, out, terminal.reader());
        } finally {
            terminal.setAttributes(saved);
            out.println();
        }
    }

    private static void view(Machine m, PrintStream out, NonBlockingReader keys) throws IOException {
        Map<String, Long> before = m.exits();
        long instructionsBefore = instructions(m);
        long then = System.nanoTime();
        while (true) {
            if (keys.read(INTERVAL_MILLIS) != NonBlockingReader.READ_EXPIRED || m.state() == Machine.State.ENDED) return;
            Map<String, Long> now = m.exits();
            long instructions = instructions(m);
            double seconds = (System.nanoTime() - then) / 1e9;
            then = System.nanoTime();
            out.print("\033[H");
            out.printf(Locale.ROOT, "%s is %s, %.1f million instructions/s; any key ends this\033[K%n\033[K%n", m.name(), State.of(m),
                    (instructions - instructionsBefore) / seconds / 1e6);
            table(now, before, seconds).print(new ClearingStream(out));
            out.print("\033[J");
            out.flush();
            before = now;
            instructionsBefore = instructions;
        }
    }

    private static long instructions(Machine m) {
        String n = m.stats().getOrDefault("instructions", "0");
        return n.matches("[0-9]+") ? Long.parseLong(n) : 0;
    }

    /** Lines that leave nothing of a longer one before them. */
    private static final class ClearingStream extends PrintStream {
        ClearingStream(PrintStream out) {
            super(out, true);
        }

        @Override
        public void println(String line) {
            super.println(line + "\033[K");
        }
    }

    /** @param seconds since the counts before, or 0 for no rates */
    static Table table(Map<String, Long> counts, Map<String, Long> before, double seconds) {
        long total = counts.values().stream().mapToLong(Long::longValue).sum();
        Table t = seconds > 0 ? new Table("REASON", "COUNT>", "SHARE>", "PER SECOND>") : new Table("REASON", "COUNT>", "SHARE>");
        List<Map.Entry<String, Long>> sorted = new ArrayList<>(counts.entrySet());
        sorted.sort(Map.Entry.<String, Long>comparingByValue().reversed().thenComparing(Map.Entry.comparingByKey()));
        for (Map.Entry<String, Long> e : sorted) {
            String share = String.format(Locale.ROOT, "%.1f %%", 100.0 * e.getValue() / Math.max(total, 1));
            String count = Units.count(e.getValue());
            if (seconds > 0) t.row(e.getKey(), count, share, rate(e.getValue() - before.getOrDefault(e.getKey(), 0L), seconds));
            else t.row(e.getKey(), count, share);
        }
        long came = total - before.values().stream().mapToLong(Long::longValue).sum();
        if (seconds > 0) t.row("total", Units.count(total), "", rate(came, seconds));
        else t.row("total", Units.count(total), "");
        return t;
    }

    private static String rate(long n, double seconds) {
        return Units.count(Math.round(n / seconds));
    }

    @Descriptor("prints all that is counted, or what begins with PREFIX")
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
