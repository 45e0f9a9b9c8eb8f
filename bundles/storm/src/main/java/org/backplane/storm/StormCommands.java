package org.backplane.storm;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine;
import org.backplane.board.api.Machines;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code card:storm}. The shell has to be there: the reference says so. */
@Component(
        service = StormCommands.class,
        property = {"osgi.command.scope=card", "osgi.command.function=storm"})
public final class StormCommands {
    private static final String SYNTAX = "[MACHINE] [COUNT[,SLOT…][,seed=N]|off]";

    private final Machines machines;
    private final StormFrontEnd storms;

    @Activate
    public StormCommands(@Reference Machines machines, @Reference StormFrontEnd storms, @Reference CommandProcessor shell) {
        this.machines = machines;
        this.storms = storms;
    }

    @Descriptor("replaces cards at random while the guest runs: starts it, ends it, or tells how far it is")
    public void storm(CommandSession session, @Descriptor(SYNTAX) String[] args) throws BoardException {
        Deque<String> left = new ArrayDeque<>(List.of(args));
        Machine m = machine(session, left);
        if (left.size() > 1) throw new BoardException("usage: card:storm " + SYNTAX);
        Optional<Storm> storm = storms.of(m);
        if (left.isEmpty()) {
            System.out.println(storm.map(s -> describe(m, s)).orElse(m.name() + ": no storm (card:storm 100 makes one of 100 swaps)"));
        } else if (left.peek().equals("off")) {
            boolean rages = storm.isPresent() && !storm.get().over();
            storm.ifPresent(Storm::stop);
            System.out.println(m.name() + (rages ? ": the storm ends" : ": there is no storm"));
        } else {
            System.out.println(describe(m, storms.start(m, left.pop())));
        }
    }

    private static String describe(Machine m, Storm s) {
        return m.name() + ": " + (s.over() ? "over" : "a storm of " + s.plan().count()) + ", seed " + s.plan().seed() + ": " + s.lines().get("storm");
    }

    /** The machine that the first argument names; else the shell's current one, else the newest. */
    private Machine machine(CommandSession session, Deque<String> args) throws BoardException {
        if (!args.isEmpty()) {
            Optional<Machine> named = machines.find(args.peek());
            if (named.isPresent()) {
                args.pop();
                return named.get();
            }
        }
        Object current = session.get("machine");
        List<Machine> all = machines.list();
        Optional<Machine> chosen = current == null ? Optional.empty() : machines.find(current.toString());
        if (chosen.isEmpty() && all.isEmpty()) throw new BoardException("there is no machine");
        return chosen.orElseGet(all::getLast);
    }
}
