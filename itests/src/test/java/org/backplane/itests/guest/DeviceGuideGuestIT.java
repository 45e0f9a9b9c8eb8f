package org.backplane.itests.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.backplane.itests.support.GuidePage;
import org.backplane.itests.support.GuidePage.Block;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Works through DEVICE-GUIDE.md in a clean clone, as its reader does: the blocks for a terminal one by one, those for Backplane's shell in one session that
 * runs beside. What was said is kept in {@code target/device-guide}.
 *
 * <p>The session is a script: before each block it waits for a file that the test makes when it is that block's turn.
 */
@NeedsGuests
@Tag("full")
class DeviceGuideGuestIT {
    private static final Path ROOT = Path.of(System.getProperty("backplane.root"));
    private static final Path WORK = Path.of("target", "device-guide").toAbsolutePath();
    private static final Path CLONE = WORK.resolve("clone");
    private static final Duration SH = Duration.ofMinutes(10), SHELL = Duration.ofMinutes(6);

    /** How long a reader needs to go from one terminal to the other; deploy/ has been looked at by then. */
    private static final long WALK_MILLIS = 4000;

    private Path repository;
    private Process session;

    @BeforeEach
    void cloneIt() throws Exception {
        assumeTrue(Files.exists(ROOT.resolve(".git")), "the sources are no git repository");
        SampleBuild.deleteTree(WORK);
        Files.createDirectories(WORK);
        repository = SampleBuild.repositoryWithoutBackplane(WORK);
        run(WORK, "git", "clone", "-q", ROOT.toString(), CLONE.toString());
        Files.createSymbolicLink(CLONE.resolve(".guests"), DebianFiles.KERNEL.getParent().getParent().toAbsolutePath());
    }

    @AfterEach
    void endTheSession() throws Exception {
        if (session != null) {
            session.destroy();
            if (!session.waitFor(20, TimeUnit.SECONDS)) session.destroyForcibly().waitFor();
        }
    }

    @Test
    void pathOfTheGuideLeadsToACardInALinux() throws Exception {
        List<Block> blocks = GuidePage.blocks(CLONE.resolve("DEVICE-GUIDE.md"));
        Path script = Files.writeString(WORK.resolve("session.gogo"), script(blocks));
        for (int i = 0; i < blocks.size(); i++) {
            Block b = blocks.get(i);
            if (!b.shell()) {
                run(CLONE, "bash", "-euo", "pipefail", "-c", b.text());
                continue;
            }
            if (session == null) session = backplane(script).start();
            Thread.sleep(WALK_MILLIS);
            Files.createFile(turn(i));
            await("block " + i + " is done");
        }
        assertEquals(0, session.waitFor(30, TimeUnit.SECONDS) ? session.exitValue() : -1, this::said);
        List<Integer> seen = numbers("^0x000000(..)$", 16), kept = numbers("\\bcount=(\\d+)\\b", 10);
        assertEquals(2, seen.size(), this::said);
        assertTrue(seen.getFirst() > 5, () -> "it counted: " + said());
        assertEquals(seen.getFirst(), seen.getLast(), "the guest reads the old state from the new code");
        assertEquals(seen, kept, this::said);
        assertTrue(Pattern.compile("read +count").matcher(said()).find(), this::said);
    }

    private List<Integer> numbers(String pattern, int radix) {
        return Pattern.compile(pattern, Pattern.MULTILINE).matcher(said()).results().map(r -> Integer.parseInt(r.group(1), radix)).toList();
    }

    private static String script(List<Block> blocks) {
        StringBuilder s = new StringBuilder();
        for (int i = 0; i < blocks.size(); i++) {
            if (!blocks.get(i).shell()) continue;
            // Directory and name: with one argument Gogo may take it for a URI.
            s.append("while { not { (new java.io.File ").append(WORK).append(' ').append(turn(i).getFileName()).append(") exists } } { sleep 1 }\n");
            for (String command : blocks.get(i).commands()) s.append("echo '> ").append(command.replace("'", "")).append("'\n").append(command).append('\n');
            s.append("echo block ").append(i).append(" is done\n");
        }
        return s.toString();
    }

    private static Path turn(int block) {
        return WORK.resolve("turn-" + block);
    }

    private void await(String line) throws Exception {
        long limit = System.nanoTime() + SHELL.toNanos();
        while (!said().contains(line + "\n")) {
            assertTrue(session.isAlive(), this::said);
            assertTrue(System.nanoTime() < limit, this::said);
            Thread.sleep(200);
        }
    }

    private String said() {
        try {
            return Files.readString(WORK.resolve("session.txt"));
        } catch (IOException e) {
            return e.toString();
        }
    }

    private ProcessBuilder backplane(Path script) {
        ProcessBuilder b = new ProcessBuilder(CLONE.resolve("backplane").toString(), "--data", WORK.resolve("data").toString(), "-f", script.toString())
                .directory(CLONE.toFile())
                .redirectErrorStream(true)
                .redirectOutput(WORK.resolve("session.txt").toFile());
        return environment(b);
    }

    private ProcessBuilder environment(ProcessBuilder b) {
        b.environment().put("JAVA_HOME", System.getProperty("java.home"));
        b.environment().put("MAVEN_OPTS", "-Dmaven.repo.local=" + repository);
        b.environment().put("BACKPLANE_NO_CACHE", "1");
        b.environment().remove("BACKPLANE_NO_BUILD");
        return b;
    }

    /** Runs a block of the guide, which must succeed. */
    private void run(Path directory, String... command) throws Exception {
        Path output = WORK.resolve("sh.txt");
        Files.writeString(output, "$ " + command[command.length - 1] + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        long before = Files.size(output);
        Process p = environment(new ProcessBuilder(command))
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(output.toFile()))
                .start();
        boolean ended = p.waitFor(SH.toSeconds(), TimeUnit.SECONDS);
        if (!ended) p.destroyForcibly();
        String text = Files.readString(output).substring((int) before);
        if (ended && p.exitValue() != 0) {
            SampleBuild.NO_REGISTRY.matcher(text).results().findFirst().ifPresent(m -> abort("a registry does not answer: " + m.group()));
        }
        assertTrue(ended && p.exitValue() == 0, text);
    }
}
