package org.backplane.board.machine;

import java.util.concurrent.locks.LockSupport;
import org.backplane.kvm.core.exit.Tenure;

/**
 * Looks after the calls that the machine's thread makes into cards while the guest runs: accesses, timers, posted tasks, interrupt acknowledges. One
 * that is over the limit costs the thread its vCPU ({@link Tenure}), and the machine goes on with another (contract 12).
 *
 * <p><b>What is over the limit.</b> In {@link CardLimit#STEPS} looks one after the other, a step of the limit apart, the thread was inside a card and neither
 * the guest nor the machine's loop got on. Half way the guest is asked to leave, so that an instruction that makes many short calls (REP INS) comes to an end.
 * Looks are counted and not time, see {@link CardLimit}.
 *
 * <p><b>Threading.</b> A thread of its own, from the machine's start to its end.
 */
final class Watchdog implements Runnable, AutoCloseable {
    private static final long NANOS_PER_MILLI = 1_000_000;

    private final MachineLoop loop;
    private final CardLimit limit;
    private final Thread thread;
    private volatile boolean closed;
    private long progress;
    private int looks;

    Watchdog(String machine, MachineLoop loop, CardLimit limit) {
        this.loop = loop;
        this.limit = limit;
        thread = new Thread(this, "machine-" + machine + ": watchdog");
        thread.setDaemon(true);
    }

    void start() {
        if (limit.millis() > 0) thread.start();
    }

    @Override
    public void run() {
        while (!closed) {
            LockSupport.parkNanos(this, limit.stepMillis() * NANOS_PER_MILLI);
            if (!closed) look();
        }
    }

    private void look() {
        Tenure tenure = loop.tenure();
        Object callee = tenure.callee();
        long now = loop.progress();
        if (callee == null || now != progress || !loop.inGuestTime()) {
            progress = now;
            looks = 0;
            return;
        }
        looks++;
        if (looks == CardLimit.STEPS / 2) loop.attention();
        if (looks < CardLimit.STEPS) return;
        looks = 0;
        loop.replaceThread(tenure);
    }

    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(thread);
    }
}
