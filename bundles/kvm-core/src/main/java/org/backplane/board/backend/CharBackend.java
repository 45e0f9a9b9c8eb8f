package org.backplane.board.backend;

/**
 * A character back end of a slot: it belongs to the machine and stays when the card behind it is swapped, so that neither input nor output is
 * lost.
 *
 * <p><b>Threading.</b> {@link #write}, {@link #read} and {@link #flush} on the machine's thread; input arrives from any thread.
 */
public abstract class CharBackend implements AutoCloseable {
    private static final int INPUT_LIMIT = 1 << 20;

    private final java.util.ArrayDeque<byte[]> input = new java.util.ArrayDeque<>();
    private int position;
    private int waiting;
    private Runnable listener;

    /** What is written goes nowhere and nothing ever comes in. */
    public boolean discards() {
        return false;
    }

    /** Sends one byte; may be kept until {@link #flush}. */
    public abstract void write(int b);

    /** What was written goes out. Called often, so cheap when there is nothing. */
    public abstract void flush();

    @Override
    public void close() {
        flush();
    }

    /** Input arrives. Waits while the guest is megabytes behind. */
    public final void input(byte[] bytes) {
        Runnable l;
        synchronized (input) {
            boolean interrupted = false;
            while (waiting > INPUT_LIMIT) {
                try {
                    input.wait(100);
                } catch (InterruptedException e) {
                    interrupted = true;
                    break;
                }
            }
            if (interrupted) Thread.currentThread().interrupt();
            if (bytes.length == 0) return;
            input.add(bytes.clone());
            waiting += bytes.length;
            l = listener;
        }
        if (l != null) l.run();
    }

    public final int read() {
        synchronized (input) {
            byte[] first = input.peek();
            if (first == null) return -1;
            int b = first[position++] & 0xff;
            waiting--;
            if (position == first.length) {
                input.remove();
                position = 0;
                input.notifyAll();
            }
            return b;
        }
    }

    public final boolean readable() {
        synchronized (input) {
            return waiting > 0;
        }
    }

    /** Who wants to know about input; null for nobody. Called on the thread that brings it. */
    public final void setListener(Runnable l) {
        synchronized (input) {
            listener = l;
        }
        if (l != null && readable()) l.run();
    }
}
