package org.backplane.board.backend;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.backplane.board.api.BoardException;

/** Makes character back ends from what users write: {@code null}, {@code file:PATH}, {@code console} and {@code stdio}. */
public final class CharBackends {
    private CharBackends() {}

    /**
     * @param key the option or property it was given with, for the error message
     * @param spec what was given; empty is {@code null}
     */
    public static CharBackend make(String key, String spec) throws BoardException {
        if (spec.isEmpty() || spec.equals("null") || spec.equals("none")) return new NullBackend();
        // The machine knows no terminal: standard input and output are a console that the front end attaches.
        if (spec.equals("console") || spec.equals("stdio")) return new ConsoleBackend();
        if (spec.startsWith("file:")) return new FileBackend(key, Path.of(spec.substring(5)));
        throw new BoardException(key + ": unknown character back end '" + spec + "' (stdio, console, file:PATH, null)");
    }

    private static final class NullBackend extends CharBackend {
        @Override
        public void write(int b) {}

        @Override
        public void flush() {}
    }

    private static final class FileBackend extends CharBackend {
        private final OutputStream out;
        private final byte[] buffer = new byte[8192];
        private int count;

        FileBackend(String key, Path path) throws BoardException {
            try {
                out = Files.newOutputStream(path);
            } catch (IOException e) {
                throw new BoardException(key + ": cannot write " + path + ": " + e.getMessage());
            }
        }

        @Override
        public void write(int b) {
            if (count == buffer.length) flush();
            buffer[count++] = (byte) b;
        }

        @Override
        public void flush() {
            if (count == 0) return;
            try {
                out.write(buffer, 0, count);
                count = 0;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void close() {
            flush();
            try {
                out.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
