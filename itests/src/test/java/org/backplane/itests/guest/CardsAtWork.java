package org.backplane.itests.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.TreeSet;
import org.backplane.kvm.spi.device.DisplaySource.Frame;

/** That the cards of a Linux guest do their work, after whatever was done to them. */
final class CardsAtWork {
    private static final Duration SOON = Duration.ofSeconds(60);

    private CardsAtWork() {}

    /** The screen shows what the guest painted while it printed so many lines. */
    static void assertScreen(ContainerGuest guest, int count) throws IOException {
        assertEquals(NumberedLines.screen(count), guest.machine().screenText().stream().map(String::stripTrailing).toList());
        Frame frame = guest.keepScreen();
        int rowHeight = frame.height() / NumberedLines.SCREEN_ROWS;
        int textWidth = NumberedLines.screen(count).getFirst().length() * frame.width() / 80;
        for (int row = 0; row < NumberedLines.SCREEN_ROWS; row++) {
            TreeSet<Integer> colors = new TreeSet<>();
            for (int y = row * rowHeight; y < (row + 1) * rowHeight; y++) {
                for (int x = 0; x < textWidth; x++) colors.add(frame.pixels()[y * frame.width() + x] & 0xffffff);
            }
            assertEquals(new TreeSet<>(List.of(0, NumberedLines.color(count, row))), colors, "colours of row " + row);
        }
    }

    /**
     * Serial line, timer, interrupt controller, clock, keyboard, screen and debug port, each once; then power-off.
     *
     * @param debug the file of the debug console
     */
    static void assertAllWork(ContainerGuest guest, GuestShell shell, Path debug) throws Exception {
        assertEquals("slept", shell.run("sleep 1; echo slept"));
        assertTrue(Integer.parseInt(shell.run("date +%s -d \"$(cat /sys/class/rtc/rtc0/date) 12:00\"")) > 1_700_000_000, "the RTC has a date");
        shell.start("read word </dev/tty1; echo \"got $word\"");
        guest.machine().type("keyboard\n");
        guest.serial().expect("got keyboard\r\n", SOON);
        guest.serial().expect(GuestShell.PROMPT, SOON);
        for (char c : "debug".toCharArray()) shell.run("printf " + c + " | dd of=/dev/port bs=1 seek=233 2>/dev/null");
        shell.run("printf '\\033[H\\033[Jpainted' >/dev/tty1");
        assertEquals("painted", guest.machine().screenText().getFirst().stripTrailing());
        shell.powerOff();
        assertEquals(0, guest.end(SOON).status());
        assertEquals("debug", Files.readString(debug));
    }
}
