package org.backplane.x86.isa.oracle;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/**
 * Recorded results: a CRC-32 per instruction form over the outcomes of all its cases, each checked against a real CPU when it
 * was recorded.
 *
 * <p>Where {@link HostCpu} runs, tests compare case by case with it; everywhere they compare the digest of our own results, so
 * that other hosts still assert every case. Recording: run the test with {@code -Dbackplane.record=DIRECTORY}.
 */
public final class Digests {
    private final String name;
    private final Map<String, String> recorded = new TreeMap<>();
    private final Map<String, String> seen = new TreeMap<>();

    /** Reads the resource {@code name} of the package of {@code owner}; a missing one is empty. */
    public Digests(Class<?> owner, String name) {
        this.name = name;
        try (InputStream in = owner.getResourceAsStream(name)) {
            if (in == null) return;
            for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8).split("\n")) {
                int space = line.lastIndexOf(' ');
                if (space > 0) recorded.put(line.substring(0, space), line.substring(space + 1));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The recorded digest of a form, or null. While recording: the given one. */
    public synchronized String expected(String form, long digest) {
        String text = String.format("%08x", digest);
        seen.put(form, text);
        return directory() != null ? text : recorded.get(form);
    }

    /** Writes the file when recording. */
    public synchronized void save() {
        if (directory() == null) return;
        StringBuilder b = new StringBuilder();
        seen.forEach((form, digest) -> b.append(form).append(' ').append(digest).append('\n'));
        try {
            Files.writeString(Path.of(directory(), name), b);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String directory() {
        return System.getProperty("backplane.record");
    }
}
