package org.backplane.board.api;

import java.util.List;

/**
 * How often and how long a machine's guest stood still, on the host's clock: each pause is the time from the last guest instruction before to the end
 * of the first one after, whatever came in between, a garbage collection of the host's included. The virtual clock stands still meanwhile, so the
 * guest cannot see it. Times during which somebody had paused the machine are not among them.
 *
 * @param swaps all pauses in which a card was replaced
 * @param sideBySide those for {@link Machine#swap}
 * @param inPlace those for the update of a bundle with a card in service, from the moment when the card leaves to that when the guest runs with the
 *     new one
 * @param requests all others: somebody looked at the guest, plugged a card, or the like
 * @param slots by slot, those in which a card was ever replaced; a pause in which cards of several slots were counts for each
 */
public record PauseStats(Figures swaps, Figures sideBySide, Figures inPlace, Figures requests, List<Slot> slots) {
    /**
     * A histogram in short. Durations in nanoseconds; percentiles are exact to 1/32.
     *
     * @param p50Nanos half of the pauses are no longer than this; 0 if there was none
     * @param p99Nanos 99 of 100 are no longer than this
     */
    public record Figures(long count, long totalNanos, long p50Nanos, long p99Nanos, long maxNanos) {}

    /** The pauses of one slot. */
    public record Slot(String slot, Figures sideBySide, Figures inPlace) {}
}
