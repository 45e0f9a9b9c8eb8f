package org.backplane.storm;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine.SlotInfo;

/**
 * What a storm is to do, as people write it: {@code COUNT[,CARD…][,seed=N]}.
 *
 * @param count swaps, at least 1
 * @param cards names of slots; none means all that have a card
 * @param seed of every choice; the same seed makes the same choices
 */
record StormPlan(int count, List<String> cards, long seed) {
    private static final String SEED = "seed=";
    private static final int SEEDS = 1_000_000;

    /**
     * @param slots those of the machine
     * @throws BoardException with one line that says what is wrong
     */
    static StormPlan parse(String text, List<SlotInfo> slots) throws BoardException {
        String[] words = text.split(",", -1);
        List<String> cards = new ArrayList<>();
        long seed = ThreadLocalRandom.current().nextInt(SEEDS);
        for (int i = 1; i < words.length; i++) {
            if (words[i].startsWith(SEED)) seed = seed(words[i].substring(SEED.length()));
            else if (!cards.contains(words[i])) cards.add(card(words[i], slots));
        }
        return new StormPlan(count(words[0]), List.copyOf(cards), seed);
    }

    private static int count(String text) throws BoardException {
        if (!text.matches("[0-9]{1,9}")) throw new BoardException("storm: '" + text + "' is no number of swaps");
        int count = Integer.parseInt(text);
        if (count == 0) throw new BoardException("storm: at least one swap, not 0");
        return count;
    }

    private static long seed(String text) throws BoardException {
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw new BoardException("storm: seed '" + text + "' is not a number");
        }
    }

    private static String card(String name, List<SlotInfo> slots) throws BoardException {
        for (SlotInfo s : slots) {
            if (!s.slot().equals(name)) continue;
            if (s.state().equals("empty")) throw new BoardException("storm: slot " + name + " has no card");
            return name;
        }
        throw new BoardException("storm: there is no slot '" + name + "' (there is: "
                + String.join(", ", slots.stream().map(SlotInfo::slot).toList()) + ")");
    }
}
