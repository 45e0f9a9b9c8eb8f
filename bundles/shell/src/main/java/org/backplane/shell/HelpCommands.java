package org.backplane.shell;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.Function;
import org.backplane.board.api.MachineOptions;
import org.jline.builtins.Completers.FilesCompleter;
import org.jline.reader.Completer;
import org.jline.reader.impl.LineReaderImpl;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Help, what the prompt greets with, and the completion of the interactive shell. */
@Component(
        service = HelpCommands.class,
        property = {
            "osgi.command.scope=backplane",
            "osgi.command.function=help",
            "osgi.command.function=first_steps",
            "osgi.command.function=_completion"
        })
public final class HelpCommands {
    private static final List<String> TITLES = List.of(
            "as in QEMU's monitor",
            "machines",
            "slots and cards",
            "the CPU",
            "VM exits and statistics",
            "memory",
            "page tables");

    private final MachineDirectory directory;
    private final Catalog catalog;

    @Activate
    public HelpCommands(@Reference MachineDirectory directory, BundleContext context) {
        this.directory = directory;
        catalog = Catalog.of(context);
    }

    @Descriptor("lists the commands, or tells about one")
    public void help(CommandSession session, @Descriptor("[COMMAND]") String[] args) throws Exception {
        Arguments a = new Arguments("help", "[COMMAND]", args);
        Optional<String> name = a.takeIfAny();
        a.end();
        if (name.isEmpty()) {
            list(System.out);
            return;
        }
        Optional<Catalog.Entry> entry = catalog.find(name.get());
        if (entry.isPresent()) {
            describe(entry.get(), System.out);
            return;
        }
        List<Catalog.Entry> scope = catalog.all().stream().filter(e -> e.scope().equals(name.get())).toList();
        if (!scope.isEmpty()) table(scope).print(System.out);
        else others(session, name.get());
    }

    private void list(PrintStream out) {
        List<Catalog.Entry> all = catalog.all();
        for (String scope : Catalog.SCOPES) {
            List<Catalog.Entry> entries = all.stream().filter(e -> e.scope().equals(scope)).toList();
            if (entries.isEmpty()) continue;
            out.println(TITLES.get(Catalog.SCOPES.indexOf(scope)));
            for (Catalog.Entry e : entries) out.printf("  %-20s %s%n", e.fullName(), e.description());
        }
        out.println("the shell");
        out.printf("  %-20s %s%n", "help COMMAND", "tells what a command takes; help SCOPE lists a scope");
        out.printf("  %-20s %s%n", "gogo:help", "lists all commands, the shell's own and those of the container too");
        out.printf("  %-20s %s%n", "exit, quit", "end Backplane");
        out.println("The scope may be left out where the name is clear. Most commands take a machine's name first; without, they mean the current one.");
    }

    private static Table table(List<Catalog.Entry> entries) {
        Table t = new Table("COMMAND", "TAKES", "DOES");
        entries.forEach(e -> t.row(e.fullName(), e.syntax(), e.description()));
        return t;
    }

    private static void describe(Catalog.Entry e, PrintStream out) {
        out.println(Wrap.hanging(e.fullName() + " ", e.syntax()).stripTrailing());
        out.println("  " + e.description());
        if (!e.examples().isEmpty()) {
            out.println("examples:");
            Table t = new Table("", "");
            for (String x : e.examples()) t.row("  " + x.replaceFirst(" -- .*", ""), x.replaceFirst(".* -- ", ""));
            t.lines().stream().skip(1).forEach(out::println);
        }
        if (!e.syntax().contains("OPTION")) return;
        out.println("options:");
        for (MachineOptions.Option o : MachineOptions.ALL) option(o, out);
        MachineOptions.find("machine").ifPresent(o -> option(o, out));
    }

    private static void option(MachineOptions.Option o, PrintStream out) {
        String left = "-" + o.name() + (o.argument().isEmpty() ? "" : " " + o.argument());
        out.println(Wrap.hanging(String.format("  %-34s ", left), o.help() + (o.multiple() ? " (may be repeated)" : "")));
    }

    /** Commands that are not ours: Gogo knows. */
    private static void others(CommandSession session, String name) throws Exception {
        boolean known = session.get(".commands") instanceof Collection<?> all
                && all.stream().anyMatch(c -> c.toString().equals(name) || c.toString().endsWith(":" + name));
        if (!known || !(session.get("gogo:help") instanceof Function gogo)) throw new CommandException("there is no command '" + name + "'");
        gogo.execute(session, new ArrayList<>(List.of(name)));
        System.out.println("(Many commands of the shell itself tell more: " + name + " --help)");
    }

    @Descriptor("says what to try first")
    public void first_steps(CommandSession session, @Descriptor("") String[] args) {
        new Arguments("first_steps", "", args).end();
        Table t = new Table("Try", "");
        t.row("  vm:screen", "the screen as text; vm:screen FILE.png makes a picture of it");
        t.row("  vm:console", "the serial console; Ctrl-] leaves it");
        t.row("  vm:type hello", "types on the keyboard");
        t.row("  card:list", "the cards in their slots, with their claims");
        t.row("  card:swap mmu shadow", "replaces a card while the guest runs (and back: card:swap mmu direct)");
        t.row("  exit:top", "VM exits by reason, as they come");
        t.row("  mmu:walk eip", "a page walk in both tables, side by side");
        t.row("  info registers, x /8i eip", "as in QEMU's monitor");
        t.row("  vm:boot linux -kernel FILE", "another machine; help vm:boot lists the options");
        t.print(System.out);
    }

    /** Called by the shell's profile: completes the arguments of our commands, and leaves the rest to what was there. */
    public void _completion(CommandSession session) {
        if (session.get(".reader") instanceof LineReaderImpl reader) {
            Completer files = (r, line, candidates) -> new FilesCompleter(session.currentDir()).complete(r, line, candidates);
            reader.setCompleter(new ShellCompleter(session, catalog, directory, files, reader.getCompleter()));
        }
    }
}
