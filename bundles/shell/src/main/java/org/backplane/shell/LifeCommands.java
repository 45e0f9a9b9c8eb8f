package org.backplane.shell;

import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine;
import org.backplane.board.api.MachineFile;
import org.backplane.board.api.MachineOptions;
import org.backplane.board.api.MachineOptions.Option;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** A machine's life: {@code vm:create} to {@code vm:stop}. */
@Component(
        service = LifeCommands.class,
        property = {
            "osgi.command.scope=vm",
            "osgi.command.function=create",
            "osgi.command.function=start",
            "osgi.command.function=boot",
            "osgi.command.function=demo",
            "osgi.command.function=pause",
            "osgi.command.function=resume",
            "osgi.command.function=reset",
            "osgi.command.function=powerdown",
            "osgi.command.function=stop",
            "osgi.command.function=list",
            "osgi.command.function=info",
            "osgi.command.function=use"
        })
public final class LifeCommands {
    private static final String MACHINE = "[MACHINE]";
    private static final String CREATE = "NAME [OPTION]…";
    private static final String DEMO = "[NAME] [OPTION]…";
    private static final String DEMO_NAME = "demo";

    private final MachineDirectory directory;
    private final Path machineFiles;

    @Activate
    public LifeCommands(@Reference MachineDirectory directory, BundleContext context) {
        this.directory = directory;
        String home = context.getProperty("backplane.home");
        machineFiles = Path.of(home == null ? "." : home, "machines");
    }

    @Descriptor("makes a machine; options as for backplane run")
    public void create(CommandSession session, @Descriptor(CREATE) String[] args) {
        Machine m = create(session, new Arguments("vm:create", CREATE, args));
        System.out.println(m.name() + " is created; vm:start starts it");
    }

    @Descriptor("makes a machine and starts it; options as for backplane run")
    public void boot(CommandSession session, @Descriptor(CREATE) String[] args) {
        start(create(session, new Arguments("vm:boot", CREATE, args)));
    }

    @Descriptor("boots the demonstration guest; options as for backplane run")
    public void demo(CommandSession session, @Descriptor(DEMO) String[] args) {
        List<String> given = new ArrayList<>(List.of(Arguments.words(args)));
        List<String> all = new ArrayList<>();
        all.add(given.isEmpty() || given.getFirst().startsWith("-") ? freeName() : given.removeFirst());
        if (!given.contains("-fda")) all.addAll(List.of("-fda", "builtin:demo"));
        if (!given.contains("-m")) all.addAll(List.of("-m", "16"));
        all.addAll(given);
        start(create(session, new Arguments("vm:demo", DEMO, all.toArray(String[]::new))));
    }

    private String freeName() {
        String name = DEMO_NAME;
        for (int n = 2; directory.machines().find(name).isPresent(); n++) name = DEMO_NAME + n;
        return name;
    }

    private Machine create(CommandSession session, Arguments a) {
        String name = a.take();
        if (name.startsWith("-")) throw a.usage();
        return directory.create(session, name, options(session, a));
    }

    /** {@code -name value} pairs, and what a machine file adds to them. */
    private Map<String, List<String>> options(CommandSession session, Arguments a) {
        Map<String, List<String>> options = new LinkedHashMap<>();
        Optional<String> file = Optional.empty();
        while (a.left() > 0) {
            String word = a.take();
            String name = word.replaceFirst("^--?", "");
            Option o = MachineOptions.find(name)
                    .filter(x -> MachineOptions.ALL.contains(x) || name.equals("machine"))
                    .filter(x -> word.startsWith("-"))
                    .orElseThrow(() -> new CommandException("unknown option '" + word + "' (help vm:create lists them)"));
            if (!o.argument().isEmpty() && a.left() == 0) throw new CommandException("-" + name + " needs " + o.argument());
            String value = o.argument().isEmpty() ? "" : a.take();
            if (name.equals("machine")) file = Optional.of(value);
            else options.computeIfAbsent(name, x -> new ArrayList<>()).add(o.argument().equals("FILE") ? path(session, value) : value);
        }
        if (file.isPresent()) fromFile(file.get()).forEach(options::putIfAbsent);
        return options;
    }

    private Map<String, List<String>> fromFile(String name) {
        try {
            Map<String, List<String>> options = MachineFile.read(name, machineFiles);
            MachineOptions.FRONT_END.forEach(o -> options.remove(o.name()));
            return options;
        } catch (BoardException e) {
            throw new CommandException(e.getMessage(), e);
        }
    }

    /** A file is looked for where the session is, which {@code cd} may have changed. */
    private static String path(CommandSession session, String file) {
        Path there = SessionFiles.resolve(session, file);
        return Files.exists(there) ? there.toString() : file;
    }

    @Descriptor("starts a machine that was made with vm:create")
    public void start(CommandSession session, @Descriptor(MACHINE) String[] args) {
        start(directory.onlyMachine(session, new Arguments("vm:start", MACHINE, args)));
    }

    private void start(Machine m) {
        try {
            m.start();
        } catch (BoardException e) {
            if (m.state() == Machine.State.CREATED) m.stop();
            throw new CommandException(e.getMessage(), e);
        }
        System.out.println(m.name() + " is " + State.of(m));
    }

