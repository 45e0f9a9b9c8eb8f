package org.backplane.itests.guest;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.backplane.board.api.PauseStats;
import org.backplane.itests.harness.InContainer;
import org.backplane.itests.support.CardLoaders;
import org.backplane.itests.support.Footprint;
import org.backplane.itests.support.Storms;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Ten thousand swaps of every card that Linux uses, while it prints numbered lines and paints the screen: not a character is lost, its clock is right,
 * its pauses are short, and nothing stays of two thousand versions.
 *
 * <p>The limits of the pauses hold on a machine that has nothing else to do.
 */
@Tag("full")
@NeedsGuests
@InContainer
class StormUnderLinuxIT {
    private static final Duration BOOT = Duration.ofMinutes(10);
    private static final Duration STORM = Duration.ofMinutes(40);

    private static final int SWAPS = 10_000;
    private static final String CARDS = ",com1,vga,pit,pic,rtc,i8042,mmu,emulator,cpu-backend";

    /** They must last longer than the storm. */
    private static final int LINES = 200_000;

    private static final int FEW_SWAPS = 200, FEW_LINES = 10_000;

    private static final double MOST_P99_SIDE_BY_SIDE_MILLIS = 5, MOST_P99_IN_PLACE_MILLIS = 25;

    /** What passes between the guest's look at its clock and the host's. */
    private static final double SLACK_SECONDS = 0.3;

    @TempDir
    Path directory;

    private ContainerGuest guest;
    private GuestShell shell;

    /** Clocks of both sides, in seconds. */
    private record Clocks(double guest, double host) {}

    @Test
    void tenThousandSwapsUnderLinuxLoseNothingAndLeaveNothing() throws Exception {
        Path debug = directory.resolve("debugcon");
        String commandLine = "console=ttyS0" + DebianFiles.QUICK;
        try (ContainerGuest started = ContainerGuest.debian("storm-full", commandLine, Map.of("debugcon", "file:" + debug));
                CardLoaders loaders = new CardLoaders()) {
            guest = started;
            shell = GuestShell.boot(guest.serial(), BOOT);
            shell.run("sed -n '/^lines() {/,/^}/p' /init >/tmp/lines; . /tmp/lines");
            // Afterwards all that swaps, the guest's work and this test need is there.
            print(FEW_LINES, FEW_SWAPS);
            clocks();
            Footprint before = Footprint.now();
            PauseStats pausesBefore = guest.machine().pauses();
            Clocks clocksBefore = clocks();
            print(LINES, SWAPS);
            assertClocks(clocksBefore, clocks(), pausesBefore, guest.machine().pauses());

            Footprint after = Footprint.now();
            System.out.println("before: " + before + "; after: " + after);
            after.assertLittleMoreThan(before);
            loaders.assertAtMostOneOldEach();
            assertTrue(loaders.count() > SWAPS / 10, "class loaders came: " + loaders.count());
            CardsAtWork.assertScreen(guest, LINES);
            CardsAtWork.assertAllWork(guest, shell, debug);
            assertPauses(guest.machine().pauses());
        }
    }

    /** The guest prints lines, and meanwhile there is a storm from its beginning to its end. */
    private void print(int lines, int swaps) throws Exception {
        shell.start("lines " + lines);
        CompletableFuture<String> storm = CompletableFuture.supplyAsync(() -> rage(swaps));
        String printed = guest.serial().expect("LINES-DONE " + lines + "\r\n", STORM);
        assertTrue(storm.isDone(), "the guest printed faster than cards were replaced: it needs more lines");
        guest.serial().expect(GuestShell.PROMPT, BOOT);
        assertTrue(storm.join().contains(": " + swaps + " swaps, 0 failed, "), storm.join());
        NumberedLines.assertComplete(lines, printed);
    }

    private String rage(int swaps) {
        try {
            return Storms.rage(guest.machine(), swaps + ",seed=" + swaps + CARDS, STORM);
        } catch (Exception e) {
            throw new CompletionException(e);
        }
    }

    private Clocks clocks() {
        String uptime = shell.run("cat /proc/uptime");
        return new Clocks(Double.parseDouble(uptime.split(" ")[0]), System.nanoTime() / 1e9);
    }

    /** The guest's clock stood still as long as the guest did, and no longer. */
    private static void assertClocks(Clocks before, Clocks after, PauseStats pausesBefore, PauseStats pausesAfter) {
        double lost = after.host - before.host - (after.guest - before.guest);
        double paused = (total(pausesAfter) - total(pausesBefore)) / 1e9;
        String figures = String.format("the guest's clock lost %.3f s, pauses were %.3f s", lost, paused);
        System.out.println(figures + "; " + pausesAfter);
        assertTrue(lost <= paused + SLACK_SECONDS && lost >= -SLACK_SECONDS, figures);
    }

    private static long total(PauseStats p) {
        return p.swaps().totalNanos() + p.requests().totalNanos();
    }

    private static void assertPauses(PauseStats p) {
        assertTrue(p.sideBySide().p99Nanos() / 1e6 <= MOST_P99_SIDE_BY_SIDE_MILLIS, () -> "side by side: " + p.sideBySide());
        assertTrue(p.inPlace().p99Nanos() / 1e6 <= MOST_P99_IN_PLACE_MILLIS, () -> "in place: " + p.inPlace());
    }
}
