package org.backplane.shell;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.felix.service.command.CommandSession;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine;
import org.backplane.board.api.Machines;
import org.jline.reader.LineReader;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * What all commands share: which machine is meant, the consoles that somebody listens to, and how machines ended that are no longer there.
 *
 * <p><b>The current machine</b> of a session is the one it created or chose last; else the only one; else the one that was created last.
 *
 * <p>It is there as long as the bundle, unlike the commands: Declarative Services makes those when they are called and drops them afterwards.
 *
 * <p><b>Threading.</b> Any thread.
 */
@Component(service = MachineDirectory.class, immediate = true)
public final class MachineDirectory {
    /** Session variable that holds the name of the current machine. */
    static final String CURRENT = "machine";

    private static final int ENDED_KEPT = 16;

    private final Machines machines;

    /** Consoles by machine and slot; those of a machine that has ended stay with it in {@link #gone}. */
    private final Map<Machine, Map<String, ConsoleTap>> taps = new ConcurrentHashMap<>();

    /** The last machines that ended, by name, the oldest first. */
    private final Map<String, Gone> gone = new LinkedHashMap<>();

    /** A machine that is no longer there. */
    record Gone(String name, Machine.End end, Map<String, ConsoleTap> consoles) {}

    @Activate
    public MachineDirectory(@Reference Machines machines) {
        this.machines = machines;
    }

    Machines machines() {
        return machines;
    }

    /** Creates a machine and makes it the session's current one. */
    Machine create(CommandSession session, String name, Map<String, List<String>> config) {
        Machine m;
        try {
            m = machines.create(name, config);
        } catch (BoardException e) {
            throw new CommandException(e.getMessage(), e);
        }
        synchronized (gone) {
            gone.remove(name);
        }
        listen(m);
        m.ended().thenAccept(end -> announce(session, name, end));
        use(session, m);
        return m;
    }

    /** Listens to all consoles from the first character on. */
    private void listen(Machine m) {
        consoles(m);
        for (String slot : consoleSlots(m)) {
            try {
                tap(m, slot);
            } catch (CommandException e) {
                // The slot's card is not there yet; whoever wants its console will be told.
            }
        }
    }

    /** Tells a person at the prompt how a machine ended; a script asks by {@code vm:wait}. */
    private static void announce(CommandSession session, String name, Machine.End end) {
        if (session.get(".reader") instanceof LineReader reader && reader.isReading()) {
            reader.printAbove((end.report().isEmpty() ? "" : end.report().stripTrailing() + "\n") + name + " has ended: " + end.reason());
        }
    }

    private void remember(Machine m, Machine.End end) {
        Map<String, ConsoleTap> consoles = taps.remove(m);
        synchronized (gone) {
            gone.remove(m.name());
            gone.put(m.name(), new Gone(m.name(), end, consoles == null ? Map.of() : consoles));
            if (gone.size() > ENDED_KEPT) gone.remove(gone.keySet().iterator().next());
        }
    }

    /** Those that ended, the oldest first, without those of which there is a new one. */
    List<Gone> gone() {
        List<Gone> all;
        synchronized (gone) {
            all = new ArrayList<>(gone.values());
        }
        all.removeIf(g -> machines.find(g.name()).isPresent());
        return all;
    }

    Optional<Gone> gone(String name) {
        return gone().stream().filter(g -> g.name().equals(name)).findFirst();
    }

    void use(CommandSession session, Machine m) {
        session.put(CURRENT, m.name());
    }

    /**
     * The machine that a command is about: the next argument if it names one, else the current one.
     *
     * @param needed how many arguments must be left for others
     */
    Machine machine(CommandSession session, Arguments arguments, int needed) {
        if (arguments.left() > needed) {
            Optional<Machine> named = machines.find(arguments.peek());
            if (named.isPresent()) {
                arguments.take();
                return named.get();
            }
        }
        return current(session);
    }

    /** The machine of a command that takes nothing but its name. */
    Machine onlyMachine(CommandSession session, Arguments arguments) {
        if (arguments.peek().startsWith("-")) throw arguments.usage();
        Optional<String> name = arguments.takeIfAny();
        arguments.end();
        return name.isPresent() ? named(name.get()) : current(session);
    }

    Machine named(String name) {
        return machines.find(name).orElseThrow(() -> new CommandException("there is no machine '" + name + "'" + thereIs()));
    }

    Machine current(CommandSession session) {
        return currentIfAny(session).orElseThrow(() -> new CommandException("there is no machine: vm:demo boots one, vm:create makes one"));
    }

    Optional<Machine> currentIfAny(CommandSession session) {
        Object chosen = session.get(CURRENT);
        if (chosen != null) {
            Optional<Machine> m = machines.find(chosen.toString());
            if (m.isPresent()) return m;
        }
        List<Machine> all = machines.list();
        return all.isEmpty() ? Optional.empty() : Optional.of(all.getLast());
    }

    private String thereIs() {
        List<String> names = machines.list().stream().map(Machine::name).toList();
        return names.isEmpty() ? ", and no other" : " (there is: " + String.join(", ", names) + ")";
    }

    // ---- consoles ----

    /** Slots of a machine with a console for us. */
    static List<String> consoleSlots(Machine m) {
        return m.slots().stream()
                .filter(s -> List.of("console", "stdio").contains(s.properties().getOrDefault("chardev", "")))
                .map(Machine.SlotInfo::slot)
                .toList();
    }

    /** The tap of a slot's console, attached on first use. */
    ConsoleTap tap(Machine m, String slot) {
        return consoles(m).computeIfAbsent(slot, x -> {
            ConsoleTap t = new ConsoleTap();
            try {
                t.connect(m.attachConsole(slot, t));
            } catch (BoardException e) {
                throw new CommandException(e.getMessage(), e);
            }
            return t;
        });
    }

    private Map<String, ConsoleTap> consoles(Machine m) {
        Map<String, ConsoleTap> fresh = new ConcurrentHashMap<>();
        Map<String, ConsoleTap> known = taps.putIfAbsent(m, fresh);
        if (known != null) return known;
        m.ended().thenAccept(end -> remember(m, end));
        return fresh;
    }
}
