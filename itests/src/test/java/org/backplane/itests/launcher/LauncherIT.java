// SPDX-License-Identifier: Apache-2.0
package org.backplane.itests.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.backplane.itests.launcher.BackplaneProcess.Result;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The start script of the finished distribution, as a user calls it. */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "the start script is a shell script")
class LauncherIT {

    @TempDir
    Path directory;

    private BackplaneProcess backplane;

    @BeforeEach
    void prepare() {
        backplane = BackplaneProcess.built(directory);
    }

    private Result run(String... args) throws IOException, InterruptedException {
        return backplane.run(args);
    }

    @Test
    void helpAndVersionNeedNoContainer() throws Exception {
        assertTrue(run("help").out().contains("backplane run"));
        assertTrue(run("version").out().startsWith("Backplane 0.1.0"));
    }

    @Test
    void badUsageIsOneLineAndStatus2() throws Exception {
        assertEquals(new Result(2, "", "backplane: unknown option '--nope', see backplane help\n"), run("--nope"));
    }

    @Test
    void commandsPrintWhatTheyReturn() throws Exception {
        Result result = run("-c", "echo hello; [1 2]");
        assertEquals("hello\n1\n2\n\n", result.out());
        assertEquals(0, result.status());
    }

    @Test
    void aFailedCommandEndsTheScriptWithStatus1() throws Exception {
        Path script = Files.writeString(directory.resolve("s.gogo"), """
                # The block takes two lines.
                each [1 2] {
                  echo "n $it"
                }
                nosuchcommand
                echo never
                """);
        Result result = run("-f", script.toString());
        assertEquals("n 1\nn 2\n", result.out());
        assertTrue(result.err().endsWith("backplane: " + script + " line 5: no such command: nosuchcommand\n"), result.err());
        assertEquals(1, result.status());
    }

    @Test
    void aStatusOtherThanZeroIsAFailureToo() throws Exception {
        assertEquals(1, run("-c", "echo a | grep b").status());
    }

    @Test
    void scriptsHaveArgumentsAndAnExitStatus() throws Exception {
        Path script = Files.writeString(directory.resolve("s.gogo"), "echo $2 $1\nexit 7\necho never\n");
        Result result = run("-f", script.toString(), "a", "b");
        assertEquals("b a\n", result.out());
        assertEquals(7, result.status());
    }

    @Test
    void aCommandThatNoBundleBringsIsNamed() throws Exception {
        Result result = run("nosuchcommand");
        assertEquals(2, result.status());
        assertTrue(result.err().contains("backplane: no command 'nosuchcommand'"), result.err());
    }

    @Test
    void endsWhenToldToAndLeavesNoScratchFiles() throws Exception {
        Process process = backplane.start("-c", "echo up; sleep 60000");
        long limit = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (!backplane.output().contains("up")) {
            assertTrue(System.nanoTime() < limit, "comes up");
            Thread.sleep(50);
        }
        process.destroy();
        assertTrue(process.waitFor(15, TimeUnit.SECONDS), "ends");
        try (var left = Files.list(backplane.data())) {
            assertTrue(left.noneMatch(Files::isDirectory), "the scratch directory is gone");
        }
    }
}
