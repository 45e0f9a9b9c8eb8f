package org.backplane.board.api;

import java.util.List;
import java.util.Set;

/**
 * The ring of recorded exits.
 *
 * @param running exits are being recorded now
 * @param filter the filter of this or the last run
 * @param size entries that the ring holds, 0 if there was no run yet
 * @param recorded exits that passed the filter since the run began; the oldest of them may have been overwritten
 * @param entries what is in the ring, the oldest first
 */
public record ExitTrace(boolean running, Filter filter, int size, long recorded, List<Entry> entries) {
    /** The largest ring. */
    public static final int LARGEST = 1 << 20;

    /** The size that front ends offer. */
    public static final int USUAL = 4096;

    /** A trace that never ran. */
    public static final ExitTrace NONE = new ExitTrace(false, Filter.ALL, 0, 0, List.of());

    /**
     * Numbers from {@code first} to {@code last}, both included, unsigned.
     */
    public record Range(long first, long last) {
        /** Every number. */
        public static final Range ALL = new Range(0, -1);

        /** Is a number in it? */
        public boolean contains(long n) {
            return Long.compareUnsigned(n, first) >= 0 && Long.compareUnsigned(n, last) <= 0;
        }

        /** Does it leave anything out? */
        public boolean limits() {
            return first != 0 || last != -1;
        }
    }

    /**
     * Which exits are recorded: those that pass every part. An exit that has no port or address of the kind passes only a range that is
     * {@link Range#ALL}.
     *
     * @param reasons basic exit reasons; empty for all
     * @param ports I/O ports
     * @param gpas guest physical addresses; of a page fault in shadow mode the one that the guest's tables give
     * @param gvas linear addresses that were accessed
     * @param rips linear addresses of the instruction
     */
    public record Filter(Set<Integer> reasons, Range ports, Range gpas, Range gvas, Range rips) {
        /** Everything. */
        public static final Filter ALL = new Filter(Set.of(), Range.ALL, Range.ALL, Range.ALL, Range.ALL);

        /** Copies the set. */
        public Filter {
            reasons = Set.copyOf(reasons);
        }
    }

    /**
     * One exit, as it was when it came.
     *
     * @param number counted from 1 in this run
     * @param guestNanos the machine's virtual clock
     * @param instructions guest instructions retired before it
     * @param reason basic exit reason
     * @param qualification exit qualification (SDM 3C 27.2.1)
     * @param rip linear address of the instruction
     * @param insnLength its length in bytes, where the reason has one
     * @param gva linear address that was accessed, or 0
     * @param gpa guest physical address, -1 if the reason has none or it is not mapped
     * @param interruptionInfo of an exception exit: vector, type, valid bit (SDM 3C 24.9.2)
     * @param interruptionError its error code
     * @param rax RAX, which holds the value of an OUT
     * @param rcx RCX, which holds the number of an MSR
     * @param value the value that a write of a control, debug or model-specific register carries
     * @param handlingNanos time in the host, -1 while it is being handled
     */
    public record Entry(
            long number,
            long guestNanos,
            long instructions,
            int vcpu,
            int reason,
            String name,
            long qualification,
            long rip,
            int insnLength,
            long gva,
            long gpa,
            int interruptionInfo,
            int interruptionError,
            long rax,
            long rcx,
            long value,
            long handlingNanos) {}
}
