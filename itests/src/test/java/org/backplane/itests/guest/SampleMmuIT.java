package org.backplane.itests.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/**
 * {@code samples/vtlb-mmu} as its author builds it, with Maven and against published artifacts alone, tests included; then it is put under guests.
 *
 * <p>The artifacts are published to a Maven repository of the test's own. It is the user's, through links, for all that is not
 * Backplane's, so that nothing is fetched and nothing of the user's is changed.
 */
class SampleMmuIT {
    private static final Path ROOT = Path.of(System.getProperty("backplane.root"));
    private static final Path WORK = Path.of("target", "sample").toAbsolutePath();
    private static final Path REPOSITORY = WORK.resolve("repository");
    private static final String VERSION = System.getProperty("backplane.version");
    private static final Duration BOOT = Duration.ofMinutes(20), SOON = Duration.ofSeconds(120);
    private static final Path JAR = WORK.resolve("vtlb-mmu/target/vtlb-mmu-1.0.0.jar");

    @BeforeAll
    static void buildTheSample() throws Exception {
        deleteTree(WORK);
        Path groups = Files.createDirectories(REPOSITORY.resolve("org"));
        Path users = Path.of(System.getProperty("backplane.repository"));
        link(users, REPOSITORY, "org");
        link(users.resolve("org"), groups, "backplane");
        publish("bundles/kvm-api", "kvm-api", "pom.xml", "pom");
        publish("bundles/kvm-api", "kvm-api", "target/kvm-api-" + VERSION + ".jar", "jar");
        publish("bundles/kvm-api", "kvm-api", "target/kvm-api-" + VERSION + "-tests.jar", "tests.jar");
        publish("bundles", "bundles", "pom.xml", "pom");
        publish(".", "backplane", "pom.xml", "pom");
        copyTree(ROOT.resolve("samples/vtlb-mmu"), WORK.resolve("vtlb-mmu"));
        Path log = WORK.resolve("maven.log");
        ProcessBuilder maven = new ProcessBuilder(
                        Path.of(System.getProperty("backplane.maven"), "bin", "mvn").toString(),
                        "-B", "-o", "-Dbackplane.version=" + VERSION, "-Dmaven.repo.local=" + REPOSITORY, "package")
                .directory(WORK.resolve("vtlb-mmu").toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        Process p = maven.start();
        assertTrue(p.waitFor(10, TimeUnit.MINUTES), "Maven is still at it");
        assertEquals(0, p.exitValue(), () -> read(log));
        assertTrue(read(log).contains("VtlbMmuContractTest"), "the contract was tested");
    }

    private static void publish(String module, String artifact, String file, String suffix) throws IOException {
        Path directory = Files.createDirectories(REPOSITORY.resolve("org/backplane").resolve(artifact).resolve(VERSION));
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

    private static GuestProcess run(String name, String... options) throws IOException {
        List<String> all = new ArrayList<>(List.of("-bundle", JAR.toString(), "-mmu", "vtlb", "-display", "none", "-serial", "stdio"));
        all.addAll(List.of(options));
        return GuestProcess.run(name, all);
    }

    @Test
    void sampleRunsTheDemonstrationGuest() throws Exception {
        try (GuestProcess backplane = run("sample-demo", "-fda", "builtin:demo", "-m", "16")) {
            String said = backplane.serial().expect("[00003] up", SOON);
            assertFalse(said.contains("trouble 1"), said);
        }
    }

    @Tag("guest")
    @EnabledIf(value = "org.backplane.itests.guest.DebianFiles#present", disabledReason = "the Debian guests are not there")
    @Test
    void sampleBootsLinux() throws Exception {
        try (GuestProcess backplane = run(
                "sample-linux",
                "-kernel", DebianFiles.KERNEL.toString(),
                "-initrd", DebianFiles.INITRAMFS.toString(),
                "-append", "console=ttyS0" + DebianFiles.QUICK,
                "-m", "256")) {
            GuestShell shell = GuestShell.boot(backplane.serial(), BOOT);
            shell.run("i=0; while [ $i -lt 50 ]; do /bin/true; i=$((i+1)); done");
            assertEquals("50 processes", shell.run("echo $i processes"));
            assertEquals("none", shell.run("dmesg | grep -E 'BUG|Call Trace|WARNING' || echo none"));
            shell.powerOff();
            assertEquals(0, backplane.status(SOON));
        }
    }
}
