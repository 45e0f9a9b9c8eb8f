package org.backplane.board.machine;

/**
 * How fast the guest runs: the time that an instruction took lately, which is two nanoseconds in a loop and hundreds where every other one is an exit.
 * By it the loop of a machine judges how many instructions it can run before a timer falls due; with one number for all guests those that do much
 * I/O would lose timer interrupts.
 *
 * <p><b>Threading.</b> The machine's thread.
 */
final class GuestPace {
    /** Fewer instructions tell too little. */
    private static final long SAMPLE = 200;

    private static final long FASTEST = 2, SLOWEST = 2_000;

    private long nanosPerInstruction = FASTEST;
    private long fromNanos;
    private long fromInstructions;

    /** A boundary: the guest has run since the last one, or since {@link #restart}. */
    void at(long nanos, long instructions) {
        long done = instructions - fromInstructions;
        if (done < SAMPLE) return;
        nanosPerInstruction = Math.clamp((nanos - fromNanos) / done, FASTEST, SLOWEST);
        fromNanos = nanos;
        fromInstructions = instructions;
    }

    /** The guest did nothing until now. */
    void restart(long nanos) {
        fromNanos = nanos;
    }

    long nanosPerInstruction() {
        return nanosPerInstruction;
    }
}
