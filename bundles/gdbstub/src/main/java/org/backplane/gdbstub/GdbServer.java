package org.backplane.gdbstub;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A port where gdb can attach to one machine: one at a time, and the next when that has gone. A second one is turned away.
 *
 * <p><b>Threading.</b> A thread waits for connections, another serves the one that is there.
 */
final class GdbServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(GdbServer.class);

    private final Machine machine;
    private final ServerSocket socket;
    private final MonitorConsole console;
    private final ListenAddress address;

    /** Guarded by this. */
    private Session session;

    private GdbServer(Machine machine, ServerSocket socket, ListenAddress address, MonitorConsole console) {
        this.machine = machine;
        this.socket = socket;
        this.address = address;
        this.console = console;
    }

    /** Opens a port. */
    static GdbServer open(Machine machine, ListenAddress wanted, MonitorConsole console) throws BoardException {
        ServerSocket socket = null;
        try {
            socket = new ServerSocket();
            socket.setReuseAddress(true);
            socket.bind(wanted.socket());
        } catch (IOException e) {
            close(socket);
            throw new BoardException("gdb: cannot listen at " + wanted + ": " + e.getMessage());
        }
        GdbServer server = new GdbServer(machine, socket, new ListenAddress(wanted.host(), socket.getLocalPort()), console);
        machine.ended().thenAccept(e -> server.ended(e.status()));
        thread("gdb-" + machine.name() + "-port", server::accept);
        LOG.info("machine {}: gdb can attach: target remote {}", machine.name(), server.address);
        return server;
    }

    private static void thread(String name, Runnable task) {
        Thread t = new Thread(task, name);
        t.setDaemon(true);
        t.start();
    }

    /** Where it listens, with the port that it got. */
    ListenAddress address() {
        return address;
    }

    private void accept() {
        while (!socket.isClosed()) {
            try {
                serve(socket.accept());
            } catch (IOException e) {
                if (!socket.isClosed()) LOG.warn("machine {}: gdb: {}", machine.name(), e.toString());
            }
        }
    }

    private synchronized void serve(Socket client) throws IOException {
        if (session != null || socket.isClosed()) {
            LOG.warn("machine {}: a second gdb from {} is turned away", machine.name(), client.getRemoteSocketAddress());
            client.close();
            return;
        }
        Session s = new Session(machine, new Connection(client), console);
        session = s;
        if (machine.ended().isDone()) s.machineEnded(machine.ended().join().status());
        thread("gdb-" + machine.name(), () -> {
            try {
                s.run();
            } finally {
                gone(s);
            }
        });
    }

    private synchronized void ended(int status) {
        if (session != null) session.machineEnded(status);
    }

    private synchronized void gone(Session s) {
        if (session == s) session = null;
    }

    /** Nobody can attach any more. */
    void closePort() {
        close(socket);
    }

    /** That, and the session that is there ends; the guest goes on. */
    @Override
    public void close() {
        closePort();
        synchronized (this) {
            if (session != null) session.close();
        }
    }

    private static void close(ServerSocket s) {
        try {
            if (s != null) s.close();
        } catch (IOException e) {
            // It listens no more either way.
        }
    }
}
