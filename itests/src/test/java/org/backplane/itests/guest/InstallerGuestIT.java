package org.backplane.itests.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.backplane.itests.harness.InContainer;
import org.backplane.kvm.spi.device.DisplaySource.Frame;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Debian's installer, unmodified, up to its first screen; the picture is in {@code target/guests/installer.png}. */
@Tag("full")
@NeedsGuests
@InContainer
class InstallerGuestIT {
    private static final Duration BOOT = Duration.ofMinutes(20);

    @Test
    void installerAsksForALanguageOnTheVgaScreen() throws Exception {
        try (ContainerGuest guest = ContainerGuest.start("installer", Map.of(
                "kernel", DebianFiles.KERNEL.toString(),
                "initrd", DebianFiles.INSTALLER.toString(),
                "append", "vga=normal fb=false",
                "m", "512"))) {
            String screen = awaitOnScreen(guest, "Select a language");
            assertTrue(screen.contains("English"), screen);
            Frame frame = guest.keepScreen();
            assertEquals(List.of(720, 400), List.of(frame.width(), frame.height()));
            guest.machine().sendKeys(List.of("ret"));
            awaitOnScreen(guest, "Select your location");
        }
    }

    private static String awaitOnScreen(ContainerGuest guest, String text) throws InterruptedException {
        long limit = System.nanoTime() + BOOT.toNanos();
        while (true) {
            String screen = String.join("\n", guest.machine().screenText());
            if (screen.contains(text)) return screen;
            assertTrue(System.nanoTime() < limit, "'" + text + "' does not come; there is:\n" + screen);
            Thread.sleep(200);
        }
    }
}
