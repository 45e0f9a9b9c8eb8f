package org.backplane.board.machine;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.backplane.board.api.Machine.CardReport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What becomes of cards that do what they must not: each gets a report, in the log and for {@code Machine.cardReports}, and one that goes on is
 * unplugged. The guest and all other cards go on.
 *
 * <p><b>One that throws</b> has its access answered as by an empty bus, and stays: one bad access in a driver's test should not cost its state. The first throw is
 * reported with its stack trace, and after {@link #THROWS} of them the card is unplugged. <b>One that hangs</b> is unplugged at once.
 *
 * <p><b>Threading.</b> Any thread: a card throws where it is called.
 */
final class CardFaults {
    /** A card may throw so often, and is unplugged at the next. */
    static final int THROWS = 16;

    private static final Logger LOG = LoggerFactory.getLogger(CardFaults.class);
    private static final int KEPT = 100;

    private final PcMachine machine;
    private final Deque<CardReport> reports = new ArrayDeque<>();

    CardFaults(PcMachine machine) {
        this.machine = machine;
    }

    synchronized List<CardReport> reports() {
        return new ArrayList<>(reports);
    }

    /** A report that is one line. */
    void report(Slot slot, String what) {
        report(slot, what, null);
    }

    private void report(Slot slot, String what, Throwable details) {
        report(slot.name(), slot.card == null ? slot.type() : slot.card.describe(), what, details);
    }

    void report(String slot, String card, String what, Throwable details) {
        CardReport r = new CardReport(slot, card, what);
        synchronized (this) {
            if (reports.size() == KEPT) reports.removeFirst();
            reports.add(r);
        }
        LOG.error("machine {}: slot {}: card {} {}", machine.name(), slot, card, what, details);
    }

    /** A callback of the card in this slot threw. */
    void threw(String slotName, Throwable e) {
        Slot slot = machine.board().find(slotName).orElse(null);
        if (slot == null) {
            LOG.error("machine {}: {} threw", machine.name(), slotName, e);
            return;
        }
        if (e instanceof CardLimitException) {
            report(slot, "hangs: " + e.getMessage() + ", and is unplugged", e);
            cutOffLater(slot);
            return;
        }
        int throwsBefore = slot.faults++;
        if (throwsBefore == 0) report(slot, "threw " + e + "; what it was asked for counts as not answered", e);
        if (throwsBefore < THROWS) return;
        if (throwsBefore == THROWS) report(slot, "has thrown more than " + THROWS + " times, at last " + e + ", and is unplugged", null);
        cutOffLater(slot);
    }

    /** Behind the callback that is running. */
    private void cutOffLater(Slot slot) {
        CardContext context = slot.context;
        machine.later(() -> {
            if (slot.context == context && context != null) machine.board().cutOff(slot, true);
        });
    }

    /** The card in this slot has kept the machine's thread, which is another now. On that one. */
    void hung(Slot slot, long millis, StackTraceElement[] where) {
        Throwable details = new CardLimitException("it is here");
        details.setStackTrace(where);
        report(slot, "hangs: it did not come back from a call within " + millis + " ms, and is unplugged", details);
        machine.board().cutOff(slot, false);
    }
}
