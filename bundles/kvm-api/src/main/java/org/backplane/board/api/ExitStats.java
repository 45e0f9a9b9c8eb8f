package org.backplane.board.api;

import java.util.List;

/**
 * VM exits by reason, as of one moment. Rates are differences of two of these.
 *
 * @param atNanos the host's {@code System.nanoTime} of that moment
 * @param guestNanos the machine's virtual clock, in nanoseconds since its start
 * @param instructions guest instructions retired
 * @param timing exits are being timed now
 * @param reasons those that came at all, by number
 */
public record ExitStats(long atNanos, long guestNanos, long instructions, boolean timing, List<Reason> reasons) {
    /**
     * One reason. Times are those of the handling in the host, from the exit's record to the decision to go on; they are known for the exits
     * that came while somebody watched.
     *
     * @param reason basic exit reason (SDM 3D appendix C)
     * @param count exits since the CPU backend was put in service
     * @param timed how many of the exits that this machine ever made were timed
     * @param nanos their time in all
     * @param minNanos the shortest, 0 if none was timed
     * @param maxNanos the longest
     */
    public record Reason(int reason, String name, long count, long timed, long nanos, long minNanos, long maxNanos) {
        /** Mean time, 0 if none was timed. */
        public double averageNanos() {
            return timed == 0 ? 0 : (double) nanos / timed;
        }
    }

    /** Exits of all reasons. */
    public long total() {
        return reasons.stream().mapToLong(Reason::count).sum();
    }
}
