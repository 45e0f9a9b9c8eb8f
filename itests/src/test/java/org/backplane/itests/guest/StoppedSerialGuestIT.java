package org.backplane.itests.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Map;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine;
import org.backplane.itests.harness.InContainer;
import org.backplane.itests.support.Osgi;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;

/** The serial bundle stops while Linux uses it: what happens is the slot's policy. {@code MissingCardIT} shows it in small. */
@NeedsGuests
@InContainer
@Tag("full")
class StoppedSerialGuestIT {
    private static final Duration BOOT = Duration.ofMinutes(10);
    private static final Duration SOON = Duration.ofSeconds(120);
    private static final int LINES = 3_000;

    private ContainerGuest guest;
    private Bundle serial;

    @Test
    void withPauseNothingIsLostAndWithFloatTheGuestGoesOn() throws Exception {
        String commandLine = "console=ttyS0" + DebianFiles.QUICK + " printk.devkmsg=on backplane.keep backplane.test=lines:" + LINES;
        try (ContainerGuest started = ContainerGuest.debian("stopped-serial", commandLine, Map.of())) {
            guest = started;
            serial = Osgi.bundle("org.backplane.dev-serial");
            guest.serial().expect("BACKPLANE-GUEST-READY", BOOT);
            guest.serial().expect("\r\n", SOON);
            pauseLosesNothing();
            GuestShell shell = new GuestShell(guest.serial());
            floatLosesWhatIsPrintedMeanwhile(shell);
            shell.powerOff();
            assertEquals(0, guest.end(SOON).status());
        }
    }

    private void pauseLosesNothing() throws Exception {
        policy("pause");
        guest.serial().expect("LINE " + String.format("%08d", LINES / 3), BOOT);
        int asked = guest.serial().count();
        serial.stop();
        assertEquals(Machine.State.WAITING, guest.machine().state());
        assertTrue(guest.machine().stateDetail().contains("serial"), guest.machine().stateDetail());
        assertEquals("parked", guest.slot("com1").state());
        int silent = guest.serial().count();
        String instructions = guest.machine().stats().get("instructions");
        Thread.sleep(500);
        assertEquals(silent, guest.serial().count(), "a machine that waits says nothing");
        assertEquals(instructions, guest.machine().stats().get("instructions"), "and does nothing");
        serial.start();
        assertEquals(Machine.State.RUNNING, guest.machine().state());
        guest.serial().expect("LINES-DONE " + LINES + "\r\n", BOOT);
        String all = guest.serial().text();
        int first = all.indexOf("LINE 00000000");
        assertTrue(asked > first, "the bundle was stopped among the lines");
        NumberedLines.assertComplete(LINES, all.substring(first, all.lastIndexOf("LINES-DONE")));
    }

    /**
     * The kernel writes its own messages to the port by polling, so it sees nothing but a transmitter that is always ready: all bits are set on a bus
     * that floats. The same numbers on the screen show that it goes on.
     */
    private void floatLosesWhatIsPrintedMeanwhile(GuestShell shell) throws Exception {
        policy("float");
        shell.run("count() { while :; do i=$((i+1)); say; usleep 5000; done; }");
        shell.run("say() { echo \"<1>at $i\" >/dev/kmsg; echo \"#$i\" >/dev/tty1; }");
        shell.start("i=0; dmesg -n 8; count & sleep 1; read x");
        guest.serial().expect("at 20\r\n", SOON);
        serial.stop();
        assertEquals(Machine.State.RUNNING, guest.machine().state(), () -> guest.machine().stateDetail());
        int silent = guest.serial().count();
        int stoppedAt = numberOnScreen();
        awaitOnScreen(stoppedAt + 50);
        assertEquals(silent, guest.serial().count(), "nobody is there to say anything");
        serial.start();
        int backAt = numberOnScreen();
        awaitOnScreen(backAt + 20);
        String heard = guest.serial().text(silent, guest.serial().count());
        assertTrue(!heard.contains("at " + (stoppedAt + 25) + "\r\n"), "what was said to the floating bus is lost");
        assertTrue(heard.contains("at " + (backAt + 10) + "\r\n"), "and what is said to the card that is back is heard: " + heard);
        guest.serial().send("\nkill $!; dmesg -n 1\n");
        guest.serial().expect("dmesg -n 1\r\n", SOON);
        guest.serial().expect(GuestShell.PROMPT, SOON);
        assertEquals("still here", shell.run("echo still here"));
    }

    /** Of all slots of the bundle: those of the other ports lose their card as well. */
    private void policy(String policy) throws BoardException {
        for (Machine.SlotInfo s : guest.machine().slots()) if (s.type().equals("serial")) guest.machine().policy(s.slot(), policy);
    }

    private int numberOnScreen() {
        String last = guest.machine().screenText().stream().map(String::strip).filter(s -> s.matches("#\\d+")).reduce("#0", (a, b) -> b);
        return Integer.parseInt(last.substring(1));
    }

    private void awaitOnScreen(int number) throws InterruptedException {
        long limit = System.nanoTime() + SOON.toNanos();
        while (numberOnScreen() < number) {
            assertTrue(System.nanoTime() < limit, "the guest goes on, to " + number + " on the screen; it is at " + numberOnScreen());
            Thread.sleep(10);
        }
    }
}
