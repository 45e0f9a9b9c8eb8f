package org.backplane.board.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Map;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine.State;
import org.backplane.board.cards.TestCards.TestBundle;
import org.backplane.kvm.spi.device.StateRules;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Older and newer versions of a card take each other's place by the rules that the newer one declares. */
class StateVersionsTest {
    /** Writes a number to the card once, and halts. */
    private static final String WRITE_5A = "ba0005 b05a ee f4 ebfd";

    private final BoardRig rig = new BoardRig();
    private final ProbeCard old = new ProbeCard();
    private final ProbeCard young = new ProbeCard();

    @BeforeEach
    void theYoungOneCallsItsValueSomethingElse() {
        young.stateVersion = 2;
        young.valueName = "data";
        young.stateRules = StateRules.NONE.renamed(2, "value", "data");
    }

    @AfterEach
    void stop() {
        rig.close();
    }

    private PcMachine machineWith(ProbeCard first) throws Exception {
        PcMachine m = rig.machine(WRITE_5A);
        m.plug("probe", "p", Map.of());
        m.start();
        BoardRig.await("the guest writes", () -> first.last().value == 0x5a);
        return m;
    }

    @Test
    void theNewerCardLoadsTheOldersStateByItsOwnRules() throws Exception {
        rig.cards.device(old, "1.0.0");
        PcMachine m = machineWith(old);
        rig.cards.device(young, "2.0.0");
        m.swap("p", "probe@2.0.0");
        assertEquals(0x5a, young.last().value);
    }

    @Test
    void theOlderCardLoadsTheNewersStateByTheNewersRules() throws Exception {
        rig.cards.device(young, "2.0.0");
        PcMachine m = machineWith(young);
        rig.cards.device(old, "1.0.0");
        m.swap("p", "probe@1.0.0");
        assertEquals(0x5a, old.last().value);
        m.swap("p", "probe@2.0.0");
        assertEquals(0x5a, young.last().value);
    }

    @Test
    void parkedStateKeepsTheRulesOfTheCardThatLeft() throws Exception {
        TestBundle bundle = rig.cards.device(young, "2.0.0");
        PcMachine m = machineWith(young);
        bundle.stop();
        assertEquals(State.WAITING, m.state());
        rig.cards.device(old, "1.0.0");
        assertEquals(State.RUNNING, m.state());
        assertEquals(0x5a, old.last().value);
    }

    @Test
    void aStateThatIsTooOldIsRefusedAndTheOldCardServesOn() throws Exception {
        rig.cards.device(old, "1.0.0");
        PcMachine m = machineWith(old);
        young.oldestStateVersion = 2;
        rig.cards.device(young, "2.0.0");
        BoardException e = assertThrows(BoardException.class, () -> m.swap("p", "probe@2.0.0"));
        assertEquals(
                "slot p: card probe@2.0.0 does not take the state of probe@1.0.0: probe: state version 1 cannot become version 2: the card takes 2 and later",
                e.getMessage().replaceAll(" \\(bundle \\d+\\)", ""));
        assertEquals("1.0.0", rig.slot("p").version());
    }

    @Test
    void aNewerStateWithoutARuleIsRefusedAndTheNewerCardServesOn() throws Exception {
        young.stateRules = StateRules.NONE;
        rig.cards.device(young, "2.0.0");
        PcMachine m = machineWith(young);
        rig.cards.device(old, "1.0.0");
        BoardException e = assertThrows(BoardException.class, () -> m.swap("p", "probe@1.0.0"));
        assertEquals(
                "slot p: card probe@1.0.0 does not take the state of probe@2.0.0: probe: state version 2 cannot become version 1: "
                        + "no rule of the card that wrote it leads from version 2 to 1",
                e.getMessage().replaceAll(" \\(bundle \\d+\\)", ""));
        assertEquals("2.0.0", rig.slot("p").version());
        assertEquals(0x5a, young.last().value);
    }
}
