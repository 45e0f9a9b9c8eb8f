package org.backplane.devicekit;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.backplane.kvm.spi.device.CardControls;

/**
 * What people can do with a card, declared. Checks names and the number of arguments.
 *
 * <pre>{@code
 * context.provide(CardControls.class, new Controls()
 *         .add("press", "BUTTON", "presses a button, 0 to 7", a -> press(Controls.number(a.getFirst(), 0, 7)))
 *         .add("show", "", "shows the lamps", a -> lamps()));
 * }</pre>
 */
public final class Controls implements CardControls {
    private record Entry(Control control, int least, int most, Function<List<String>, String> action) {}

    private final Map<String, Entry> entries = new LinkedHashMap<>();

    /**
     * Declares a control.
     *
     * @param arguments words in capitals, separated by blanks, the optional ones in brackets and last
     * @param action takes the arguments, answers what people are told
     */
    public Controls add(String name, String arguments, String description, Function<List<String>, String> action) {
        List<String> words = arguments.isEmpty() ? List.of() : List.of(arguments.split(" "));
        int least = (int) words.stream().filter(w -> !w.startsWith("[")).count();
        Entry e = new Entry(new Control(name, arguments, description), least, words.size(), action);
        if (entries.putIfAbsent(name, e) != null) throw new IllegalArgumentException("two controls " + name);
        return this;
    }

    @Override
    public List<Control> controls() {
        return entries.values().stream().map(Entry::control).toList();
    }

    @Override
    public String use(String control, List<String> arguments) {
        Entry e = entries.get(control);
        if (e == null) throw new IllegalArgumentException("there is no control '" + control + "' (there is: " + String.join(", ", entries.keySet()) + ")");
        if (arguments.size() < e.least || arguments.size() > e.most) {
            throw new IllegalArgumentException("usage: " + (control + " " + e.control.arguments()).strip());
        }
        return e.action.apply(arguments);
    }

    /**
     * A number in a range, decimal or with 0x.
     *
     * @throws IllegalArgumentException if the text is none
     */
    public static int number(String text, int least, int most) {
        try {
            int n = Integer.decode(text);
            if (n >= least && n <= most) return n;
        } catch (NumberFormatException e) {
            // Falls through to the one message.
        }
        throw new IllegalArgumentException("'" + text + "' is no number from " + least + " to " + most);
    }
}
