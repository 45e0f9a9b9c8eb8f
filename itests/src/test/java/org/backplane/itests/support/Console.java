package org.backplane.itests.support;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** What goes to standard error, where the log of the container is, while a test runs; it still goes there. */
public final class Console implements AutoCloseable {
    private final PrintStream before = System.err;
    private final ByteArrayOutputStream said = new ByteArrayOutputStream();

    public Console() {
        System.setErr(new PrintStream(
                new ByteArrayOutputStream() {
                    @Override
                    public synchronized void write(int b) {
                        said.write(b);
                        before.write(b);
                    }

                    @Override
                    public synchronized void write(byte[] b, int offset, int length) {
                        said.write(b, offset, length);
                        before.write(b, offset, length);
                    }
                },
                true,
                StandardCharsets.UTF_8));
    }

    /** Waits for a line that matches. */
    public void await(String regex) {
        Osgi.await("a line '" + regex + "'", () -> said.toString(StandardCharsets.UTF_8).lines().anyMatch(l -> l.matches(".*" + regex + ".*")));
    }

    @Override
    public void close() {
        System.setErr(before);
    }
}
