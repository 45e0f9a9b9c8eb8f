package org.backplane.itests.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Builds projects of cards as their authors do: with Maven, each by its own pom and against published artifacts alone, tests included.
 *
 * <p>The artifacts are those of the distribution's {@code repository/}. Maven's local repository is the test's own: the user's, through links, for all
 * that is not Backplane's, so that nothing is fetched and nothing of the user's is changed.
 */
final class SampleBuild {
    private static final Path ROOT = Path.of(System.getProperty("backplane.root"));
    private static final String VERSION = System.getProperty("backplane.version");

    /** What Maven says when a registry does not answer. */
    static final Pattern NO_REGISTRY =
            Pattern.compile(".*Could not transfer (artifact|metadata) .*|.*Unknown host.*|.*Connection (refused|timed out|reset).*");

    private final Path work;
    private final Path repository;

    /** @param name of the directory below {@code target/} where all is done; what was there is deleted */
    SampleBuild(String name) throws IOException {
        work = Path.of("target", name).toAbsolutePath();
        deleteTree(work);
        repository = repositoryWithoutBackplane(work);
        copyTree(Path.of(System.getProperty("backplane.dist"), "repository", "org", "backplane"), repository.resolve("org/backplane"));
    }

    /** Makes a local repository for Maven in a directory: the user's, through links, for all that is not Backplane's. */
    static Path repositoryWithoutBackplane(Path directory) throws IOException {
        Path repository = directory.resolve("repository");
        Path groups = Files.createDirectories(repository.resolve("org"));
        Path users = Path.of(System.getProperty("backplane.repository"));
        link(users, repository, "org");
        link(users.resolve("org"), groups, "backplane");
        return repository;
    }

    /**
     * Builds a sample whose version is 1.0.0.
     *
     * @param tests that have to run in it
     * @return its bundle
     */
    Path build(String sample, String... tests) throws IOException, InterruptedException {
        Path project = work.resolve(sample);
        copyTree(ROOT.resolve("samples").resolve(sample), project);
        String log = maven(project, "-Dbackplane.version=" + VERSION, "package");
        for (String test : tests) assertTrue(log.contains(test), test + " ran");
        return project.resolve("target").resolve(sample + "-1.0.0.jar");
    }

    /** Where projects are. */
    Path work() {
        return work;
    }

    /** Runs Maven on a project, without registries, which must succeed; answers what it said. */
    String maven(Path project, String... arguments) throws IOException, InterruptedException {
        Path log = work.resolve(project.getFileName() + ".log");
        List<String> all = new ArrayList<>(List.of("-o"));
        all.addAll(List.of(arguments));
        assertEquals(0, status(project, log, all), () -> read(log));
        return read(log);
    }

    /** The same with registries; skips the test if there is none that answers. */
    String mavenWithRegistries(Path project, String... arguments) throws IOException, InterruptedException {
        Path log = work.resolve(project.getFileName() + ".log");
        int status = status(project, log, List.of(arguments));
        if (status != 0) NO_REGISTRY.matcher(read(log)).results().findFirst().ifPresent(m -> abort("a registry does not answer: " + m.group()));
        assertEquals(0, status, () -> read(log));
        return read(log);
    }

    private int status(Path project, Path log, List<String> arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("backplane.maven"), "bin", "mvn").toString(), "-B", "-Dmaven.repo.local=" + repository));
        command.addAll(arguments);
        Process p = new ProcessBuilder(command)
                .directory(project.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        if (!p.waitFor(10, TimeUnit.MINUTES)) p.destroyForcibly();
        assertTrue(!p.isAlive(), "Maven is still at it");
        return p.exitValue();
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
    static void deleteTree(Path root) throws IOException {
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
