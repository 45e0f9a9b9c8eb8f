package org.backplane.itests.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import org.backplane.itests.gdb.Gdb;
import org.backplane.itests.gdb.NeedsGdb;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** gdb at a running Linux, with the addresses that the kernel itself gives for its symbols. */
@NeedsGuests
@NeedsGdb
@Tag("full")
class GdbGuestIT {
    private static final Duration BOOT = Duration.ofMinutes(20);

    @Test
    void breaksStepsWatchesAndInterruptsTheKernelWhichGoesOn() throws Exception {
        debug("shadow");
    }

    @Test
    void doesTheSameWithTwoDimensionalPaging() throws Exception {
        debug("direct");
    }

    private static void debug(String mmu) throws Exception {
        int port = freePort();
        try (GuestProcess backplane = GuestProcess.run("gdb-" + mmu, List.of(
                        "-kernel", DebianFiles.KERNEL.toString(),
                        "-initrd", DebianFiles.INITRAMFS.toString(),
                        "-append", "console=ttyS0" + DebianFiles.QUICK,
                        "-m", "256",
                        "-serial", "stdio",
                        "-display", "none",
                        "-mmu", mmu,
                        "-gdb", "tcp::" + port));
                Gdb gdb = new Gdb()) {
            GuestShell shell = GuestShell.boot(backplane.serial(), BOOT);
            String uname = symbol(shell, "__ia32_sys_newuname");
            gdb.run("target remote 127.0.0.1:" + port);

            gdb.run("break *0x" + uname);
            gdb.start("continue");
            shell.start("uname -r");
            String stop = gdb.await();
            assertTrue(stop.contains("Breakpoint 1, 0x" + uname), stop);
            assertEquals("0x60", hex(gdb.run("print/x $cs")), "the kernel's code segment");
            assertTrue(gdb.run("info registers cr0").contains("PG"), "paging is on");
            assertTrue(gdb.run("x/4xb 0").contains("Cannot access memory at address 0x0"), "memory that is not mapped");
            String answer = hex(gdb.run("print/x *(int *) $eax"));
            long before = Long.decode(hex(gdb.run("print/x $eip")));
            gdb.run("stepi");
            long after = Long.decode(hex(gdb.run("print/x $eip")));
            assertTrue(after > before && after <= before + 15, "the next instruction: " + before + " to " + after);
            gdb.run("stepi 20");
            gdb.run("delete");

            // EAX was the user's registers, EBX among them is where the answer goes: sysname, nodename, release of 65 bytes each.
            gdb.run("watch *(char *) " + answer);
            String change = gdb.run("continue");
            assertTrue(change.contains("New value = 76 'L'"), change);
            gdb.run("delete");
            gdb.start("continue");
            String release = backplane.serial().expect(GuestShell.PROMPT, Duration.ofSeconds(60)).strip();
            assertTrue(release.startsWith("6.1."), release);
            gdb.interrupt();
            stop = gdb.await();
            assertTrue(stop.contains("SIGINT"), stop);
            gdb.run("detach");

            assertEquals("detached", shell.run("echo detached"));
            shell.powerOff();
            assertEquals(0, backplane.status(Duration.ofSeconds(60)));
        }
    }

    private static String symbol(GuestShell shell, String name) {
        String line = shell.run("grep -w " + name + " /proc/kallsyms | head -1");
        assertTrue(line.matches("[0-9a-f]{8} . " + name), line);
        return line.substring(0, 8);
    }

    private static String hex(String printed) {
        return printed.replaceFirst("(?s).*= ", "");
    }

    private static int freePort() throws IOException {
        try (ServerSocket s = new ServerSocket(0)) {
            return s.getLocalPort();
        }
    }
}
