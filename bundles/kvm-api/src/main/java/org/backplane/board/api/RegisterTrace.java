package org.backplane.board.api;

import java.util.List;

/**
 * The guest's accesses to the named registers of one card, as a ring.
 *
 * @param running accesses are being recorded now
 * @param recorded accesses since the run began; the oldest of them may have been overwritten
 * @param entries what is in the ring, the oldest first
 */
public record RegisterTrace(boolean running, long recorded, List<Entry> entries) {
    /** How many accesses the ring of a card holds. */
    public static final int SIZE = 4096;

    /** A trace that never ran. */
    public static final RegisterTrace NONE = new RegisterTrace(false, 0, List.of());

    /**
     * One access.
     *
     * @param number counted from 1 in this run
     * @param guestNanos the machine's virtual clock
     * @param rip linear address of the guest's instruction
     * @param register name, as the card declares it
     * @param bits width of the register
     * @param value of the whole register, as read or written
     * @param fields the value's fields that are not zero, or empty
     */
    public record Entry(long number, long guestNanos, long rip, boolean write, String register, int bits, long value, String fields) {}
}
