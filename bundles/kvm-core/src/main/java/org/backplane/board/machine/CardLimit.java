package org.backplane.board.machine;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * The time limit of a card for what it does outside of the guest's time: attach, save, load, quiesce and the like (contract 12). Such a call is made on a
 * helper thread, and whoever asked waits for it; after the limit it goes on without.
 *
 * <p><b>Guarantees.</b> A call that is over its limit is an exception for who asked. Its thread is interrupted once and left to itself; it is a daemon
 * and carries the name of what it does. To the machine a helper is the thread for which it works, so that a card may ask the same as without a limit.
 *
 * <p><b>The limit is counted in steps</b>, each an eighth of it, and not by the clock: where the whole JVM stands still (a debugger, a suspended host) it
 * grows by one step at most.
 *
 * <p><b>Threading.</b> Any thread.
 */
final class CardLimit implements AutoCloseable {
    static final int STEPS = 8;
    private static final long IDLE_SECONDS = 2;

    /** What a card is asked to do. */
    interface Task<T, E extends Exception> {
        T run() throws E;
    }

    /** A helper. */
    private static final class Helper extends Thread {
        private volatile Thread worksFor;

        /** The call that it makes, or null. */
        private Call<?> call;

        Helper(Runnable work) {
            super(work);
            setDaemon(true);
        }
    }

    private final String machine;
    private final long millis;
    private final ThreadPoolExecutor helpers =
            new ThreadPoolExecutor(0, Integer.MAX_VALUE, IDLE_SECONDS, TimeUnit.SECONDS, new SynchronousQueue<>(), Helper::new);

    /** @param millis 0 for no limit: then all calls are made where they are asked for */
    CardLimit(String machine, long millis) {
        this.machine = machine;
        this.millis = millis;
    }

    long millis() {
        return millis;
    }

    /** One step of the limit in milliseconds, at least 1. */
    long stepMillis() {
        return Math.max(1, millis / STEPS);
    }

    /** The calling thread is one that works for {@code thread}. */
    static boolean worksFor(Thread thread) {
        return Thread.currentThread() instanceof Helper h && h.worksFor == thread;
    }

    /**
     * Makes a call and waits for it. Inside of a call it is part of that one, with one limit for both; what is over the limit is named by the inner one.
     *
     * @param what for people: the slot and what is asked of its card
     * @throws CardLimitException if it does not come back in time
     * @throws E or whatever else the task threw
     */
    <T, E extends Exception> T call(String what, Task<T, E> task) throws E {
        if (Thread.currentThread() instanceof Helper h && h.call != null) return inner(h.call, what, task);
        if (millis == 0 || helpers.isShutdown()) return task.run();
        Call<T> c = new Call<>(what, task, Thread.currentThread());
        helpers.execute(c);
        c.await();
        return c.<E>result();
    }

    private static <T, E extends Exception> T inner(Call<?> outer, String what, Task<T, E> task) throws E {
        String before = outer.what;
        outer.what = what;
        T result = task.run();
        outer.what = before;
        return result;
    }

    /** Executes something that may wait, on a thread of its own. */
    void aside(Runnable task) {
        if (!helpers.isShutdown()) helpers.execute(task);
    }

    /** The machine has ended: no card is left that could hang. */
    @Override
    public void close() {
        helpers.shutdown();
    }

    private final class Call<T> implements Runnable {
        private volatile String what;
        private final Task<T, ?> task;
        private final Thread asked;
        private final CountDownLatch done = new CountDownLatch(1);
        private volatile Thread thread;
        private T result;
        private Throwable thrown;

        Call(String what, Task<T, ?> task, Thread asked) {
            this.what = what;
            this.task = task;
            this.asked = asked;
        }

        @Override
        public void run() {
            Helper h = (Helper) Thread.currentThread();
            h.worksFor = asked;
            h.call = this;
            h.setName("machine-" + machine + ": " + what);
            thread = h;
            try {
                result = task.run();
            } catch (Throwable e) {
                thrown = e;
            }
            h.worksFor = null;
            h.call = null;
            h.setName("machine-" + machine + ": cards");
            done.countDown();
        }

        void await() {
            boolean interrupted = false;
            for (int step = 0; step < STEPS; step++) {
                try {
                    if (done.await(stepMillis(), TimeUnit.MILLISECONDS)) break;
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) asked.interrupt();
        }

        @SuppressWarnings("unchecked")
        <E extends Exception> T result() throws E {
            if (done.getCount() > 0) {
                Thread t = thread;
                CardLimitException e = new CardLimitException(what + " did not come back within " + millis + " ms");
                if (t != null) {
                    e.setStackTrace(t.getStackTrace());
                    t.interrupt();
                }
                throw e;
            }
            if (thrown instanceof Error e) throw e;
            if (thrown != null) throw (E) thrown;
            return result;
        }
    }
}
