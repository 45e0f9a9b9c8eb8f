package org.backplane.itests.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** An unmodified Debian kernel with a busybox initramfs, as a user boots it. */
@NeedsGuests
class DebianGuestIT {
    private static final Duration BOOT = Duration.ofMinutes(20);

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void bootsToAShellRunsCommandsAndPowersOff(String mmu) throws Exception {
        bootAndUse("debian-" + mmu, mmu, "console=ttyS0" + DebianFiles.QUICK);
    }

    @Tag("full")
    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void bootsWithNothingLeftOut(String mmu) throws Exception {
        bootAndUse("debian-full-" + mmu, mmu, "console=ttyS0");
    }

    private static void bootAndUse(String name, String mmu, String commandLine) throws Exception {
        try (GuestProcess backplane = GuestProcess.run(name, List.of(
                "-kernel", DebianFiles.KERNEL.toString(),
                "-initrd", DebianFiles.INITRAMFS.toString(),
                "-append", commandLine,
                "-m", "256",
                "-serial", "stdio",
                "-display", "none",
                "-mmu", mmu))) {
            GuestShell shell = GuestShell.boot(backplane.serial(), BOOT);
            assertFalse(backplane.serial().text().matches("(?s).*(Call Trace:|BUG:|WARNING:).*"), "the kernel has nothing to complain about");
            assertEquals(commandLine, shell.run("cat /proc/cmdline"));
            assertEquals("two words", shell.run("echo two words"));
            assertTrue(shell.run("cat /proc/cpuinfo").matches("(?s).*flags\\s*:.* cx8 .* cmov .*"), "a CPU with CMPXCHG8B and CMOV");
            assertEquals(md5OfBusybox() + "  /bin/busybox", shell.run("md5sum /bin/busybox"));
            assertEquals("3.141592920354", shell.run("awk 'BEGIN {printf \"%.12f\", 355 / 113}'"), "a floating point unit");
            shell.run("i=0; while [ $i -lt 200 ]; do /bin/true; i=$((i+1)); done");
            assertEquals("200 processes", shell.run("echo $i processes"));
            assertEquals("98 of 98", shell.run("seq 98 | sort -n | sed p | uniq | wc -l | sed 's/$/ of 98/'"));
            shell.powerOff();
            assertEquals(0, backplane.status(Duration.ofSeconds(60)));
            assertEquals("", backplane.errors());
        }
    }

    private static String md5OfBusybox() throws Exception {
        byte[] digest = MessageDigest.getInstance("MD5").digest(Files.readAllBytes(DebianFiles.BUSYBOX));
        return HexFormat.of().formatHex(digest);
    }
}
