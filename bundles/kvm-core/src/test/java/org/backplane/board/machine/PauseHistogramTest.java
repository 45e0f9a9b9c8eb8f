package org.backplane.board.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.backplane.board.api.PauseStats.Figures;
import org.junit.jupiter.api.Test;

class PauseHistogramTest {
    private final PauseHistogram h = new PauseHistogram();

    @Test
    void withoutPausesAllIsZero() {
        assertEquals(new Figures(0, 0, 0, 0, 0), h.figures());
    }

    @Test
    void onePauseIsAllPercentiles() {
        h.record(1_234_567);
        assertEquals(new Figures(1, 1_234_567, 1_234_567, 1_234_567, 1_234_567), h.figures());
    }

    @Test
    void percentilesAreAtMostOneThirtySecondTooLong() {
        Random random = new Random(4);
        long[] all = new long[10_000];
        for (int i = 0; i < all.length; i++) {
            // Every magnitude from nanoseconds to days.
            all[i] = random.nextLong(1L << 1 + random.nextInt(50));
            h.record(all[i]);
        }
        Arrays.sort(all);
        for (double share : new double[] {0.0001, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1}) {
            long exact = all[(int) Math.ceil(share * all.length) - 1];
            long told = h.percentile(share);
            assertTrue(told >= exact && told - exact <= exact / 32, () -> "of " + share + ": " + told + " for " + exact);
        }
    }

    @Test
    void oneInAHundredIsNotInTheNinetyNinthPercentile() {
        for (int i = 0; i < 99; i++) h.record(10);
        h.record(1_000_000);
        assertEquals(10, h.figures().p99Nanos());
        h.record(1_000_000);
        assertEquals(1_000_000, h.figures().p99Nanos());
    }

    @Test
    void whatIsOutOfRangeCountsAtItsEdge() {
        h.record(-5);
        assertEquals(0, h.percentile(1));
        h.record(Long.MAX_VALUE);
        assertEquals(Long.MAX_VALUE, h.figures().maxNanos());
        assertTrue(h.percentile(1) >= 1L << 50);
    }
}
