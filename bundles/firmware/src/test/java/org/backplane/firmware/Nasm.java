package org.backplane.firmware;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Programs of the host that the tests use where they are installed. */
final class Nasm {
    private static final Path SOURCES = Path.of("src/main/asm");
    private static final Path TEST_SOURCES = Path.of("src/test/asm");

    private Nasm() {}

    /** Skips the test where the program is not installed. */
    static void assumeInstalled(String program) {
        boolean there = Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
                .anyMatch(d -> Files.isExecutable(Path.of(d, program)));
        assumeTrue(there, program + " is not installed");
    }

    /** Assembles as {@code scripts/assemble-firmware} does. */
    static byte[] assemble(Path directory, String source, Path to) throws Exception {
        Process p = new ProcessBuilder(List.of("nasm", "-f", "bin", "-i", directory + "/", "-o", to.toString(), directory.resolve(source).toString()))
                .redirectErrorStream(true)
                .start();
        String messages = new String(p.getInputStream().readAllBytes());
        assertEquals(0, p.waitFor(), messages);
        return Files.readAllBytes(to);
    }

    static Path sources(String directory) {
        return SOURCES.resolve(directory);
    }

    static Path testSources() {
        return TEST_SOURCES;
    }
}
