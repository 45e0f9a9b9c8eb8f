package org.backplane.cli;

import java.io.PrintStream;
import java.util.List;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine;

/**
 * {@code -display text}: the guest's text screen on the terminal, redrawn where it changed, ten times a second. Keys typed on the terminal go
 * to the guest's keyboard, unless the serial port has the terminal.
 */
final class TextScreen implements AutoCloseable {
    private static final long INTERVAL_MILLIS = 100;

    private final Machine machine;
    private final PrintStream out;
    private final Thread thread;
    private volatile boolean closed;
    private List<String> shown = List.of();

    TextScreen(Machine machine, PrintStream out) {
        this.machine = machine;
        this.out = out;
        thread = new Thread(this::loop, "text-screen");
        thread.setDaemon(true);
        out.print("\033[2J");
        thread.start();
    }

    /** Keys from the terminal to the keyboard. */
    void type(byte[] bytes) {
        for (byte b : bytes) {
            try {
                switch (b) {
                    case '\r', '\n' -> machine.sendKeys(List.of("ret"));
                    case 0x7f, 8 -> machine.sendKeys(List.of("backspace"));
                    case 0x1b -> machine.sendKeys(List.of("esc"));
                    case 9 -> machine.sendKeys(List.of("tab"));
                    default -> {
                        if (b > 0 && b < 27) machine.sendKeys(List.of("ctrl-" + (char) ('a' + b - 1)));
                        else machine.type(String.valueOf((char) b));
                    }
                }
            } catch (BoardException e) {
                // A key that a US keyboard does not have, or no keyboard at all: nothing to type.
            }
        }
    }

    private void loop() {
        try {
            while (!closed) {
                draw();
                Thread.sleep(INTERVAL_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized void draw() {
        List<String> screen = machine.screenText();
        StringBuilder b = new StringBuilder();
        for (int row = 0; row < screen.size(); row++) {
            String line = screen.get(row);
            if (row < shown.size() && shown.get(row).equals(line)) continue;
            b.append("\033[").append(row + 1).append(";1H").append(line).append("\033[K");
        }
        if (b.isEmpty()) return;
        out.print(b.append("\033[").append(screen.size() + 1).append(";1H"));
        out.flush();
        shown = List.copyOf(screen);
    }

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
    }
}
