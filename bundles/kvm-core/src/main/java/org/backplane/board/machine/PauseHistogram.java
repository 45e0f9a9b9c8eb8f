package org.backplane.board.machine;

import org.backplane.board.api.PauseStats.Figures;

/**
 * A histogram of durations in fixed memory: each power of two is divided into 32 buckets of the same width, so a percentile is at most 1/32 too
 * long, from a nanosecond to twenty-six days. Recording is a few instructions and allocates nothing.
 *
 * <p><b>Threading.</b> None of its own.
 */
final class PauseHistogram {
    private static final int FINE_BITS = 5;
    private static final int FINE = 1 << FINE_BITS;

    /** Durations of this many bits and more go into the last bucket. */
    private static final int MAX_BITS = 51;

    private final long[] buckets = new long[(MAX_BITS - FINE_BITS + 1) * FINE];
    private long count;
    private long total;
    private long max;

    /** @param nanos a duration; a negative one counts as 0 */
    void record(long nanos) {
        long n = Math.max(nanos, 0);
        buckets[bucket(n)]++;
        count++;
        total += n;
        max = Math.max(max, n);
    }

    /** Below {@value #FINE} a bucket is a nanosecond wide; then its leading bit and the {@value #FINE_BITS} behind that select it. */
    private static int bucket(long n) {
        if (n < FINE) return (int) n;
        int exponent = Math.min(63 - Long.numberOfLeadingZeros(n), MAX_BITS - 1);
        int fine = (int) Math.min(n >>> exponent - FINE_BITS, 2 * FINE - 1) - FINE;
        return (exponent - FINE_BITS + 1) * FINE + fine;
    }

    /** The longest duration that a bucket takes. */
    private static long upperEdge(int bucket) {
        int power = bucket >> FINE_BITS;
        long fine = bucket & FINE - 1;
        if (power == 0) return fine;
        return (FINE + fine + 1 << power - 1) - 1;
    }

    /** The duration that this share of all do not exceed; 0 if there are none. */
    long percentile(double share) {
        long wanted = Math.max(1, (long) Math.ceil(share * count));
        long seen = 0;
        for (int i = 0; i < buckets.length; i++) {
            seen += buckets[i];
            if (seen >= wanted) return Math.min(upperEdge(i), max);
        }
        return max;
    }

    Figures figures() {
        return new Figures(count, total, percentile(0.5), percentile(0.99), max);
    }
}
