package org.backplane.cli;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine;

/**
 * Standard input and output as a guest's serial console, with QEMU's escapes where they are switched on.
 *
 * <p><b>Threading.</b> Output comes on the machine's thread; input is read by a thread of its own, a daemon, because a read of standard input cannot
 * be cut short.
 */
final class SerialTerminal implements AutoCloseable {
    private static final int ESCAPE = 1;
    private static final String HELP = "\r\nC-a h    print this help\r\nC-a x    exit\r\nC-a s    screen as text\r\n"
            + "C-a r    reset\r\nC-a C-a  send C-a\r\n";

    private final Machine machine;
    private final boolean escapes;
    private final OutputStream out = new FileOutputStream(FileDescriptor.out);
    private final Machine.Console console;
    private final Thread pump;
    private boolean escaped;
    private volatile boolean closed;

    /** @param escapes Ctrl-A is ours ({@code -nographic}) */
    SerialTerminal(Machine machine, String slot, boolean escapes) throws BoardException {
        this.machine = machine;
        this.escapes = escapes;
        console = machine.attachConsole(slot, out::write);
        pump = new Thread(this::pump, "serial-input");
        pump.setDaemon(true);
        pump.start();
    }

    private void pump() {
        InputStream in = new FileInputStream(FileDescriptor.in);
        byte[] buffer = new byte[4096];
        try {
            for (int n = in.read(buffer); n > 0 && !closed; n = in.read(buffer)) {
                if (escapes) filter(buffer, n);
                else console.input(Arrays.copyOf(buffer, n));
            }
        } catch (IOException e) {
            // Standard input is gone; the guest runs on without it.
        }
    }

    private void filter(byte[] bytes, int n) throws IOException {
        byte[] passed = new byte[n];
        int count = 0;
        for (int i = 0; i < n; i++) {
            int b = bytes[i];
            if (escaped) {
                escaped = false;
                if (b == ESCAPE) passed[count++] = ESCAPE;
                else command(b);
            } else if (b == ESCAPE) {
                escaped = true;
            } else {
                passed[count++] = bytes[i];
            }
        }
        if (count > 0) console.input(Arrays.copyOf(passed, count));
    }

    private void command(int key) throws IOException {
        switch (key) {
            case 'x' -> machine.stop();
            case 'r' -> machine.reset();
            case 's' -> print(String.join("\r\n", machine.screenText()) + "\r\n");
            case 'h', '?' -> print(HELP);
            default -> print("\r\nunknown command, C-a h for help\r\n");
        }
    }

    private void print(String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public void close() {
        closed = true;
        console.close();
    }
}
