package org.backplane.itests.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Builds projects of {@code samples/} as their authors do: with Maven, each by its own pom and against published artifacts alone, tests included.
 *
 * <p>The artifacts are published to a Maven repository of the test's own. It is the user's, through links, for all that is not
 * Backplane's, so that nothing is fetched and nothing of the user's is changed.
 */
final class SampleBuild {
    private static final Path ROOT = Path.of(System.getProperty("backplane.root"));
    private static final String VERSION = System.getProperty("backplane.version");

    private final Path work;
    private final Path repository;

    /** @param name of the directory below {@code target/} where all is done; what was there is deleted */
    SampleBuild(String name) throws IOException {
        work = Path.of("target", name).toAbsolutePath();
        repository = work.resolve("repository");
        deleteTree(work);
        Path groups = Files.createDirectories(repository.resolve("org"));
        Path users = Path.of(System.getProperty("backplane.repository"));
        link(users, repository, "org");
        link(users.resolve("org"), groups, "backplane");
        publish("bundles", "bundles", "pom.xml", "pom");
        publish(".", "backplane", "pom.xml", "pom");
    }

    /** Publishes a bundle of {@code bundles/}, with the jar of its tests if it has one. */
    SampleBuild publish(String bundle) throws IOException {
        String module = "bundles/" + bundle;
        String jar = "target/" + bundle + "-" + VERSION;
        publish(module, bundle, "pom.xml", "pom");
        publish(module, bundle, jar + ".jar", "jar");
        if (Files.exists(ROOT.resolve(module).resolve(jar + "-tests.jar"))) publish(module, bundle, jar + "-tests.jar", "tests.jar");
        return this;
    }

    /**
     * Builds a sample whose version is 1.0.0.
     *
     * @param test that has to run in it
     * @return its bundle
     */
    Path build(String sample, String test) throws IOException, InterruptedException {
        copyTree(ROOT.resolve("samples").resolve(sample), work.resolve(sample));
        Path log = work.resolve(sample + ".log");
        ProcessBuilder maven = new ProcessBuilder(
                        Path.of(System.getProperty("backplane.maven"), "bin", "mvn").toString(),
                        "-B", "-o", "-Dbackplane.version=" + VERSION, "-Dmaven.repo.local=" + repository, "package")
                .directory(work.resolve(sample).toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        Process p = maven.start();
        assertTrue(p.waitFor(10, TimeUnit.MINUTES), "Maven is still at it");
        assertEquals(0, p.exitValue(), () -> read(log));
        assertTrue(read(log).contains(test), test + " ran");
        return work.resolve(sample).resolve("target").resolve(sample + "-1.0.0.jar");
    }

    private void publish(String module, String artifact, String file, String suffix) throws IOException {
        Path directory = Files.createDirectories(repository.resolve("org/backplane").resolve(artifact).resolve(VERSION));
        String separator = suffix.equals("tests.jar") ? "-" : ".";
        Files.copy(ROOT.resolve(module).resolve(file), directory.resolve(artifact + "-" + VERSION + separator + suffix));
    }

    private static void link(Path from, Path to, String except) throws IOException {
        try (Stream<Path> entries = Files.list(from)) {
            for (Path e : entries.toList()) {
                String name = e.getFileName().toString();
                if (!name.equals(except)) Files.createSymbolicLink(to.resolve(name), e.toAbsolutePath());
            }
        }
    }

    private static void copyTree(Path from, Path to) throws IOException {
        try (Stream<Path> all = Files.walk(from)) {
            for (Path p : all.toList()) {
                Path relative = from.relativize(p);
                if (relative.startsWith("target")) continue;
                if (Files.isDirectory(p)) Files.createDirectories(to.resolve(relative));
                else Files.copy(p, to.resolve(relative), StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }

    /** Links are removed, not followed. */
    private static void deleteTree(Path root) throws IOException {
        if (!Files.exists(root)) return;
        List<Path> paths;
        try (Stream<Path> all = Files.walk(root)) {
            paths = new ArrayList<>(all.toList());
        }
        for (Path p : paths.reversed()) Files.delete(p);
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }
}
