package org.backplane.kvm.spi.device;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * How the saved state of a card changed from one version to the next, so that older and newer versions of the card exchange state both ways.
 *
 * <pre>{@code
 * StateRules.NONE
 *         .added(2, "fifoDepth", 16)               // version 2 has a value that version 1 lacks
 *         .renamed(3, "lcr", "lineControl")        // version 3 has another name for it
 *         .removed(3, "scratch", 0)                // version 3 lacks it, and version 2 gets a zero
 *         .breaks(4, "the register file is another one")
 * }</pre>
 *
 * <p><b>Who asks.</b> The newer of the two cards knows: an old state is brought up by the rules of the card that loads it, a new state is taken down by the
 * rules of the card that wrote it, which the board keeps beside the state. They are plain data and hold no class of the card.
 *
 * <p><b>Up and down.</b> A step up that has no rule changes nothing: the loading card's defaults stand in. A step down needs a rule, since an older card
 * cannot know what it would miss: without one the state is refused. {@link #unchanged} is the rule for a step that leaves the names alone.
 *
 * <p>Names are those of {@link CardState}; {@code part/name} is a value of a nested state. Immutable.
 */
public final class StateRules {
    /** No rule: states go up as they are, and never down. */
    public static final StateRules NONE = new StateRules(new TreeMap<>(), Map.of());

    /** A change of one value; both directions leave a state alone that has not got what they look for. */
    private interface Rule {
        void up(CardState s);

        void down(CardState s);
    }

    private final NavigableMap<Integer, Map<String, Rule>> steps;
    private final Map<Integer, String> breaks;

    private StateRules(NavigableMap<Integer, Map<String, Rule>> steps, Map<Integer, String> breaks) {
        this.steps = steps;
        this.breaks = breaks;
    }

    /**
     * Version {@code version} saves a value that older ones do not.
     *
     * @param value what stands for it in an older state: a Long, Integer, Boolean, String or byte array
     */
    public StateRules added(int version, String name, Object value) {
        checkValue(name, value);
        return with(version, name, new Rule() {
            @Override
            public void up(CardState s) {
                putIfAbsent(s, name, value);
            }

            @Override
            public void down(CardState s) {
                take(s, name);
            }
        });
    }

    /**
     * Version {@code version} does not save this value any more.
     *
     * @param value what an older card is given: a Long, Integer, Boolean, String or byte array
     */
    public StateRules removed(int version, String name, Object value) {
        checkValue(name, value);
        return with(version, name, new Rule() {
            @Override
            public void up(CardState s) {
                take(s, name);
            }

            @Override
            public void down(CardState s) {
                putIfAbsent(s, name, value);
            }
        });
    }

    /** From version {@code version} on {@code before} is called {@code after}. */
    public StateRules renamed(int version, String before, String after) {
        return with(version, after, new Rule() {
            @Override
            public void up(CardState s) {
                move(s, before, after);
            }

            @Override
            public void down(CardState s) {
                move(s, after, before);
            }
        });
    }

    /** Version {@code version} means something else by a value, or by nothing that has a name, and an older card can do with that. */
    public StateRules unchanged(int version) {
        return with(version, "", new Rule() {
            @Override
            public void up(CardState s) {}

            @Override
            public void down(CardState s) {}
        });
    }

    /** No state crosses from below {@code version} to it or back; {@code why} is what people are told. */
    public StateRules breaks(int version, String why) {
        check(version);
        Map<Integer, String> all = new LinkedHashMap<>(breaks);
        all.put(version, why);
        return new StateRules(steps, Map.copyOf(all));
    }

    private StateRules with(int version, String name, Rule rule) {
        check(version);
        NavigableMap<Integer, Map<String, Rule>> all = new TreeMap<>(steps);
        Map<String, Rule> step = new LinkedHashMap<>(all.getOrDefault(version, Map.of()));
        if (step.putIfAbsent(name, rule) != null) throw new IllegalArgumentException("two rules for " + name + " in version " + version);
        all.put(version, step);
        return new StateRules(all, breaks);
    }

    private static void check(int version) {
        if (version < 2) throw new IllegalArgumentException("the first version that differs from an older one is 2, not " + version);
    }

    private static void checkValue(String name, Object value) {
        new CardState("", 1).set(name, value);
    }

    /**
     * A state as a card can load it.
     *
     * @param writers rules of the card that wrote it
     * @return a copy, or {@code state} itself if it has the card's version
     * @throws StateException if the card does not take it; the message names the versions and why
     */
    public static CardState handOver(CardState state, StateRules writers, DeviceFactory reader) throws StateException {
        if (state.version() < reader.oldestStateVersion()) {
            throw new StateException(from(state, reader.stateVersion()) + "the card takes " + reader.oldestStateVersion() + " and later");
        }
        StateRules newer = state.version() > reader.stateVersion() ? writers : reader.stateRules();
        return newer.convert(state, reader.stateVersion());
    }

    /**
     * A state as a version of the card would have written it.
     *
     * @return a copy; {@code state} itself if it has that version
     * @throws StateException if there is no way: the message names the versions and why
     */
    public CardState convert(CardState state, int version) throws StateException {
        if (state.version() == version) return state;
        CardState s = state.as(version);
        if (state.version() < version) {
            for (int v = state.version() + 1; v <= version; v++) {
                checkPassable(state, version, v);
                for (Rule r : steps.getOrDefault(v, Map.of()).values()) r.up(s);
            }
        } else {
            for (int v = state.version(); v > version; v--) {
                checkPassable(state, version, v);
                Map<String, Rule> step = steps.get(v);
                if (step == null) {
                    throw new StateException(from(state, version) + "no rule of the card that wrote it leads from version " + v + " to " + (v - 1));
                }
                for (Rule r : step.values()) r.down(s);
            }
        }
        return s;
    }

    private void checkPassable(CardState state, int version, int step) throws StateException {
        String why = breaks.get(step);
        if (why != null) throw new StateException(from(state, version) + "version " + step + " does not exchange state with older ones: " + why);
    }

    private static String from(CardState state, int version) {
        return state.type() + ": state version " + state.version() + " cannot become version " + version + ": ";
    }

    /** The state that holds the value, or null. */
    private static CardState holder(CardState s, String name, boolean make) {
        int slash = name.indexOf('/');
        if (slash < 0) return s;
        String part = name.substring(0, slash);
        return make || s.has(part) ? holder(s.child(part), name.substring(slash + 1), make) : null;
    }

    private static String leaf(String name) {
        return name.substring(name.lastIndexOf('/') + 1);
    }

    private static Object take(CardState s, String name) {
        CardState holder = holder(s, name, false);
        return holder == null ? null : holder.take(leaf(name));
    }

    private static void move(CardState s, String from, String to) {
        Object value = take(s, from);
        if (value != null) holder(s, to, true).set(leaf(to), value);
    }

    private static void putIfAbsent(CardState s, String name, Object value) {
        CardState holder = holder(s, name, true);
        if (!holder.has(leaf(name))) holder.set(leaf(name), value);
    }

    @Override
    public String toString() {
        return steps.entrySet().stream()
                .map(e -> "v" + e.getKey() + " " + e.getValue().keySet())
                .collect(Collectors.joining(", ", "StateRules {", "}"));
    }
}
