package org.backplane.kvm.core.clock;

import java.util.function.LongSupplier;
import org.backplane.kvm.spi.device.VmClock;

/**
 * The virtual clock of a VM. Two kinds: host time less the pauses, or the count of instructions (with jumps over idle time).
 *
 * <p><b>Guarantees.</b> Never goes back. TSC, PIT, RTC, PM timer are functions of it, so they agree with each other.
 *
 * <p><b>Threading.</b> {@link #nanos} by any thread; the others by the VM's thread.
 */
public abstract sealed class VirtualClock implements VmClock permits VirtualClock.Host, VirtualClock.Instructions {
    private final long wallBaseMillis;

    VirtualClock(long wallBaseMillis) {
        this.wallBaseMillis = wallBaseMillis;
    }

    /** A clock that follows the host; stopped at first. */
    public static VirtualClock host(long wallBaseMillis) {
        return new Host(wallBaseMillis);
    }

    /**
     * A clock that counts instructions.
     *
     * @param count instructions retired so far
     * @param shift an instruction takes {@code 1 << shift} nanoseconds, 0 to 10
     */
    public static VirtualClock instructions(long wallBaseMillis, LongSupplier count, int shift) {
        return new Instructions(wallBaseMillis, count, shift);
    }

    @Override
    public long wallBaseMillis() {
        return wallBaseMillis;
    }

    /** The VM is paused: time stands still. Idempotent. */
    public abstract void stop();

    /** The VM goes on. Idempotent. */
    public abstract void start();

    /** Instructions until a deadline, or {@link Long#MAX_VALUE} when the clock does not count instructions. */
    public abstract long instructionsUntil(long deadline);

    /** The vCPU has nothing to do before the deadline: a counting clock jumps there and answers true; a host clock answers false (wait). */
    public abstract boolean skipTo(long deadline);

    static final class Host extends VirtualClock {
        private volatile boolean running;
        /** Running: virtual time is nanoTime - origin. Stopped: virtual time is frozen. */
        private volatile long origin;

        private volatile long frozen;

        Host(long wallBaseMillis) {
            super(wallBaseMillis);
        }

        @Override
        public long nanos() {
            return running ? System.nanoTime() - origin : frozen;
        }

        @Override
        public synchronized void stop() {
            if (!running) return;
            frozen = System.nanoTime() - origin;
            running = false;
        }

        @Override
        public synchronized void start() {
            if (running) return;
            origin = System.nanoTime() - frozen;
            running = true;
        }

        @Override
        public long instructionsUntil(long deadline) {
            return Long.MAX_VALUE;
        }

        @Override
        public boolean skipTo(long deadline) {
            return false;
        }
    }

    static final class Instructions extends VirtualClock {
        private final LongSupplier count;
        private final int shift;
        private volatile long skipped;

        Instructions(long wallBaseMillis, LongSupplier count, int shift) {
            super(wallBaseMillis);
            this.count = count;
            this.shift = shift;
        }

        @Override
        public long nanos() {
            return (count.getAsLong() << shift) + skipped;
        }

        @Override
        public void stop() {}

        @Override
        public void start() {}

        @Override
        public long instructionsUntil(long deadline) {
            long left = deadline - nanos();
            return left <= 0 ? 0 : (left + (1L << shift) - 1) >> shift;
        }

        @Override
        public boolean skipTo(long deadline) {
            long left = deadline - nanos();
            if (left > 0) skipped += left;
            return true;
        }
    }
}
