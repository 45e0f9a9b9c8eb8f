package org.backplane.shell;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.apache.felix.service.command.CommandSession;
import org.backplane.board.api.Machine;
import org.jline.terminal.Attributes;
import org.jline.terminal.Attributes.LocalFlag;
import org.jline.terminal.Terminal;
import org.jline.utils.NonBlockingReader;

/**
 * A serial console on the terminal: every key goes to the guest, Ctrl-C too, until the user leaves or the machine ends. The terminal is then as it was.
 *
 * <p><b>Threading.</b> {@link #run} reads keys on the caller's thread; output is written on the machine's.
 */
final class ConsoleSession {
    private static final int CTRL_A = 1, CTRL_RIGHT_BRACKET = 0x1d;

    /** Shown on arrival: a screenful of what was said before. */
    private static final int BACKLOG = 4096;

    private static final long POLL_MILLIS = 100;

    private final Machine machine;
    private final String slot;
    private final ConsoleTap tap;
    private final Terminal terminal;

    ConsoleSession(Machine machine, String slot, ConsoleTap tap, Terminal terminal) {
        this.machine = machine;
        this.slot = slot;
        this.tap = tap;
        this.terminal = terminal;
    }

    /** The terminal of a session, if a person sits at it. */
    static Optional<Terminal> terminal(CommandSession session) {
        return session.get(".terminal") instanceof Terminal t && !t.getType().startsWith(Terminal.TYPE_DUMB) ? Optional.of(t) : Optional.empty();
    }

    void run() throws IOException {
        Attributes saved = terminal.enterRawMode();
        Attributes raw = new Attributes(terminal.getAttributes());
        raw.setLocalFlag(LocalFlag.ISIG, false);
        terminal.setAttributes(raw);
        OutputStream out = terminal.output();
        ConsoleTap.Follower follower = (bytes, offset, length) -> write(out, bytes, offset, length);
        try {
            print("[" + machine.name() + " " + slot + ": Ctrl-] or Ctrl-A d leaves]\r\n");
            tap.follow(follower, BACKLOG);
            String why = pump(terminal.reader());
            print("\r\n[" + why + "]\r\n");
        } finally {
            tap.unfollow(follower);
            terminal.setAttributes(saved);
        }
    }

    private static void write(OutputStream out, byte[] bytes, int offset, int length) {
        try {
            out.write(bytes, offset, length);
            out.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void print(String text) throws IOException {
        terminal.output().write(text.getBytes(StandardCharsets.UTF_8));
        terminal.output().flush();
    }

    /** Sends keys; answers why it ended. */
    private String pump(NonBlockingReader keys) throws IOException {
        boolean escaped = false;
        while (true) {
            int key = keys.read(POLL_MILLIS);
            if (key == NonBlockingReader.EOF) return "the terminal is gone";
            if (machine.state() == Machine.State.ENDED) return machine.name() + " has ended: " + machine.stateDetail();
            if (key == NonBlockingReader.READ_EXPIRED) continue;
            if (escaped) {
                escaped = false;
                switch (key) {
                    case 'd', 'D', 'x' -> {
                        return "left; " + machine.name() + " is " + State.of(machine);
                    }
                    case 'a', CTRL_A -> send(CTRL_A);
                    case 'r' -> machine.reset();
                    case 's' -> print("\r\n" + String.join("\r\n", machine.screenText()) + "\r\n");
                    default -> print("\r\n[Ctrl-A d leaves, Ctrl-A a sends Ctrl-A, Ctrl-A s shows the screen, Ctrl-A r resets]\r\n");
                }
            } else if (key == CTRL_A) {
                escaped = true;
            } else if (key == CTRL_RIGHT_BRACKET) {
                return "left; " + machine.name() + " is " + State.of(machine);
            } else {
                send(key);
            }
        }
    }

    private void send(int character) {
        tap.input(String.valueOf((char) character).getBytes(StandardCharsets.UTF_8));
    }
}
