package org.backplane.storm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Map;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine.SlotInfo;
import org.junit.jupiter.api.Test;

class StormPlanTest {
    private static final List<SlotInfo> SLOTS = List.of(slot("mmu", "waiting"), slot("com1", "active"), slot("fdc", "empty"));

    private static SlotInfo slot(String name, String state) {
        return new SlotInfo(name, "device", "type", "1.0.0", state, "bundle", List.of(), Map.of());
    }

    private static String refusal(String plan) {
        return assertThrows(BoardException.class, () -> StormPlan.parse(plan, SLOTS)).getMessage();
    }

    @Test
    void aCountAloneMeansAllCards() throws BoardException {
        StormPlan p = StormPlan.parse("10000", SLOTS);
        assertEquals(10_000, p.count());
        assertEquals(List.of(), p.cards());
    }

    @Test
    void cardsAndSeedStandInAnyOrder() throws BoardException {
        assertEquals(new StormPlan(5, List.of("com1", "mmu"), -7), StormPlan.parse("5,com1,seed=-7,mmu,com1", SLOTS));
    }

    @Test
    void whatMakesNoSenseIsOneLineThatNamesIt() {
        assertEquals("storm: 'lots' is no number of swaps", refusal("lots"));
        assertEquals("storm: '-1' is no number of swaps", refusal("-1"));
        assertEquals("storm: '' is no number of swaps", refusal(""));
        assertEquals("storm: '9999999999' is no number of swaps", refusal("9999999999"));
        assertEquals("storm: at least one swap, not 0", refusal("0"));
        assertEquals("storm: there is no slot 'com9' (there is: mmu, com1, fdc)", refusal("5,com9"));
        assertEquals("storm: there is no slot '' (there is: mmu, com1, fdc)", refusal("5,"));
        assertEquals("storm: slot fdc has no card", refusal("5,fdc"));
        assertEquals("storm: seed 'x' is not a number", refusal("5,seed=x"));
    }
}
