package org.backplane.shell;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a command takes, as its help writes it: words separated by blanks. A word in capitals is a kind of argument ({@link Candidates} knows some), another one stands
 * for itself; {@code [X]} may be left out, {@code A|B} is one or the other, {@code X…} is the last and may come again.
 *
 * <p>The only optional word that may precede others is {@code [MACHINE]}: an argument that names a machine is taken for it. {@code [-X]} and {@code [-X Y]}
 * are options, of which the latter has a value; they may stand anywhere.
 */
final class Syntax {
    private static final String MACHINE = "[MACHINE]";

    /** Options: {@code [-name]}, or {@code [-name VALUE]}. */
    private static final Pattern OPTION = Pattern.compile("\\[(-\\S+?)(?: (\\S+))?]");

    private final List<String> words;

    /** Kinds of the values of options by name; empty for one without a value. */
    private final Map<String, String> options = new LinkedHashMap<>();

    Syntax(String text) {
        Matcher m = OPTION.matcher(text);
        while (m.find()) options.put(m.group(1), m.group(2) == null ? "" : m.group(2));
        words = Arrays.stream(m.replaceAll("").split(" ")).filter(w -> !w.isEmpty()).toList();
    }

    /**
     * What may stand at a place: names of kinds, and words that stand for themselves.
     *
     * @param before the arguments before that place
     */
    List<String> at(List<String> before, Predicate<String> isMachine) {
        String value = before.isEmpty() ? "" : options.getOrDefault(before.getLast(), "");
        if (!value.isEmpty()) return List.of(value);
        List<String> possible = positional(withoutOptions(before), isMachine);
        options.keySet().stream().filter(o -> !before.contains(o)).forEach(possible::add);
        return possible;
    }

    private List<String> withoutOptions(List<String> before) {
        List<String> left = new ArrayList<>();
        for (int i = 0; i < before.size(); i++) {
            String value = options.get(before.get(i));
            if (value == null) left.add(before.get(i));
            else if (!value.isEmpty()) i++;
        }
        return left;
    }

    private List<String> positional(List<String> before, Predicate<String> isMachine) {
        List<String> possible = new ArrayList<>();
        int place = before.size();
        if (!words.isEmpty() && words.getFirst().equals(MACHINE)) {
            if (place == 0) add(possible, 0);
            boolean given = place > 0 && isMachine.test(before.getFirst());
            add(possible, given ? place : place + 1);
        } else {
            add(possible, place);
        }
        return possible;
    }

    private void add(List<String> possible, int index) {
        if (words.isEmpty()) return;
        int last = words.size() - 1;
        if (index > last && !words.get(last).endsWith("…")) return;
        String word = words.get(Math.min(index, last)).replaceAll("[\\[\\]…]", "");
        possible.addAll(List.of(word.split("\\|")));
    }
}
