package org.backplane.itests.guest;

import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A guest under {@code backplane run} of the finished distribution, with its first serial port on standard input and output. What it said, what the
 * process wrote on standard error and, if it had to be killed, what its threads were doing is kept in {@code target/guests}.
 */
final class GuestProcess implements AutoCloseable {
    private static final Path KEPT = Path.of("target", "guests");

    private final String name;
    private final Process process;
    private final SerialLine serial;
    private final Thread reader;

    private GuestProcess(String name, Process process) {
        this.name = name;
        this.process = process;
        serial = new SerialLine(this::type);
        reader = new Thread(this::read, "serial " + name);
        reader.setDaemon(true);
        reader.start();
    }

    /**
     * Starts it.
     *
     * @param name for the files that are kept
     */
    static GuestProcess run(String name, List<String> options) throws IOException {
        Files.createDirectories(KEPT);
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("backplane.dist"), "backplane").toString());
        command.addAll(List.of("--data", KEPT.resolve(name + ".data").toAbsolutePath().toString(), "run"));
        command.addAll(options);
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(KEPT.resolve(name + ".err").toFile());
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment().put("BACKPLANE_NO_CACHE", "1");
        return new GuestProcess(name, builder.start());
    }

    private void read() {
        try (InputStream in = process.getInputStream()) {
            byte[] buffer = new byte[8192];
            for (int n = in.read(buffer); n > 0; n = in.read(buffer)) serial.output(buffer, 0, n);
        } catch (IOException e) {
            // The process was killed; what it said is all there is.
        }
        serial.end();
    }

    private void type(byte[] bytes) {
        try {
            OutputStream in = process.getOutputStream();
            in.write(bytes);
            in.flush();
        } catch (IOException e) {
            throw new UncheckedIOException("nobody listens: the process has ended", e);
        }
    }

    SerialLine serial() {
        return serial;
    }

    /** Waits for the end; answers the exit status. By then {@link #serial} has everything. */
    int status(Duration patience) throws InterruptedException {
        if (!process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS)) fail(name + " did not end in " + patience.toSeconds() + " s");
        reader.join();
        return process.exitValue();
    }

    /** What the process wrote on standard error. */
    String errors() throws IOException {
        return Files.readString(KEPT.resolve(name + ".err"));
    }

    @Override
    public void close() throws IOException {
        try {
            if (process.isAlive()) {
                dumpThreads();
                process.destroyForcibly().waitFor();
            }
            reader.join();
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        serial.keep(KEPT.resolve(name + ".txt"));
    }

    /** The process is stuck, or its test failed: where was it? */
    private void dumpThreads() throws IOException, InterruptedException {
        new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(), String.valueOf(process.pid()), "Thread.print")
                .redirectErrorStream(true)
                .redirectOutput(KEPT.resolve(name + ".threads").toFile())
                .start()
                .waitFor(30, TimeUnit.SECONDS);
    }
}
