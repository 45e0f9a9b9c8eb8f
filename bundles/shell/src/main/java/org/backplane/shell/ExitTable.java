package org.backplane.shell;

import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.backplane.board.api.ExitStats;
import org.backplane.board.api.ExitStats.Reason;

/**
 * Exits by reason in the columns of {@code perf kvm stat}: how many, how many a second, which share of the time spent in exits, and the time of one.
 *
 * <p>With figures of an earlier moment, rate, share of the time and average are those of the interval; counts and extremes are those of all time.
 */
final class ExitTable {
    private ExitTable() {}

    /** What came of one reason in an interval. */
    private record Line(Reason now, long came, long timed, long nanos) {}

    /** @param before an earlier moment, or null */
    static Table of(ExitStats now, ExitStats before) {
        Map<Integer, Reason> old = new HashMap<>();
        if (before != null) for (Reason r : before.reasons()) old.put(r.reason(), r);
        List<Line> lines = now.reasons().stream()
                .map(r -> line(r, old.get(r.reason())))
                .sorted(Comparator.comparingLong(Line::came).reversed().thenComparing(l -> -l.now.count()).thenComparing(l -> l.now.name()))
                .toList();
        double seconds = before == null ? 0 : Math.max(1, now.atNanos() - before.atNanos()) / 1e9;
        boolean times = lines.stream().anyMatch(l -> l.timed > 0);
        Table t = new Table(heads(seconds > 0, times));
        long total = now.total();
        long nanos = lines.stream().mapToLong(Line::nanos).sum();
        for (Line l : lines) t.row((Object[]) row(l, total, nanos, seconds, times));
        long came = lines.stream().mapToLong(Line::came).sum();
        long timed = lines.stream().mapToLong(Line::timed).sum();
        Reason all = new Reason(-1, "total", total, timed, nanos, 0, 0);
        t.row((Object[]) row(new Line(all, came, timed, nanos), total, nanos, seconds, times));
        return t;
    }

    private static Line line(Reason now, Reason before) {
        // Another CPU backend counts from 0.
        if (before == null || before.count() > now.count()) return new Line(now, now.count(), now.timed(), now.nanos());
        return new Line(now, now.count() - before.count(), now.timed() - before.timed(), now.nanos() - before.nanos());
    }

    private static String[] heads(boolean rates, boolean times) {
        if (!times) return rates ? new String[] {"VM-EXIT", "COUNT>", "COUNT%>", "RATE/s>"} : new String[] {"VM-EXIT", "COUNT>", "COUNT%>"};
        return rates
                ? new String[] {"VM-EXIT", "COUNT>", "COUNT%>", "RATE/s>", "TIME%>", "AVERAGE>", "MIN>", "MAX>"}
                : new String[] {"VM-EXIT", "COUNT>", "COUNT%>", "TIME%>", "AVERAGE>", "MIN>", "MAX>"};
    }

    private static String[] row(Line l, long total, long nanos, double seconds, boolean times) {
        boolean sum = l.now.reason() < 0;
        String[] cells = new String[3 + (seconds > 0 ? 1 : 0) + (times ? 4 : 0)];
        int i = 0;
        cells[i++] = l.now.name();
        cells[i++] = Units.count(l.now.count());
        cells[i++] = sum ? "" : share(l.now.count(), total);
        if (seconds > 0) cells[i++] = Units.count(Math.round(l.came / seconds));
        if (times) {
            cells[i++] = sum || l.timed == 0 ? "" : share(l.nanos, nanos);
            cells[i++] = l.timed == 0 ? "" : Units.duration(l.nanos / l.timed);
            cells[i++] = sum || l.now.timed() == 0 ? "" : Units.duration(l.now.minNanos());
            cells[i] = sum || l.now.timed() == 0 ? "" : Units.duration(l.now.maxNanos());
        }
        return cells;
    }

    private static String share(long part, long all) {
        return String.format(Locale.ROOT, "%.1f", 100.0 * part / Math.max(all, 1));
    }
}
