package org.backplane.shell;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.backplane.board.api.ExitStats;
import org.backplane.board.api.ExitWatch;
import org.backplane.board.api.Machine;
import org.jline.terminal.Attributes;
import org.jline.terminal.Attributes.LocalFlag;
import org.jline.terminal.Terminal;
import org.jline.utils.NonBlockingReader;

/**
 * The live view of VM exits: refreshed in place on a terminal until q or Ctrl-C; elsewhere one interval, once. Exits are timed as long as it lasts.
 *
 * <p><b>Threading.</b> The caller's.
 */
final class ExitTop {
    private static final int CTRL_C = 3;

    private final Machine machine;
    private final long intervalMillis;
    private final PrintStream out;
    private ExitStats before;

    ExitTop(Machine machine, double seconds, PrintStream out) {
        this.machine = machine;
        intervalMillis = Math.max(1, Math.round(seconds * 1000));
        this.out = out;
    }

    /** Measures one interval and prints it. */
    void once() throws InterruptedException {
        try (ExitWatch watch = machine.inspector().watchExits()) {
            before = machine.inspector().exits();
            Thread.sleep(intervalMillis);
            lines(machine.inspector().exits()).forEach(out::println);
        }
    }

    /** Refreshes until a key ends it, the machine ends, or so many times; 0 for ever. */
    void live(Terminal terminal, int times) throws IOException {
        Attributes saved = terminal.enterRawMode();
        Attributes raw = new Attributes(terminal.getAttributes());
        raw.setLocalFlag(LocalFlag.ISIG, false);
        terminal.setAttributes(raw);
        try (ExitWatch watch = machine.inspector().watchExits()) {
            out.print("\033[2J");
            before = machine.inspector().exits();
            for (int n = 0; times == 0 || n < times; n++) {
                if (stop(terminal.reader())) return;
                draw(terminal);
            }
        } catch (InterruptedIOException e) {
            Thread.currentThread().interrupt();
        } finally {
            terminal.setAttributes(saved);
            out.println();
        }
    }

    /** Waits for the end of the interval; true if there is an end of it all. */
    private boolean stop(NonBlockingReader keys) throws IOException {
        long end = System.nanoTime() + intervalMillis * 1_000_000;
        for (long left = intervalMillis; left > 0; left = (end - System.nanoTime()) / 1_000_000) {
            int key = keys.read(left);
            if (key == 'q' || key == 'Q' || key == CTRL_C || key == NonBlockingReader.EOF) return true;
            if (machine.state() == Machine.State.ENDED) return true;
        }
        return false;
    }

    private void draw(Terminal terminal) {
        List<String> lines = lines(machine.inspector().exits());
        int height = Math.max(1, terminal.getHeight() - 1);
        int width = Math.max(1, terminal.getWidth());
        StringBuilder b = new StringBuilder("\033[H");
        for (String l : lines.subList(0, Math.min(height, lines.size()))) {
            b.append(l, 0, Math.min(width, l.length())).append("\033[K\r\n");
        }
        out.print(b.append("\033[J"));
        out.flush();
    }

    private List<String> lines(ExitStats now) {
        double seconds = Math.max(1, now.atNanos() - before.atNanos()) / 1e9;
        long handling = 0;
        for (ExitStats.Reason r : now.reasons()) handling += r.nanos();
        for (ExitStats.Reason r : before.reasons()) handling -= r.nanos();
        String head = String.format(Locale.ROOT, "%s is %s: %.1f million instructions/s, %.1f %% of time in exits; q ends", machine.name(),
                State.of(machine), (now.instructions() - before.instructions()) / seconds / 1e6, handling / seconds / 1e7);
        List<String> all = new ArrayList<>(List.of(head, ""));
        all.addAll(ExitTable.of(now, before).lines());
        before = now;
        return all;
    }
}
