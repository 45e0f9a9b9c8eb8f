package org.backplane.gdbstub;

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

/** {@code vm:gdb}. The shell has to be there: the reference says so. */
@Component(
        service = GdbCommands.class,
        property = {"osgi.command.scope=vm", "osgi.command.function=gdb"})
public final class GdbCommands {
    private static final String SYNTAX = "[MACHINE] [tcp:[HOST]:PORT|off]";

    private final Machines machines;
    private final GdbStub stub;

    @Activate
    public GdbCommands(@Reference Machines machines, @Reference GdbStub stub, @Reference CommandProcessor shell) {
        this.machines = machines;
        this.stub = stub;
    }

    @Descriptor("lets gdb attach to a machine; says where it can, or ends that")
    public void gdb(CommandSession session, @Descriptor(SYNTAX) String[] args) throws BoardException {
        Deque<String> left = new ArrayDeque<>(List.of(args));
        Machine m = machine(session, left);
        if (left.size() > 1) throw new BoardException("usage: vm:gdb " + SYNTAX);
        if (left.isEmpty()) {
            Optional<ListenAddress> at = stub.address(m);
            System.out.println(at.isPresent() ? "target remote " + at.get() : m.name() + ": no port is open (vm:gdb tcp::1234)");
        } else if (left.peek().equals("off")) {
            System.out.println(m.name() + (stub.close(m) ? ": gdb's port is closed" : ": no port was open"));
        } else {
            System.out.println("target remote " + stub.open(m, ListenAddress.parse(left.pop())));
        }
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
