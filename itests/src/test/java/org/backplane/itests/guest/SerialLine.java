package org.backplane.itests.guest;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.function.Consumer;

/**
 * A guest's serial line: everything that the guest ever said, and a way to wait for what it says next. Bytes are characters (ISO 8859-1).
 *
 * <p><b>Threading.</b> Output comes from one thread, all else from the test's.
 */
final class SerialLine {
    private static final int TAIL = 2000;

    private final Consumer<byte[]> keyboard;
    private byte[] said = new byte[1 << 16];
    private int count;

    /** Up to here {@link #expect} has read. */
    private int expected;

    private boolean ended;

    /** @param keyboard where input for the guest goes */
    SerialLine(Consumer<byte[]> keyboard) {
        this.keyboard = keyboard;
    }

    /** The guest says something. */
    synchronized void output(byte[] bytes, int offset, int length) {
        while (count + length > said.length) said = Arrays.copyOf(said, said.length * 2);
        System.arraycopy(bytes, offset, said, count, length);
        count += length;
        notifyAll();
    }

    /** The guest will say no more. */
    synchronized void end() {
        ended = true;
        notifyAll();
    }

    void send(String text) {
        keyboard.accept(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    /**
     * Waits until the guest has said this, after what the last call waited for.
     *
     * @return what it said before
     * @throws AssertionError if it does not come in time, or the guest ends before
     */
    synchronized String expect(String text, Duration patience) {
        int from = expected;
        if (!hears(text, patience)) {
            throw new AssertionError("the guest " + (ended ? "ended" : "was given " + patience.toSeconds() + " s") + " without '" + text
                    + "'; it said last:\n" + text(Math.max(0, count - TAIL), count));
        }
        return text(from, expected - text.length());
    }

    /** The same for who has another idea if it does not come. */
    synchronized boolean hears(String text, Duration patience) {
        byte[] wanted = text.getBytes(StandardCharsets.ISO_8859_1);
        long limit = System.nanoTime() + patience.toNanos();
        int from = expected;
        while (true) {
            for (; from + wanted.length <= count; from++) {
                if (!Arrays.equals(said, from, from + wanted.length, wanted, 0, wanted.length)) continue;
                expected = from + wanted.length;
                return true;
            }
            long left = (limit - System.nanoTime()) / 1_000_000;
            if (ended || left <= 0) return false;
            await(left);
        }
    }

    private void await(long millis) {
        try {
            wait(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted while waiting for the guest", e);
        }
    }


    /** How many bytes it has said. */
    synchronized int count() {
        return count;
    }

    /** What it said, between two counts. */
    synchronized String text(int from, int to) {
        return new String(said, from, to - from, StandardCharsets.ISO_8859_1);
    }

    synchronized String text() {
        return text(0, count);
    }

    /** Keeps everything in a file, for people. */
    synchronized void keep(Path file) {
        try {
            Files.createDirectories(file.getParent());
            Files.write(file, Arrays.copyOf(said, count));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
