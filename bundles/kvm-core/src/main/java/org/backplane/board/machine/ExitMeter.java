package org.backplane.board.machine;

import java.util.Arrays;
import org.backplane.kvm.spi.exit.ExitReasons;

/**
 * Times exits by reason: number, sum, shortest and longest in nanoseconds, for as long as the machine lives.
 *
 * <p><b>Threading.</b> The machine's thread.
 */
final class ExitMeter {
    private final long[] timed = new long[ExitReasons.COUNT];
    private final long[] nanos = new long[ExitReasons.COUNT];
    private final long[] min = new long[ExitReasons.COUNT];
    private final long[] max = new long[ExitReasons.COUNT];

    ExitMeter() {
        Arrays.fill(min, Long.MAX_VALUE);
    }

    void add(int reason, long time) {
        timed[reason]++;
        nanos[reason] += time;
        if (time < min[reason]) min[reason] = time;
        if (time > max[reason]) max[reason] = time;
    }

    long timed(int reason) {
        return timed[reason];
    }

    long nanos(int reason) {
        return nanos[reason];
    }

    long min(int reason) {
        return timed[reason] == 0 ? 0 : min[reason];
    }

    long max(int reason) {
        return max[reason];
    }
}
