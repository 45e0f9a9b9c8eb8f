package org.backplane.itests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.backplane.board.api.ExitStats;
import org.backplane.board.api.Machine;
import org.backplane.board.api.Machines;
import org.backplane.board.api.PauseStats;
import org.backplane.itests.harness.InContainer;
import org.backplane.itests.support.GuestProgram;
import org.backplane.itests.support.Osgi;
import org.backplane.itests.support.OtherVersion;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleEvent;
import org.osgi.framework.SynchronousBundleListener;

/**
 * The measured pauses against two other clocks: the host's, less the virtual one, says how long the guest stood still in all; and the guest, which looks for
 * gaps in its time-stamp counter, sees none of it.
 */
@InContainer
class PausesIT {
    private static final long LOOKS = 0x200000;
    private static final long SECOND = 1_000_000_000;

    @TempDir
    Path directory;

    private Machine machine;
    private Bundle pit;

    @AfterEach
    void close() {
        machine.stop();
        if (pit != null && !pit.getVersion().toString().equals("0.1.0")) OtherVersion.restore(pit);
    }

    /** What the guest has counted. */
    private record Looks(long longestNanos, long count) {}

    private Looks looks() {
        ByteBuffer b = ByteBuffer.wrap(machine.readPhysical(LOOKS, 8)).order(ByteOrder.LITTLE_ENDIAN);
        return new Looks(Integer.toUnsignedLong(b.getInt()), Integer.toUnsignedLong(b.getInt()));
    }

    private void awaitLooks(long more) {
        long before = looks().count;
        Osgi.await("the guest looks at its clock", () -> looks().count >= before + more);
    }

    private static long total(PauseStats p) {
        return p.swaps().totalNanos() + p.requests().totalNanos();
    }

    @Test
    void thePausesAreWhatTheVirtualClockLeavesOutAndTheGuestDoesNotSee() throws Exception {
        pit = Osgi.bundle("org.backplane.dev-pit");
        Path kernel = Files.write(directory.resolve("kernel"), GuestProgram.multibootOf("clock.txt"));
        machine = Osgi.service(Machines.class).create("clock", Map.of("m", List.of("8"), "kernel", List.of(kernel.toString())));
        machine.start();
        awaitLooks(1000);

        PauseStats before = machine.pauses();
        ExitStats begin = machine.inspector().exits();
        updateThatTakes(SECOND);
        awaitLooks(1000);
        Bundle other = OtherVersion.installBeside(Osgi.bundle("org.backplane.x86-emulate"), "0.2.0");
        long swap;
        try {
            swap = machine.swap("emulator", "interpreter@0.2.0").pauseNanos();
            assertEquals(swap, machine.pauses().sideBySide().maxNanos());
            awaitLooks(1000);
            machine.swap("emulator", "interpreter@0.1.0");
        } finally {
            other.uninstall();
        }
        ExitStats end = machine.inspector().exits();
        // A swap answers when its pause is over, and so are those before it.
        machine.swap("mmu", "shadow");
        PauseStats after = machine.pauses();

        assertEquals(1, after.inPlace().count());
        assertTrue(after.inPlace().maxNanos() >= SECOND, after::toString);
        assertEquals(3, after.sideBySide().count());
        assertTrue(swap > 0 && swap < SECOND / 2, "side by side: " + swap);
        assertEquals(List.of("emulator", "mmu", "pit"), after.slots().stream().map(PauseStats.Slot::slot).toList());

        long stood = end.atNanos() - begin.atNanos() - (end.guestNanos() - begin.guestNanos());
        long measured = total(after) - total(before);
        String figures = "the virtual clock stood for " + stood + " ns, the pauses were " + measured + " ns: " + after;
        assertTrue(stood >= SECOND && measured >= stood && measured < stood + SECOND / 2, figures);
        assertTrue(looks().longestNanos < SECOND / 2, () -> "the guest saw a gap of " + looks());
    }

    /** Between the leaving of the old version and the coming of the new one so much time passes at least. */
    private void updateThatTakes(long nanos) {
        SynchronousBundleListener slow = e -> {
            if (e.getType() != BundleEvent.UPDATED) return;
            try {
                Thread.sleep(nanos / 1_000_000);
            } catch (InterruptedException x) {
                Thread.currentThread().interrupt();
            }
        };
        Osgi.context().addBundleListener(slow);
        try {
            OtherVersion.update(pit, "0.3.0");
        } finally {
            Osgi.context().removeBundleListener(slow);
        }
    }
}
