// SPDX-License-Identifier: Apache-2.0
package org.backplane.itests.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.backplane.itests.launcher.BackplaneProcess.Result;
import org.backplane.itests.support.GuestProgram;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** {@code backplane run -storm}. */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "the start script is a shell script")
class StormRunIT {
    @TempDir
    Path directory;

    /** The demonstration guest never ends: what is over after ten swaps is the storm. */
    @Test
    void statisticsEndWithTheStorm() throws Exception {
        Result r = BackplaneProcess.built(directory)
                .run("run", "-fda", "builtin:demo", "-serial", "null", "-timeout", "10", "-stats", "-storm", "10,com1,mmu,seed=7");
        List<String> lines = r.err().lines().toList();
        assertEquals("storm.seed: 7", lines.get(lines.size() - 2), r.err());
        assertTrue(lines.getLast().matches("storm: 10 swaps, 0 failed, p50 [\\d.]+ ms, p99 [\\d.]+ ms, max [\\d.]+ ms"), r.err());
        assertEquals(124, r.status());
    }

    @Test
    void aGuestThatEndsEndsItsStorm() throws Exception {
        byte[] exit = GuestProgram.multiboot(
                """
                B9 00 00 00 08 ; mov ecx, 0x8000000
                wait:
                49 ; dec ecx
                75 >wait ; jnz wait
                B0 00 ; mov al, 0
                E6 F4 ; out 0xf4, al
                """);
        Path kernel = Files.write(directory.resolve("kernel"), exit);
        Result r = BackplaneProcess.built(directory)
                .run("run", "-kernel", kernel.toString(), "-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-serial", "null", "-stats",
                        "-storm", "1000000");
        assertEquals(1, r.status(), r.err());
        assertTrue(r.err().lines().toList().getLast().matches("storm: \\d+ swaps, 0 failed, .*"), r.err());
    }
}
