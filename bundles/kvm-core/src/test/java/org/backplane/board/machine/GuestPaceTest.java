package org.backplane.board.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class GuestPaceTest {
    private final GuestPace pace = new GuestPace();

    @Test
    void isThatOfAFastLoopUntilSomethingIsKnown() {
        assertEquals(2, pace.nanosPerInstruction());
    }

    @Test
    void followsTheGuest() {
        pace.at(300_000, 1_000);
        assertEquals(300, pace.nanosPerInstruction());
        pace.at(300_000 + 40_000, 1_000 + 10_000);
        assertEquals(4, pace.nanosPerInstruction());
    }

    @Test
    void waitsForEnoughInstructions() {
        pace.at(300_000, 1_000);
        pace.at(900_000, 1_010);
        assertEquals(300, pace.nanosPerInstruction());
        // The time of those ten counts with the next ones.
        pace.at(1_100_000, 2_000);
        assertEquals(800, pace.nanosPerInstruction());
    }

    @Test
    void idleTimeDoesNotCount() {
        pace.at(10_000, 1_000);
        pace.restart(5_000_000);
        pace.at(5_010_000, 2_000);
        assertEquals(10, pace.nanosPerInstruction());
    }

    @Test
    void staysInItsLimits() {
        pace.at(1, 1_000_000);
        assertEquals(2, pace.nanosPerInstruction());
        pace.at(1_000_000_000L, 1_000_300);
        assertEquals(2_000, pace.nanosPerInstruction());
    }
}
