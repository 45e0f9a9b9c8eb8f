package org.backplane.kvm.spi.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;

class StateRulesTest {
    private static final StateRules RULES = StateRules.NONE
            .added(2, "depth", 16)
            .renamed(3, "lcr", "lineControl")
            .removed(3, "scratch", 7)
            .unchanged(4)
            .breaks(5, "the register file is another one");

    private static CardState v1() {
        return new CardState("uart", 1).put("lcr", 3).put("scratch", 0x5a);
    }

    @Test
    void anOldStateIsBroughtUpStepByStep() throws StateException {
        CardState s = RULES.convert(v1(), 4);
        assertEquals("uart v4 { depth=16 lineControl=3 }", s.toString());
    }

    @Test
    void aNewStateIsTakenDownStepByStep() throws StateException {
        CardState v4 = new CardState("uart", 4).put("lineControl", 3).put("depth", 64);
        assertEquals("uart v2 { depth=64 lcr=3 scratch=7 }", RULES.convert(v4, 2).toString());
        assertEquals("uart v1 { lcr=3 scratch=7 }", RULES.convert(v4, 1).toString());
        assertEquals("uart v4 { depth=64 lineControl=3 }", v4.toString());
    }

    @Test
    void aStateOfTheSameVersionIsLeftAlone() throws StateException {
        CardState s = v1();
        assertSame(s, RULES.convert(s, 1));
    }

    @Test
    void whatAnOldStateHasAlreadyIsKept() throws StateException {
        assertEquals(8, RULES.convert(v1().put("depth", 8), 2).getLong("depth", 0));
    }

    @Test
    void acrossABreakThereIsNoWayAndTheReasonIsTold() {
        StateException up = assertThrows(StateException.class, () -> RULES.convert(v1(), 5));
        assertEquals(
                "uart: state version 1 cannot become version 5: version 5 does not exchange state with older ones: the register file is another one",
                up.getMessage());
        assertThrows(StateException.class, () -> RULES.convert(new CardState("uart", 5), 4));
    }

    @Test
    void upWithoutARuleNothingChangesAndDownThereIsNoWay() throws StateException {
        assertEquals("uart v2 { lcr=3 scratch=90 }", StateRules.NONE.convert(v1(), 2).toString());
        StateException down = assertThrows(StateException.class, () -> StateRules.NONE.added(3, "x", 1).convert(new CardState("uart", 3), 1));
        assertEquals(
                "uart: state version 3 cannot become version 1: no rule of the card that wrote it leads from version 2 to 1", down.getMessage());
    }

    @Test
    void valuesOfPartsAreNamedByTheirPath() throws StateException {
        CardState s = new CardState("pic", 1);
        s.child("master").put("imr", 0xff);
        StateRules rules = StateRules.NONE.renamed(2, "master/imr", "first/mask").added(2, "timers/poll", 5).removed(2, "slave/gone", 1);
        CardState up = rules.convert(s, 2);
        assertEquals(0xff, up.child("first").getLong("mask", 0));
        assertEquals(5, up.child("timers").getLong("poll", 0));
        assertFalse(up.has("slave"), "a part that was not there is not made by taking a value out of it");
        CardState down = rules.convert(up, 1);
        assertEquals(0xff, down.child("master").getLong("imr", 0));
        assertEquals(1, down.child("slave").getLong("gone", 0));
        assertEquals(1, down.child("master").version());
    }

    @Test
    void aDefaultMayBeOfAnyKindThatAStateHolds() throws StateException {
        CardState s = StateRules.NONE.added(2, "b", true).added(2, "s", "x").added(2, "a", new byte[] {1, 2}).added(2, "l", 5L).convert(v1(), 2);
        assertEquals(1, s.getLong("b", 0));
        assertEquals("x", s.getString("s", ""));
        assertArrayEquals(new byte[] {1, 2}, s.getBytes("a", null));
        assertEquals(5, s.getLong("l", 0));
        assertThrows(IllegalArgumentException.class, () -> StateRules.NONE.added(2, "x", List.of()));
    }

    @Test
    void rulesThatContradictEachOtherAreRefusedWhenDeclared() {
        assertThrows(IllegalArgumentException.class, () -> RULES.added(2, "depth", 8));
        assertThrows(IllegalArgumentException.class, () -> RULES.added(1, "early", 0));
    }
}
