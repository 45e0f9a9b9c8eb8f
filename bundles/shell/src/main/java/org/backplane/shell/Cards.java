package org.backplane.shell;

import java.util.List;
import java.util.Map;
import org.backplane.board.api.Machine;
import org.backplane.board.api.Machines.CardType;

/** Words for slots and cards. */
final class Cards {
    private Cards() {}

    /** {@code type@version, bundle}, or what is the matter with the slot. */
    static String describe(Machine.SlotInfo s) {
        return s.state().equals("active") ? s.type() + "@" + s.version() + " (" + s.bundle() + ")" : s.type() + " " + s.state();
    }

    static String claims(List<String> claims) {
        return String.join(", ", claims);
    }

    static String properties(Map<String, String> properties) {
        StringBuilder b = new StringBuilder();
        properties.entrySet().stream().sorted(Map.Entry.comparingByKey()).forEach(e -> {
            if (!b.isEmpty()) b.append(", ");
            b.append(e.getKey()).append('=').append(e.getValue());
        });
        return b.toString();
    }

    /** Devices fit by type; the CPU's slots take every card of their kind. */
    static boolean fits(Machine.SlotInfo s, CardType c) {
        return c.kind().equals(s.kind()) && (!s.kind().equals("device") || c.type().equals(s.type()));
    }

    static Machine.SlotInfo slot(Machine m, String name) {
        return m.slots().stream()
                .filter(s -> s.slot().equals(name))
                .findFirst()
                .orElseThrow(() -> new CommandException("there is no slot '" + name + "' in " + m.name() + " (card:list lists them)"));
    }
}
