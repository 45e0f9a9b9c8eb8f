package org.backplane.shell;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;

/**
 * What a command takes, as its help writes it: words separated by blanks. A word in capitals is a kind of argument ({@link Candidates} knows some), another one stands
 * for itself; {@code [X]} may be left out, {@code A|B} is one or the other, {@code X…} is the last and may come again.
 *
 * <p>The only optional word that may precede others is {@code [MACHINE]}: an argument that names a machine is taken for it.
 */
final class Syntax {
    private static final String MACHINE = "[MACHINE]";

    private final List<String> words;

    Syntax(String text) {
        words = Arrays.stream(text.split(" ")).filter(w -> !w.isEmpty()).toList();
    }

    /**
     * What may stand at a place: names of kinds, and words that stand for themselves.
     *
     * @param before the arguments before that place
     */
    List<String> at(List<String> before, Predicate<String> isMachine) {
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
