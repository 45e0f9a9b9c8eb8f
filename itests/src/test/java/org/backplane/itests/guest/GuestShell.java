package org.backplane.itests.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;

/** The busybox shell on a guest's serial line. Commands must fit on a line of the terminal, or the shell's editor breaks it in the echo. */
final class GuestShell {
    static final String PROMPT = "/ # ";
    private static final int LINE = 70;
    private static final Duration PATIENCE = Duration.ofSeconds(300);

    private final SerialLine serial;

    /** Waits until the guest has booted. */
    static GuestShell boot(SerialLine serial, Duration patience) {
        serial.expect("BACKPLANE-GUEST-READY", patience);
        return new GuestShell(serial);
    }

    /** Waits for the first prompt; then the kernel is told to be silent. */
    GuestShell(SerialLine serial) {
        this.serial = serial;
        serial.expect(PROMPT, PATIENCE);
        run("dmesg -n 1");
        // What the kernel had said meanwhile came with its echo; from here on it says nothing.
        assertEquals("quiet", run("echo quiet"));
    }

    /** Runs a command; answers what it printed, without the last line's end. */
    String run(String command) {
        start(command);
        return serial.expect(PROMPT, PATIENCE).replace("\r\n", "\n").stripTrailing();
    }

    /** Types a command and waits for its echo, not for its end. */
    void start(String command) {
        if (command.length() > LINE) throw new IllegalArgumentException("too long for a line: " + command);
        serial.send(command + "\n");
        serial.expect(command + "\r\n", PATIENCE);
    }

    /** Types the command from which nobody returns. */
    void powerOff() {
        start("poweroff -f");
    }
}
