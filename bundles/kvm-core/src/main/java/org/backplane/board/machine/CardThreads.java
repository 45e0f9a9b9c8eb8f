package org.backplane.board.machine;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadFactory;

/**
 * The host threads of one card, as {@code DeviceContext.threads} makes them: daemons that carry the slot's name. When the card leaves they are interrupted, and
 * those that do not end are reported.
 *
 * <p><b>Threading.</b> Any thread.
 */
final class CardThreads implements ThreadFactory {
    private final String name;
    private final List<Thread> threads = new ArrayList<>();
    private int made;

    /** @param name of machine and slot */
    CardThreads(String name) {
        this.name = name;
    }

    @Override
    public synchronized Thread newThread(Runnable work) {
        threads.removeIf(t -> t.getState() == Thread.State.TERMINATED);
        Thread t = new Thread(work, name + "-" + ++made);
        t.setDaemon(true);
        threads.add(t);
        return t;
    }

    /** Those that run. */
    synchronized List<Thread> alive() {
        return threads.stream().filter(Thread::isAlive).toList();
    }
}
