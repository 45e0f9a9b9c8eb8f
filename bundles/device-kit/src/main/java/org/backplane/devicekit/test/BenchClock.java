package org.backplane.devicekit.test;

import java.util.LinkedHashMap;
import java.util.Map;
import org.backplane.kvm.spi.device.VmClock;
import org.backplane.kvm.spi.device.VmTimer;

/** A clock that stands still until the test moves it. Timers run while it is moved, in order of their deadlines. */
public final class BenchClock implements VmClock {
    private final Map<String, Timer> timers = new LinkedHashMap<>();
    private long now;
    private long wallBase;
    private long perLook;

    @Override
    public long nanos() {
        now += perLook;
        return now;
    }

    /** From now on the clock moves by so much whenever a card looks at it, as that of a host does. Timers run when the test moves it. */
    public void creep(long nanosPerLook) {
        perLook = nanosPerLook;
    }

    @Override
    public long wallBaseMillis() {
        return wallBase;
    }

    /** Sets wall-clock time of virtual time 0. */
    public void wallBase(long millis) {
        wallBase = millis;
    }

    /** Moves on by {@code nanos}; every timer runs at exactly its deadline. */
    public void advance(long nanos) {
        runUntil(now + nanos);
    }

    /** Moves on to a virtual time that is not past. */
    public void runUntil(long target) {
        for (Timer t = next(target); t != null; t = next(target)) {
            now = Math.max(now, t.deadline);
            t.fire();
        }
        now = Math.max(now, target);
    }

    /** Moves on in one jump, as when the host was late: timers that fell due on the way run afterwards, all at the new time. */
    public void jump(long nanos) {
        now += nanos;
        for (Timer t = next(now); t != null; t = next(now)) t.fire();
    }

    /** The timer of this name, or null. */
    public VmTimer timer(String name) {
        return timers.get(name);
    }

    /** Deadlines of the armed timers, for comparing. */
    public Map<String, Long> deadlines() {
        Map<String, Long> d = new LinkedHashMap<>();
        timers.forEach((n, t) -> {
            if (t.armed) d.put(n, t.deadline);
        });
        return d;
    }

    /** Arms the timers that a card in another slot has armed, by name, as when a machine is restored: deadlines are the core's. */
    void copyDeadlines(BenchClock from) {
        from.timers.forEach((name, t) -> {
            Timer mine = timers.get(name);
            if (mine == null) return;
            mine.armed = t.armed;
            mine.deadline = t.deadline;
        });
    }

    /** Runs what is due now. */
    void settle() {
        runUntil(now);
    }

    VmTimer create(String name, Runnable callback, DeviceBench.Context context) {
        Timer t = new Timer(callback, context);
        Timer old = timers.put(name, t);
        // As the core does: the deadline belongs to the name, and stays when the card is replaced.
        if (old != null && old.armed) {
            t.armed = true;
            t.deadline = old.deadline;
        }
        return t;
    }

    private Timer next(long until) {
        Timer first = null;
        for (Timer t : timers.values()) {
            if (t.armed && t.deadline <= until && (first == null || t.deadline < first.deadline)) first = t;
        }
        return first;
    }

    private static final class Timer implements VmTimer {
        private final Runnable callback;
        private final DeviceBench.Context context;
        private boolean armed;
        private long deadline;

        Timer(Runnable callback, DeviceBench.Context context) {
            this.callback = callback;
            this.context = context;
        }

        void fire() {
            armed = false;
            callback.run();
        }

        @Override
        public void arm(long at) {
            context.check();
            armed = true;
            deadline = at;
        }

        @Override
        public void cancel() {
            context.check();
            armed = false;
        }

        @Override
        public boolean armed() {
            return armed;
        }

        @Override
        public long deadline() {
            return deadline;
        }
    }
}
