package com.example.gpio;

import java.util.List;
import java.util.function.IntConsumer;
import java.util.function.IntSupplier;
import org.backplane.devicekit.Controls;

/** What people see of the card and can press: {@code card:use gpio0 press 3} in the shell. Called as callbacks of the card, like all it does. */
final class FrontPanel {
    static final int BUTTONS = 8;

    private final IntSupplier lit;
    private final IntSupplier down;

    /** @param lit LEDs and {@code down} buttons, a bit each */
    FrontPanel(IntSupplier lit, IntSupplier down) {
        this.lit = lit;
        this.down = down;
    }

    /** The controls; each of the actions takes a button. */
    Controls controls(IntConsumer press, IntConsumer hold, IntConsumer release) {
        return new Controls()
                .add("show", "", "shows LEDs and buttons", a -> picture())
                .add("press", "BUTTON", "presses a button, 0 to 7, and lets it go after 0.2 s", a -> on(press, a))
                .add("hold", "BUTTON", "presses a button and keeps it down", a -> on(hold, a))
                .add("release", "BUTTON", "lets a button go", a -> on(release, a));
    }

    private String on(IntConsumer action, List<String> arguments) {
        action.accept(Controls.number(arguments.getFirst(), 0, BUTTONS - 1));
        return "";
    }

    /** Pin 7 is on the left, as in a binary number. */
    String picture() {
        StringBuilder numbers = new StringBuilder("          ");
        StringBuilder leds = new StringBuilder("A LEDs    ");
        StringBuilder buttons = new StringBuilder("B buttons ");
        for (int i = BUTTONS - 1; i >= 0; i--) {
            numbers.append(' ').append(i);
            leds.append(' ').append((lit.getAsInt() >> i & 1) != 0 ? '*' : '.');
            buttons.append(' ').append((down.getAsInt() >> i & 1) != 0 ? '#' : '.');
        }
        return numbers + "\n" + leds + "\n" + buttons;
    }
}
