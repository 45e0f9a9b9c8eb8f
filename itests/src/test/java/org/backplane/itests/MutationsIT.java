package org.backplane.itests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** {@code itests/mutations}: what breaks a rule of the processor, the MMU or the emulator is noticed by the test that it names. */
class MutationsIT {
    private static final Path ROOT = Path.of(System.getProperty("backplane.root"));

    /** Runs the script; what it printed is the message if it fails. */
    private static void run(int minutes, String... options) throws IOException, InterruptedException {
        Path log = Path.of("target", "mutations.log").toAbsolutePath();
        ProcessBuilder script = new ProcessBuilder(ROOT.resolve("itests/mutations/run").toString())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        script.command().addAll(List.of(options));
        Map<String, String> environment = script.environment();
        environment.put("JAVA_HOME", System.getProperty("java.home"));
        environment.merge("PATH", Path.of(System.getProperty("backplane.maven"), "bin").toString(), (old, maven) -> maven + File.pathSeparator + old);
        environment.merge(
                "MAVEN_OPTS", "-Dmaven.repo.local=" + System.getProperty("backplane.repository"), (old, repository) -> old + " " + repository);
        Process p = script.start();
        boolean ended = p.waitFor(minutes, TimeUnit.MINUTES);
        if (!ended) {
            p.descendants().forEach(ProcessHandle::destroyForcibly);
            p.destroyForcibly().waitFor();
        }
        String printed = Files.readString(log);
        assertTrue(ended, () -> "still at it after " + minutes + " minutes:\n" + printed);
        assertEquals(0, p.exitValue(), printed);
    }

    @Test
    void everyPatchAppliesAndNamesATest() throws Exception {
        run(5, "--check");
    }

    @Test
    @Tag("full")
    void everyMutationIsKilled() throws Exception {
        run(60);
    }
}
