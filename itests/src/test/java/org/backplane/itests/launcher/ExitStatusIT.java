// SPDX-License-Identifier: Apache-2.0
package org.backplane.itests.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.backplane.itests.launcher.BackplaneProcess.Result;
import org.backplane.itests.support.GuestProgram;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** How {@code backplane run} ends, and what it says then. */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "the start script is a shell script")
class ExitStatusIT {
    @TempDir
    Path directory;

    private BackplaneProcess backplane;

    @BeforeEach
    void prepare() {
        backplane = BackplaneProcess.built(directory);
    }

    private String kernel(String source) throws Exception {
        return Files.write(directory.resolve("kernel"), GuestProgram.multiboot(source)).toString();
    }

    private static final String HELLO = """
            66 BA F8 03         ; mov dx, 0x3f8
            B0 48               ; mov al, 'H'
            EE                  ; out dx, al
            B0 69               ; mov al, 'i'
            EE                  ; out dx, al
            B0 0A               ; mov al, 10
            EE                  ; out dx, al
        """;

    @Test
    void theGuestChoosesByIsaDebugExit() throws Exception {
        String guest = kernel(HELLO + """
                66 BA 01 05     ; mov dx, 0x501
                B0 15           ; mov al, 0x15
                EE              ; out dx, al
            """);
        assertEquals(new Result(0x15 << 1 | 1, "Hi\n", ""), backplane.run("run", "-kernel", guest, "-device", "isa-debug-exit"));
    }

    @Test
    void powerOffIs0() throws Exception {
        // ACPI: SLP_EN with the type that the DSDT gives for S5, into PM1 control.
        String guest = kernel(HELLO + """
                66 BA 04 06     ; mov dx, 0x604
                66 B8 00 34     ; mov ax, 1 << 13 | 5 << 10
                66 EF           ; out dx, ax
            loop:
                F4              ; hlt
                EB >loop        ; jmp loop
            """);
        assertEquals(new Result(0, "Hi\n", ""), backplane.run("run", "-kernel", guest, "-timeout", "20"));
    }

    @Test
    void resetWithNoRebootIs0() throws Exception {
        String guest = kernel(HELLO + """
                B0 FE           ; mov al, 0xfe
                E6 64           ; out 0x64, al
            loop:
                F4              ; hlt
                EB >loop        ; jmp loop
            """);
        assertEquals(new Result(0, "Hi\n", ""), backplane.run("run", "-kernel", guest, "-no-reboot", "-timeout", "20"));
    }

    @Test
    void timeoutIs124AndTellsWhereTheGuestWas() throws Exception {
        String guest = kernel(HELLO + """
            loop:
                EB >loop        ; jmp loop
            """);
        Result r = backplane.run("run", "-kernel", guest, "-timeout", "0.5");
        assertEquals(124, r.status(), r.err());
        assertEquals("Hi\n", r.out());
        assertTrue(r.err().matches("backplane: timeout after 0\\.5 s, the guest was at [0-9a-f]{4}:0010002d .*\n"), r.err());
    }

    @Test
    void aTripleFaultWithNoRebootIs3WithAReport() throws Exception {
        String guest = kernel(HELLO + """
                0F 01 1D $none  ; lidt [none]
                0F 0B           ; ud2
            none:
                00 00 00 00 00 00
            """);
        Result r = backplane.run("run", "-kernel", guest, "-no-reboot");
        assertEquals(3, r.status(), r.err());
        assertEquals("Hi\n", r.out());
        assertTrue(r.err().startsWith("guest ended: triple fault\n"), r.err());
        assertTrue(r.err().contains("rip=0000000000100034"), r.err());
        assertTrue(r.err().contains("code: 0f 0b"), r.err());
    }

    @Test
    void aTripleFaultResetsTheMachineOtherwise() throws Exception {
        String guest = kernel(HELLO + """
                0F 01 1D $none  ; lidt [none]
                0F 0B           ; ud2
            none:
                00 00 00 00 00 00
            """);
        Result r = backplane.run("run", "-kernel", guest, "-timeout", "1");
        assertEquals(124, r.status(), r.err());
        assertTrue(r.out().startsWith("Hi\nHi\n"), r.out());
    }

    /** SIGTERM ends the guest in order; what it has said is not lost. */
    @Test
    void aSignalEndsItInOrder() throws Exception {
        String guest = kernel(HELLO + """
            loop:
                EB >loop        ; jmp loop
            """);
        Process process = backplane.start("run", "-kernel", guest, "-serial", "file:" + directory.resolve("serial"));
        long limit = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (!Files.exists(directory.resolve("serial")) || Files.size(directory.resolve("serial")) < 3) {
            assertTrue(System.nanoTime() < limit, "the guest says something");
            Thread.sleep(50);
        }
        process.destroy();
        assertTrue(process.waitFor(15, TimeUnit.SECONDS), "ends");
        assertEquals("Hi\n", Files.readString(directory.resolve("serial")));
        try (var left = Files.list(backplane.data())) {
            assertTrue(left.noneMatch(Files::isDirectory), "the scratch directory is gone");
        }
    }
}
