// SPDX-License-Identifier: Apache-2.0
package org.backplane.itests.launcher;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** The start script of a distribution, called as a user calls it; history, log and scratch files go to a directory of the test. */
public final class BackplaneProcess {
    private static final long LIMIT_SECONDS = 60;

    private final Path home;
    private final Path directory;
    private Path workingDirectory = Path.of("").toAbsolutePath();

    /** What came of a call. */
    public record Result(int status, String out, String err) {}

    /**
     * @param home the distribution
     * @param directory for what it writes
     */
    private BackplaneProcess(Path home, Path directory) {
        this.home = home;
        this.directory = directory;
    }

    /** The distribution that was built. */
    public static BackplaneProcess built(Path directory) {
        return new BackplaneProcess(dist(), directory);
    }

    /** A distribution that is somewhere else, called in a directory. */
    public static BackplaneProcess at(Path home, Path directory, Path workingDirectory) {
        BackplaneProcess p = new BackplaneProcess(home, directory);
        p.workingDirectory = workingDirectory;
        return p;
    }

    /** The same with {@code machines/} and {@code deploy/} of its own, empty. */
    static BackplaneProcess withOwnDirectories(Path directory) throws IOException {
        Path home = Files.createDirectories(directory.resolve("home"));
        Files.copy(dist().resolve("backplane"), home.resolve("backplane"));
        assertTrue(home.resolve("backplane").toFile().setExecutable(true));
        for (String part : new String[] {"etc", "lib", "system"}) copy(dist().resolve(part), Files.createDirectory(home.resolve(part)));
        Files.createDirectory(home.resolve("machines"));
        Files.createDirectory(home.resolve("deploy"));
        return new BackplaneProcess(home, directory);
    }

    /** Copies the files of a directory, but for the class cache, which holds for its own place only. */
    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.list(from)) {
            for (Path f : files.filter(f -> !f.getFileName().toString().startsWith("backplane.aot")).toList()) {
                Files.copy(f, to.resolve(f.getFileName()));
            }
        }
    }

    private static Path dist() {
        return Path.of(System.getProperty("backplane.dist"));
    }

    Path machines() {
        return home.resolve("machines");
    }

    Path deploy() {
        return home.resolve("deploy");
    }

    Path data() {
        return directory.resolve("data");
    }

    Process start(String... args) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(home.resolve("backplane").toAbsolutePath().toString());
        command.add("--data");
        command.add(data().toString());
        command.addAll(Arrays.asList(args));
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(workingDirectory.toFile())
                .redirectOutput(directory.resolve("out").toFile())
                .redirectError(directory.resolve("err").toFile());
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment().put("BACKPLANE_NO_CACHE", "1");
        // None of these processes lives long enough to gain by the second compiler.
        builder.environment().put("BACKPLANE_JAVA_OPTS", "-XX:TieredStopAtLevel=1");
        return builder.start();
    }

    /** Standard output so far. */
    String output() throws IOException {
        return Files.readString(directory.resolve("out"));
    }

    public Result run(String... args) throws IOException, InterruptedException {
        Process process = start(args);
        try {
            process.getOutputStream().close();
            assertTrue(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS), () -> "ends: " + Arrays.toString(args));
        } finally {
            process.destroyForcibly();
        }
        return new Result(process.exitValue(), output(), Files.readString(directory.resolve("err")));
    }
}
