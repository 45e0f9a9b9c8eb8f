package org.backplane.gdbstub;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine;
import org.backplane.board.api.MachineFrontEnd;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;

/** The ports of all machines: opened because the machine's options say so, or by command; closed when the machine ends or this bundle stops. */
@Component(service = {MachineFrontEnd.class, GdbStub.class}, immediate = true)
public final class GdbStub implements MachineFrontEnd {
    private final Map<Machine, GdbServer> servers = new ConcurrentHashMap<>();
    private volatile MonitorConsole console = MonitorConsole.NONE;

    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
    void setConsole(MonitorConsole shell) {
        console = shell;
    }

    void unsetConsole(MonitorConsole shell) {
        console = MonitorConsole.NONE;
    }

    @Override
    public Set<String> options() {
        return Set.of("s", "gdb");
    }

    @Override
    public void attach(Machine machine) throws BoardException {
        List<String> gdb = machine.config().get("gdb");
        if (gdb != null && gdb.getFirst().equals("none")) return;
        open(machine, gdb == null ? ListenAddress.DEFAULT : ListenAddress.parse(gdb.getFirst()));
    }

    /** Opens a machine's port, in place of one that it may have; answers where it is. */
    ListenAddress open(Machine machine, ListenAddress address) throws BoardException {
        close(machine);
        GdbServer s = GdbServer.open(machine, address, (m, line) -> console.execute(m, line));
        servers.put(machine, s);
        // Also if it has ended meanwhile. A session tells its gdb by itself.
        machine.ended().thenRun(() -> {
            servers.remove(machine, s);
            s.closePort();
        });
        return s.address();
    }

    Optional<ListenAddress> address(Machine machine) {
        return Optional.ofNullable(servers.get(machine)).map(GdbServer::address);
    }

    /** Closes a machine's port; an attached gdb is let go and the guest goes on. */
    boolean close(Machine machine) {
        GdbServer s = servers.remove(machine);
        if (s != null) s.close();
        return s != null;
    }

    @Deactivate
    void stop() {
        servers.keySet().forEach(this::close);
    }
}
