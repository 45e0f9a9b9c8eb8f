package org.backplane.kvm.core.clock;

import java.util.ArrayList;
import java.util.List;

/**
 * The timers of one VM, ordered by deadline. What is due runs in order of deadline, and of registration where deadlines are equal, once
 * each; a callback may arm timers again, also its own.
 *
 * <p><b>Threading.</b> The VM's thread only. There are a dozen timers: a linear scan with a cached minimum beats a heap.
 */
public final class TimerQueue {
    /** No timer is armed. */
    public static final long NEVER = Long.MAX_VALUE;

    /** A timer. */
    public static final class Entry {
        private final TimerQueue queue;
        private final Runnable callback;
        private long deadline = NEVER;

        private Entry(TimerQueue queue, Runnable callback) {
            this.queue = queue;
            this.callback = callback;
        }

        /** Arms, or with {@link TimerQueue#NEVER} cancels. */
        public void arm(long at) {
            deadline = at;
            queue.findNext();
        }

        public long deadline() {
            return deadline;
        }

        /** Takes it out of the queue for good. */
        public void remove() {
            queue.entries.remove(this);
            queue.findNext();
        }
    }

    private final List<Entry> entries = new ArrayList<>();
    private long next = NEVER;

    public Entry add(Runnable callback) {
        Entry e = new Entry(this, callback);
        entries.add(e);
        return e;
    }

    /** The earliest deadline, or {@link #NEVER}. */
    public long next() {
        return next;
    }

    /** Runs what is due at {@code now}; a timer that is late again at once gets its next turn at the next boundary. */
    public void run(long now) {
        for (int turns = entries.size(); turns > 0 && next <= now; turns--) {
            Entry due = null;
            for (Entry e : entries) if (e.deadline == next) {
                due = e;
                break;
            }
            if (due == null) throw new IllegalStateException("timer queue lost its next timer");
            due.arm(NEVER);
            due.callback.run();
        }
    }

    private void findNext() {
        long min = NEVER;
        for (int i = 0; i < entries.size(); i++) min = Math.min(min, entries.get(i).deadline);
        next = min;
    }
}
