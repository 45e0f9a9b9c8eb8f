package org.backplane.itests.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Collections;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.backplane.board.api.Machine;
import org.backplane.itests.harness.InContainer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * From the first instruction of Linux on, shadow paging and two-dimensional paging take turns under it, without a pause between: while it boots, and
 * while processes fork, copy files and compute checksums that are known. One wrong byte, one lost dirty bit or one stale translation ends
 * in a wrong sum, a killed process or a complaint of the kernel.
 */
@NeedsGuests
@InContainer
@Tag("full")
class MmuSwapUnderLoadIT {
    private static final Duration BOOT = Duration.ofMinutes(20);

    /** Rounds of work, at least; it goes on until the last swap is done. */
    private static final int ROUNDS = 3;

    private static final int SUMS_A_ROUND = 4;

    private static final int SWAPS = 1000;
    private static final int PAUSE_MILLIS = 20;

    @Test
    void checksumsHoldOverAThousandSwaps() throws Exception {
        String sum = md5OfBusybox() + "  -";
        try (ContainerGuest guest = ContainerGuest.debian("mmu-swaps", "console=ttyS0" + DebianFiles.QUICK, Map.of("mmu", "shadow"))) {
            CompletableFuture<Void> swapper = CompletableFuture.runAsync(() -> swap(guest.machine()));
            GuestShell shell = GuestShell.boot(guest.serial(), BOOT);
            shell.run("m() { md5sum </bin/busybox & }");
            shell.run("c() { cp /bin/busybox /tmp/b; md5sum </tmp/b; rm /tmp/b; }");
            shell.run("f() { i=0; while [ $i -lt 20 ]; do /bin/true; i=$((i+1)); done; }");
            shell.run("r() { (m; m; m; f; c; wait); }");
            int rounds = 0;
            for (; rounds < ROUNDS || !swapper.isDone(); rounds++) {
                assertEquals(String.join("\n", Collections.nCopies(SUMS_A_ROUND, sum)), shell.run("r"), "round " + rounds);
            }
            swapper.get();
            assertEquals("none", shell.run("dmesg | grep -E 'BUG|Call Trace|WARNING|segfault' || echo none"));
            assertFalse(guest.serial().text().contains("Call Trace:"), "the kernel has nothing to complain about");
            assertTrue(rounds >= ROUNDS);
            shell.powerOff();
            guest.end(Duration.ofSeconds(60));
        }
    }

    /** Swaps to and fro. */
    private static void swap(Machine machine) {
        try {
            for (int i = 0; i < SWAPS; i++) {
                String to = i % 2 == 0 ? "direct" : "shadow";
                String report = machine.swap("mmu", to).to();
                assertTrue(report.contains(to), report);
                assertEquals(Machine.State.RUNNING, machine.state(), machine::stateDetail);
                Thread.sleep(PAUSE_MILLIS);
            }
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static String md5OfBusybox() throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("MD5").digest(Files.readAllBytes(DebianFiles.BUSYBOX)));
    }
}
