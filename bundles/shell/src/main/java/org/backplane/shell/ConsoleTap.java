package org.backplane.shell;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.backplane.board.api.Machine;

/**
 * The shell's ear at a serial console: it keeps the last {@link #KEPT} bytes of output for those who come later, and remembers how far {@link #expect}
 * has read.
 *
 * <p><b>Threading.</b> Output comes on the machine's thread, everything else from any. Followers are called on the machine's thread and must not ask
 * the machine for anything.
 */
final class ConsoleTap implements Machine.Console.Output {
    static final int KEPT = 256 * 1024;

    /** Told of output as it comes. */
    interface Follower {
        void output(byte[] bytes, int offset, int length);
    }

    private final byte[] ring = new byte[KEPT];
    private final List<Follower> followers = new CopyOnWriteArrayList<>();

    /** Bytes that ever came, and those of them that {@link #expect} is done with. */
    private long written;

    private long expected;
    private volatile Machine.Console console;

    /** Where input goes. */
    void connect(Machine.Console c) {
        console = c;
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
        synchronized (this) {
            for (int i = 0; i < length; i++) ring[(int) (written++ % KEPT)] = bytes[offset + i];
            notifyAll();
        }
        for (Follower f : followers) f.output(bytes, offset, length);
    }

    void input(byte[] bytes) {
        console.input(bytes);
    }

    /** The last output, at most so many bytes. */
    synchronized byte[] last(int limit) {
        return since(Math.max(written - limit, 0));
    }

    private byte[] since(long position) {
        long from = Math.max(position, written - KEPT);
        byte[] bytes = new byte[(int) (written - from)];
        for (int i = 0; i < bytes.length; i++) bytes[i] = ring[(int) ((from + i) % KEPT)];
        return bytes;
    }

    /** Gives a follower what was there before, and then all that comes. */
    void follow(Follower f, int limit) {
        byte[] before = last(limit);
        f.output(before, 0, before.length);
        followers.add(f);
    }

    void unfollow(Follower f) {
        followers.remove(f);
    }

    /**
     * Waits for output that matches, after what the last call has matched.
     *
     * @return what matched, or empty if it did not come in time
     */
    Optional<String> expect(Pattern pattern, long timeoutNanos) throws InterruptedException {
        // Bytes as characters, the expression's too: so a position in the text is one in the output, whatever the encoding.
        Pattern bytewise = Pattern.compile(bytewise(pattern.pattern()), pattern.flags());
        long deadline = System.nanoTime() + timeoutNanos;
        synchronized (this) {
            while (true) {
                long from = Math.max(expected, written - KEPT);
                Matcher m = bytewise.matcher(new String(since(from), StandardCharsets.ISO_8859_1));
                if (m.find()) {
                    expected = from + m.end();
                    return Optional.of(new String(m.group().getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8));
                }
                long left = (deadline - System.nanoTime()) / 1_000_000;
                if (left <= 0) return Optional.empty();
                wait(left);
            }
        }
    }

    private static String bytewise(String text) {
        return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
    }
}
