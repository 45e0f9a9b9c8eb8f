package org.backplane.junit;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.IntUnaryOperator;
import java.util.function.Supplier;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The guest's first serial port: all that the guest ever said, and ways to wait for what it says next. Bytes are characters (ISO 8859-1).
 *
 * <p><b>Position.</b> Each {@code expect} looks at what came after the text that the last one found, so a test reads the console from top to bottom,
 * and nothing is found twice.
 *
 * <p><b>Threading.</b> The guest's output comes from one thread; all methods may be called by any.
 */
public final class SerialConsole {
    private static final int LAST_LINES = 20;

    private final Consumer<byte[]> keyboard;
    private final Supplier<String> circumstances;
    private final Duration patience;
    private final StringBuilder said = new StringBuilder();

    /** Up to here has been expected. */
    private int position;

    private boolean ended;

    /**
     * @param keyboard where input for the guest goes
     * @param circumstances what the machine is doing, one line, for messages
     * @param patience of an {@code expect} that does not name its own
     */
    SerialConsole(Consumer<byte[]> keyboard, Supplier<String> circumstances, Duration patience) {
        this.keyboard = keyboard;
        this.circumstances = circumstances;
        this.patience = patience;
    }

    /** The guest says something. */
    synchronized void output(byte[] bytes, int offset, int length) {
        said.append(new String(bytes, offset, length, StandardCharsets.ISO_8859_1));
        notifyAll();
    }

    /** The guest will say no more. */
    synchronized void end() {
        ended = true;
        notifyAll();
    }

    /** Types on the guest's serial line; what the guest does not take yet waits. A line ends with {@code \n}. */
    public void send(String text) {
        keyboard.accept(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    /**
     * Waits until the guest has said this.
     *
     * @return what it said before, since the last {@code expect}
     * @throws AssertionError if it does not come within the patience of the VM, or the guest ends without it; with the last lines of the console
     */
    public String expect(String text) {
        return expect(text, patience);
    }

    /** The same with a patience of its own. */
    public String expect(String text, Duration patience) {
        int[] from = new int[1];
        await("\"" + text.replace("\r", "\\r").replace("\n", "\\n") + "\"", patience, start -> {
            from[0] = start;
            int at = said.indexOf(text, start);
            return at < 0 ? -1 : at + text.length();
        });
        synchronized (this) {
            return said.substring(from[0], position - text.length());
        }
    }

    /**
     * Waits until the guest has said something that the pattern finds. The pattern is tried whenever something has come, so it should say where it ends:
     * {@code "= (\\d+)\r"} rather than {@code "= (\\d+)"}, which is content with the first digit.
     *
     * @throws AssertionError as the others
     */
    public MatchResult expect(Pattern pattern) {
        return expect(pattern, patience);
    }

    /** The same with a patience of its own. */
    public MatchResult expect(Pattern pattern, Duration patience) {
        MatchResult[] found = new MatchResult[1];
        await("/" + pattern + "/", patience, start -> {
            Matcher m = pattern.matcher(said);
            if (!m.find(start)) return -1;
            found[0] = m.toMatchResult();
            return m.end();
        });
        return found[0];
    }

    /** All that the guest has said. */
    public synchronized String text() {
        return said.toString();
    }

    /** @param find from where it has looked to behind what it looked for, or -1 */
    private void await(String wanted, Duration patience, IntUnaryOperator find) {
        long limit = System.nanoTime() + patience.toNanos();
        boolean over;
        synchronized (this) {
            while (true) {
                int behind = find.applyAsInt(position);
                if (behind >= 0) {
                    position = behind;
                    return;
                }
                long left = (limit - System.nanoTime()) / 1_000_000;
                over = ended;
                if (over || left <= 0) break;
                try {
                    wait(left);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new AssertionError("interrupted while waiting for the guest to say " + wanted, e);
                }
            }
        }
        // Outside of the lock, for it asks the machine, whose thread may be waiting to say something.
        String why = over ? "the guest has ended and did not say " : "the guest did not say in " + seconds(patience) + ": ";
        throw new AssertionError(why + wanted + "\n" + circumstances.get() + "\n" + lastLines());
    }

    private static String seconds(Duration d) {
        return d.toMillis() % 1000 == 0 ? d.toSeconds() + " s" : d.toMillis() + " ms";
    }

    /** The console's end, for a message. */
    private synchronized String lastLines() {
        List<String> lines = said.toString().lines().toList();
        if (lines.isEmpty()) return "Its console is empty.";
        int first = Math.max(0, lines.size() - LAST_LINES);
        return "Its console" + (first > 0 ? "'s last lines" : "") + ":\n  | " + String.join("\n  | ", lines.subList(first, lines.size()));
    }
}
