package org.backplane.board.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Map;
import org.backplane.board.api.BoardException;
import org.backplane.devicekit.Controls;
import org.backplane.kvm.spi.device.CardControls;
import org.backplane.kvm.spi.device.DeviceFactory.Property;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What people do with a card. */
class ControlsTest {
    private static final String HALT = "f4 ebfd";

    private final BoardRig rig = new BoardRig();
    private final ProbeCard probe = new ProbeCard();
    private PcMachine machine;

    @BeforeEach
    void plug() throws Exception {
        probe.onAttach = p -> p.context.provide(CardControls.class, new Controls()
                .add("set", "VALUE", "sets the register", a -> {
                    p.value = Controls.number(a.getFirst(), 0, 255);
                    return p.context.machine() + "/" + p.context.slot() + " is " + p.value;
                })
                .add("break", "", "throws", a -> {
                    throw new IllegalStateException("broken");
                }));
        rig.cards.device(probe, "1.0.0");
        machine = rig.machine(HALT, "device=probe,id=p");
    }

    @AfterEach
    void stop() {
        rig.close();
    }

    private String refusal(String slot, String control, String... arguments) {
        return assertThrows(BoardException.class, () -> machine.use(slot, control, List.of(arguments))).getMessage();
    }

    @Test
    void aControlIsUsedWhetherTheGuestRunsOrIsPaused() throws Exception {
        assertEquals("test/p is 3", machine.use("p", "set", List.of("3")));
        machine.start();
        assertEquals("test/p is 4", machine.use("p", "set", List.of("4")));
        machine.pause();
        assertEquals("test/p is 5", machine.use("p", "set", List.of("5")));
        assertEquals(5, probe.last().value);
        assertEquals(List.of("set", "break"), machine.controls("p").stream().map(CardControls.Control::name).toList());
    }

    @Test
    void whatIsWrongIsToldWithTheSlot() {
        assertEquals("slot p: usage: set VALUE", refusal("p", "set"));
        assertEquals("slot p: '300' is no number from 0 to 255", refusal("p", "set", "300"));
        assertEquals("there is no slot 'q'", refusal("q", "set"));
    }

    @Test
    void aCardThatThrowsIsReportedAndServesOn() throws Exception {
        assertEquals("slot p: the card threw java.lang.IllegalStateException: broken", refusal("p", "break"));
        assertEquals("test/p is 6", machine.use("p", "set", List.of("6")));
    }

    @Test
    void aCardWithoutControlsHasNone() throws Exception {
        probe.onAttach = p -> {};
        machine.plug("probe", "bare", Map.of("regs", ""));
        assertEquals(List.of(), machine.controls("bare"));
        assertEquals("the card in slot bare has no controls", refusal("bare", "set", "1"));
    }

    @Test
    void aPropertyThatIsNoNumberIsNamed() throws Exception {
        probe.properties.add(new Property("size", "0x10", "of the test"));
        long[] size = {0};
        probe.onAttach = p -> size[0] = p.context.number("size");
        machine.plug("probe", "a", Map.of("regs", ""));
        assertEquals(16, size[0]);
        BoardException e = assertThrows(BoardException.class, () -> machine.plug("probe", "b", Map.of("regs", "", "size", "much")));
        assertEquals("slot b: card probe cannot be attached: slot b: size=much is no number, decimal or with 0x", e.getMessage().replaceAll("@1.0.0 \\(bundle \\d+\\)", ""));
    }
}
