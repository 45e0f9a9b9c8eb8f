package org.backplane.shell;

import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import org.backplane.board.api.RegisterTrace;
import org.backplane.board.api.RegisterTrace.Entry;

/** The trace of a card's registers as text. */
final class RegisterTraceText {
    private RegisterTraceText() {}

    /** What a trace is and holds, in one line. */
    static String status(String slot, RegisterTrace t) {
        if (t.recorded() == 0 && !t.running()) return slot + ": no trace (card:trace " + slot + " on starts one)";
        String lost = t.recorded() > t.entries().size() ? ", the last " + Units.count(t.entries().size()) + " kept" : "";
        return slot + ": trace " + (t.running() ? "on" : "off") + "; " + Units.count(t.recorded()) + " recorded" + lost;
    }

    /** The last accesses, the oldest first. */
    static void print(RegisterTrace trace, int count, PrintStream out) {
        List<Entry> entries = trace.entries();
        Table t = new Table("NUMBER>", "TIME>", "RIP>", "ACCESS", "REGISTER", "VALUE>", "FIELDS").tight();
        for (Entry e : entries.subList(Math.max(0, entries.size() - count), entries.size())) {
            t.row(
                    e.number(),
                    String.format(Locale.ROOT, "%.6f", e.guestNanos() / 1e9),
                    String.format("%08x", e.rip()),
                    e.write() ? "write" : "read",
                    e.register(),
                    String.format("%0" + e.bits() / 4 + "x", e.value()),
                    e.fields());
        }
        t.print(out);
    }
}
