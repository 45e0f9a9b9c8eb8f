package org.backplane.board.backend;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.backplane.board.api.BoardException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

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
        public boolean discards() {
            return true;
        }

        @Override
        public void write(int b) {}

        @Override
        public void flush() {}
    }

    /** A file. When it cannot be written any more (the disk is full) that is reported once, and the rest of the output is lost. */
    private static final class FileBackend extends CharBackend {
        private static final Logger LOG = LoggerFactory.getLogger(FileBackend.class);

        private final Path path;
        private final OutputStream out;
        private boolean broken;
        private final byte[] buffer = new byte[8192];
        private int count;

        FileBackend(String key, Path path) throws BoardException {
            this.path = path;
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
                if (!broken) out.write(buffer, 0, count);
            } catch (IOException e) {
                broken(e);
            }
            count = 0;
        }

        private void broken(IOException e) {
            if (!broken) LOG.error("{} cannot be written, output is lost: {}", path, e.getMessage());
            broken = true;
        }

        @Override
        public void close() {
            flush();
            try {
                out.close();
            } catch (IOException e) {
                broken(e);
            }
        }
    }
}
