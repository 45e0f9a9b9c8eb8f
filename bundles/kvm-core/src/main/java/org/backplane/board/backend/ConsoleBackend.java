package org.backplane.board.backend;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.backplane.board.api.Machine.Console;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A console: people attach to it and detach. What is written while nobody is attached is kept, the last 64 KiB of it, and given to the next
 * one who comes.
 */
public final class ConsoleBackend extends CharBackend {
    private static final int KEPT = 64 * 1024;
    private static final Logger LOG = LoggerFactory.getLogger(ConsoleBackend.class);

    private final List<Attached> attached = new CopyOnWriteArrayList<>();
    private byte[] pending = new byte[4096];
    private int count;

    @Override
    public synchronized void write(int b) {
        if (count == pending.length) {
            if (!attached.isEmpty()) {
                flush();
            } else if (pending.length < KEPT) {
                pending = Arrays.copyOf(pending, pending.length * 2);
            } else {
                System.arraycopy(pending, KEPT / 2, pending, 0, KEPT / 2);
                count = KEPT / 2;
            }
        }
        pending[count++] = (byte) b;
    }

    @Override
    public synchronized void flush() {
        if (count == 0 || attached.isEmpty()) return;
        for (Attached a : attached) {
            try {
                a.output.write(pending, 0, count);
            } catch (IOException | RuntimeException e) {
                LOG.warn("a console was detached: {}", e.getMessage());
                attached.remove(a);
            }
        }
        count = 0;
    }

    /** Attaches somebody. */
    public Console attach(Console.Output output) {
        Attached a = new Attached(output);
        attached.add(a);
        flush();
        return a;
    }

    private final class Attached implements Console {
        private final Output output;

        Attached(Output output) {
            this.output = output;
        }

        @Override
        public void input(byte[] bytes) {
            ConsoleBackend.this.input(bytes);
        }

        @Override
        public void close() {
            flush();
            attached.remove(this);
        }
    }
}
