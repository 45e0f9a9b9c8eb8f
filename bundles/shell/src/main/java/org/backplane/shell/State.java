package org.backplane.shell;

import java.util.Locale;
import org.backplane.board.api.Machine;

/** What a machine is doing, in words. */
final class State {
    private State() {}

    static String of(Machine m) {
        String state = m.state().name().toLowerCase(Locale.ROOT);
        String detail = m.stateDetail();
        return detail.isEmpty() ? state : detail.startsWith(state) ? detail : state + ": " + detail;
    }
}
