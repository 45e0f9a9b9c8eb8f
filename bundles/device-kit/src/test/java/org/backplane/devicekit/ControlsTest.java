package org.backplane.devicekit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.backplane.kvm.spi.device.CardControls.Control;
import org.junit.jupiter.api.Test;

class ControlsTest {
    private final Controls controls = new Controls()
            .add("press", "BUTTON [SECONDS]", "presses a button", a -> "pressed " + a)
            .add("show", "", "shows the lamps", a -> "...");

    private String refusal(String control, String... arguments) {
        return assertThrows(IllegalArgumentException.class, () -> controls.use(control, List.of(arguments))).getMessage();
    }

    @Test
    void controlsAreListedAsDeclared() {
        assertEquals(
                List.of(new Control("press", "BUTTON [SECONDS]", "presses a button"), new Control("show", "", "shows the lamps")),
                controls.controls());
    }

    @Test
    void argumentsGoToTheAction() {
        assertEquals("pressed [3]", controls.use("press", List.of("3")));
        assertEquals("pressed [3, 2]", controls.use("press", List.of("3", "2")));
        assertEquals("...", controls.use("show", List.of()));
    }

    @Test
    void aWrongNumberOfArgumentsIsToldWhatItShouldBe() {
        assertEquals("usage: press BUTTON [SECONDS]", refusal("press"));
        assertEquals("usage: press BUTTON [SECONDS]", refusal("press", "1", "2", "3"));
        assertEquals("usage: show", refusal("show", "1"));
    }

    @Test
    void anUnknownControlIsToldWhatThereIs() {
        assertEquals("there is no control 'kick' (there is: press, show)", refusal("kick"));
    }

    @Test
    void numbersAreCheckedAgainstTheirRange() {
        assertEquals(7, Controls.number("7", 0, 7));
        assertEquals(0x1f, Controls.number("0x1f", 0, 255));
        for (String bad : List.of("8", "-1", "x", "")) {
            assertEquals(
                    "'" + bad + "' is no number from 0 to 7",
                    assertThrows(IllegalArgumentException.class, () -> Controls.number(bad, 0, 7)).getMessage());
        }
    }

    @Test
    void aNameIsGivenOnce() {
        assertThrows(IllegalArgumentException.class, () -> controls.add("show", "", "", a -> ""));
    }
}
