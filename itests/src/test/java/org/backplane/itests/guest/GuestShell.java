package org.backplane.itests.guest;

import java.time.Duration;

/** The busybox shell on a guest's serial line. Commands must fit on a line of the terminal, or the shell's editor breaks it in the echo. */
final class GuestShell {
    static final String PROMPT = "/ # ";
    private static final int LINE = 70;
    private static final int ATTEMPTS = 3;
    private static final Duration PATIENCE = Duration.ofSeconds(120);

    private final SerialLine serial;

    /** Waits until the guest has booted. */
    static GuestShell boot(SerialLine serial, Duration patience) {
        serial.expect("BACKPLANE-GUEST-READY", patience);
        return new GuestShell(serial);
    }

    /**
     * Waits until the shell answers. The kernel is told to be silent, for a message of its could come in the midst of what the shell says; until it
     * has heard that, it may take a few attempts.
     */
    GuestShell(SerialLine serial) {
        this.serial = serial;
        for (int attempt = 1; ; attempt++) {
            serial.send("dmesg -n 1; echo quiet $((" + attempt + " * 1000))\n");
            String answer = "quiet " + attempt * 1000 + "\r\n" + PROMPT;
            if (attempt == ATTEMPTS) serial.expect(answer, PATIENCE);
            else if (!serial.hears(answer, PATIENCE)) continue;
            return;
        }
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
