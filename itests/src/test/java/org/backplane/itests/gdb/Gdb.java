package org.backplane.itests.gdb;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/** The real gdb, typed at through a pipe. */
public final class Gdb implements AutoCloseable {
    private static final long PATIENCE_SECONDS = 60;

    private final Process process;
    private final StringBuilder said = new StringBuilder();
    private int marks, read;

    public Gdb() throws IOException {
        process = new ProcessBuilder("gdb", "-nx", "-q")
                .redirectErrorStream(true)
                .start();
        Thread reader = new Thread(this::read, "gdb output");
        reader.setDaemon(true);
        reader.start();
        run("set pagination off");
        run("set confirm off");
        run("set width 0");
    }

    /** Whether there is one. */
    public static boolean present() {
        try {
            return new ProcessBuilder("gdb", "--version").redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor() == 0;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private void read() {
        try (InputStream in = process.getInputStream()) {
            byte[] buffer = new byte[4096];
            for (int n = in.read(buffer); n > 0; n = in.read(buffer)) {
                synchronized (said) {
                    said.append(new String(buffer, 0, n, StandardCharsets.ISO_8859_1));
                    said.notifyAll();
                }
            }
        } catch (IOException e) {
            // It was killed; what it said is all there is.
        }
    }

    /** Executes a command, which may wait for the guest; answers what gdb said. */
    public String run(String command) throws IOException {
        start(command);
        return await();
    }

    /** Types a command and does not wait. */
    public void start(String command) throws IOException {
        OutputStream in = process.getOutputStream();
        in.write((command + "\necho \\n@" + ++marks + "@\\n\n").getBytes(StandardCharsets.UTF_8));
        in.flush();
    }

    /** Waits for the end of the command typed last; answers what gdb said. */
    public String await() {
        String mark = "\n@" + marks + "@\n";
        long limit = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        synchronized (said) {
            int at;
            while ((at = said.indexOf(mark, read)) < 0) {
                long left = (limit - System.nanoTime()) / 1_000_000;
                if (left <= 0) throw new AssertionError("gdb does not answer; it said last:\n" + said.substring(read));
                try {
                    said.wait(left);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new AssertionError(e);
                }
            }
            String answer = said.substring(read, at).replace("(gdb) ", "");
            read = at + mark.length();
            return answer.strip();
        }
    }

    /** Ctrl-C. */
    public void interrupt() throws IOException, InterruptedException {
        new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
    }

    /** Kills it, as a crash would. */
    @Override
    public void close() {
        process.destroyForcibly();
    }
}