    @Descriptor("halts a machine where it is, its clock too")
    public void pause(CommandSession session, @Descriptor(MACHINE) String[] args) {
        Machine m = started(directory.onlyMachine(session, new Arguments("vm:pause", MACHINE, args)));
        m.pause();
        System.out.println(m.name() + " is " + State.of(m));
    }

    @Descriptor("lets a paused machine go on")
    public void resume(CommandSession session, @Descriptor(MACHINE) String[] args) {
        Machine m = started(directory.onlyMachine(session, new Arguments("vm:resume", MACHINE, args)));
        m.resume();
        System.out.println(m.name() + " is " + State.of(m));
    }

    @Descriptor("presses a machine's reset button")
    public void reset(CommandSession session, @Descriptor(MACHINE) String[] args) {
        Machine m = started(directory.onlyMachine(session, new Arguments("vm:reset", MACHINE, args)));
        m.reset();
        System.out.println(m.name() + " is reset");
    }

    private static Machine started(Machine m) {
        if (m.state() == Machine.State.CREATED) throw new CommandException(m.name() + " has not been started: vm:start starts it");
        return m;
    }

    @Descriptor("presses a machine's power button: a guest that listens shuts down")
    public void powerdown(CommandSession session, @Descriptor(MACHINE) String[] args) {
        Machine m = started(directory.onlyMachine(session, new Arguments("vm:powerdown", MACHINE, args)));
        try {
            m.powerButton();
        } catch (BoardException e) {
            throw new CommandException(e.getMessage(), e);
        }
        System.out.println("the power button of " + m.name() + " is pressed");
    }

    @Descriptor("ends a machine, as if its plug were pulled")
    public void stop(CommandSession session, @Descriptor(MACHINE) String[] args) {
        Machine m = directory.onlyMachine(session, new Arguments("vm:stop", MACHINE, args));
        m.stop();
        System.out.println(m.name() + " is ended");
    }

    @Descriptor("lists the machines, and those that ended last")
    public void list(CommandSession session, @Descriptor("") String[] args) {
        new Arguments("vm:list", "", args).end();
        List<Machine> all = directory.machines().list();
        List<MachineDirectory.Gone> gone = directory.gone();
        if (all.isEmpty() && gone.isEmpty()) {
            System.out.println("no machines; vm:demo boots the demonstration guest");
            return;
        }
        Optional<Machine> current = directory.currentIfAny(session);
        Table t = new Table("", "MACHINE", "STATE", "TIME>", "INSTRUCTIONS>", "OPTIONS");
        for (Machine m : all) {
            Map<String, String> stats = m.stats();
            t.row(
                    current.isPresent() && current.get() == m ? "*" : "",
                    m.name(),
                    State.of(m),
                    stats.getOrDefault("time", ""),
                    Units.count(stats.get("instructions")),
                    commandLine(m));
        }
        for (MachineDirectory.Gone g : gone) t.row("", g.name(), "ended: " + g.end().reason(), "", "", "");
        t.print(System.out);
    }

    @Descriptor("tells what a machine is made of and what it does")
    public void info(CommandSession session, @Descriptor(MACHINE) String[] args) {
        Machine m = directory.onlyMachine(session, new Arguments("vm:info", MACHINE, args));
        PrintStream out = System.out;
        Map<String, String> stats = m.stats();
        out.println("machine       " + m.name());
        out.println("state         " + State.of(m));
        out.println("options       " + commandLine(m));
        out.println("time          " + stats.getOrDefault("time", "") + (stats.containsKey("rate") ? ", " + stats.get("rate") : ""));
        out.println("instructions  " + Units.count(stats.get("instructions")));
        out.println("exits         " + Units.count(m.inspector().exits().total()));
        for (Machine.SlotInfo s : m.slots()) {
            if (!s.kind().equals("device")) out.printf("%-12s  %s%n", s.slot(), Cards.describe(s));
        }
        long cards = m.slots().stream().filter(s -> s.kind().equals("device") && s.state().equals("active")).count();
        List<String> empty = m.slots().stream().filter(s -> !s.state().equals("active")).map(s -> s.slot() + " " + s.state()).toList();
        out.println("cards         " + cards + " devices" + (empty.isEmpty() ? "" : "; " + String.join(", ", empty)));
        List<String> consoles = MachineDirectory.consoleSlots(m);
        out.println("consoles      " + (consoles.isEmpty() ? "none" : String.join(", ", consoles)));
    }

    /** The options as they could be typed. */
    private static String commandLine(Machine m) {
        StringBuilder b = new StringBuilder();
        m.config().entrySet().stream().sorted(Map.Entry.comparingByKey()).forEach(e -> {
            for (String v : e.getValue()) {
                b.append(b.isEmpty() ? "-" : " -").append(e.getKey());
                if (!v.isEmpty()) b.append(' ').append(v.contains(" ") ? "'" + v + "'" : v);
            }
        });
        return b.toString();
    }

    @Descriptor("chooses the current machine of this session, or tells which it is")
    public void use(CommandSession session, @Descriptor(MACHINE) String[] args) {
        Machine m = directory.onlyMachine(session, new Arguments("vm:use", MACHINE, args));
        directory.use(session, m);
        System.out.println(m.name());
    }
}
