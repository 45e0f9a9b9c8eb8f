package org.backplane.itests.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine;
import org.backplane.board.api.Machine.SlotInfo;
import org.backplane.board.api.Machines;

/**
 * A machine that runs {@code numbers.txt}: a guest that prints numbered lines without a rest, on COM1, on the debug console and on the screen, while
 * it uses timer, clock, keyboard and paging. What comes out tells whether anything was lost, doubled or wrong, and which cards still work.
 */
public final class NumbersGuest implements AutoCloseable {
    private static final int ROWS = 25;
    private static final int COLUMNS = 80;
    private static final String DEBUG = "debugcon";

    /** A line of the guest. */
    public record Line(int number, int ticks, int clocks, int keys, int mistakes) {
        private static final int LENGTH = 44;

        static Line parse(String text) {
            assertTrue(text.matches("([0-9a-f]{8} ){4}[0-9a-f]{8}"), () -> "not a line of the guest: '" + text + "'");
            String[] n = text.split(" ");
            return new Line(number(n[0]), number(n[1]), number(n[2]), number(n[3]), number(n[4]));
        }

        private static int number(String hex) {
            return Integer.parseUnsignedInt(hex, 16);
        }

        @Override
        public String toString() {
            return String.format("%08x %08x %08x %08x %08x", number, ticks, clocks, keys, mistakes);
        }
    }

    private final Machine machine;
    private final Path directory;
    private final ByteArrayOutputStream serial = new ByteArrayOutputStream();

    private NumbersGuest(Machine machine, Path directory) {
        this.machine = machine;
        this.directory = directory;
    }

    /** Starts it, and waits until every card has shown that it works. */
    public static NumbersGuest start(String name) {
        return start(name, Map.of());
    }

    /** @param mmu type of its MMU card */
    public static NumbersGuest start(String name, String mmu) {
        return start(name, Map.of("mmu", mmu));
    }

    /** @param more options of the machine */
    public static NumbersGuest start(String name, Map<String, String> more) {
        try {
            Path directory = Files.createTempDirectory("numbers");
            Path kernel = Files.write(directory.resolve("kernel"), GuestProgram.multibootOf("numbers.txt"));
            Map<String, List<String>> options = new HashMap<>();
            options.put("m", List.of("8"));
            options.put("kernel", List.of(kernel.toString()));
            options.put("debugcon", List.of("file:" + directory.resolve(DEBUG)));
            more.forEach((key, value) -> options.put(key, List.of(value)));
            NumbersGuest g;
            try {
                g = new NumbersGuest(Osgi.service(Machines.class).create(name, options), directory);
            } catch (BoardException e) {
                delete(directory);
                throw new AssertionError(e);
            }
            try {
                g.machine.attachConsole("com1", g::received);
                g.machine.start();
                g.awaitLine(1);
                g.proveAllCardsWork();
            } catch (BoardException | AssertionError e) {
                g.close();
                throw new AssertionError(e);
            }
            return g;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public Machine machine() {
        return machine;
    }

    private void received(byte[] bytes, int offset, int length) {
        synchronized (serial) {
            serial.write(bytes, offset, length);
        }
    }

    private String serialText() {
        synchronized (serial) {
            return serial.toString(StandardCharsets.US_ASCII);
        }
    }

    private String debugText() {
        try {
            return Files.readString(directory.resolve(DEBUG), StandardCharsets.US_ASCII);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Every line must be one of the guest's. */
    private static List<Line> lines(String text) {
        return text.substring(0, text.lastIndexOf('\n') + 1).lines().map(Line::parse).toList();
    }

    private static Line last(String text) {
        for (int end = text.lastIndexOf('\n'); end >= 0; ) {
            int begin = text.lastIndexOf('\n', end - 1) + 1;
            if (end - begin == Line.LENGTH) return Line.parse(text.substring(begin, end));
            end = begin - 1;
        }
        return new Line(0, 0, 0, 0, 0);
    }

    /** The last whole line that came on COM1: where output was lost, the rest of one line and the beginning of another make one that is no line. */
    public Line lastLine() {
        return last(serialText());
    }

    /** The last line that came on the debug console. */
    public Line lastDebugLine() {
        return last(debugText());
    }

    /** The machine's time. */
    public double seconds() {
        return Double.parseDouble(machine.stats().get("time").replace(" s", ""));
    }

    public void awaitLine(int number) {
        Osgi.await("line " + number + " on COM1", () -> lastLine().number >= number);
    }

    public SlotInfo slot(String name) {
        return machine.slots().stream()
                .filter(s -> s.slot().equals(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no slot " + name));
    }

    /** Waits until the slot has a card of this version, and works. */
    public void awaitVersion(String slot, String version) {
        Osgi.await("version " + version + " in slot " + slot, () -> slot(slot).version().equals(version));
        assertEquals("active", slot(slot).state());
    }

    public void awaitState(Machine.State state) {
        Osgi.await("machine " + machine.name() + " is " + state + ", is " + machine.state(), () -> machine.state() == state);
    }

    /** From now on lines, timer interrupts, clock interrupts and key strokes come. */
    public void proveAllCardsWork() {
        Line before = lastLine();
        try {
            machine.type("a");
        } catch (BoardException e) {
            throw new AssertionError(e);
        }
        Osgi.await("lines, ticks, clock and keys go on after " + before + ", now " + lastLine(), () -> {
            Line l = lastLine();
            return l.number > before.number + 100 && l.ticks > before.ticks + 2 && l.clocks > before.clocks + 2 && l.keys > before.keys;
        });
    }

    /** Stops the guest and examines all that it has ever said: not a character is lost, doubled or wrong, and the screen is as it should be. */
    public void verifyEverything() {
        machine.pause();
        String said = serialText();
        String debug = debugText();
        // The guest may be between the two.
        assertTrue(said.startsWith(debug) && said.length() - debug.length() <= 1, "COM1 and the debug console say the same");
        List<Line> lines = lines(said);
        verifyConsecutive(lines);
        assertEquals(0, lines.getLast().mistakes, "what was read was right");
        verifyScreen(lines);
    }

    private static void verifyConsecutive(List<Line> lines) {
        Line before = new Line(0, 0, 0, 0, 0);
        for (Line l : lines) {
            assertEquals(before.number + 1, l.number, () -> "lines are consecutive: " + l);
            assertTrue(l.ticks >= before.ticks && l.clocks >= before.clocks && l.keys >= before.keys, () -> "counters go up: " + l);
            before = l;
        }
    }

    /** The rows of the last lines; the row after them may be half overwritten. The right edge has never been written again. */
    private void verifyScreen(List<Line> lines) {
        List<String> rows = machine.screenText();
        assertEquals(ROWS, rows.size());
        for (int r = 0; r < ROWS; r++) assertEquals((char) ('A' + r), rows.get(r).charAt(COLUMNS - 1), "at the right edge");
        for (Line l : lines.subList(Math.max(0, lines.size() - (ROWS - 1)), lines.size())) {
            String row = rows.get(Integer.remainderUnsigned(l.number, ROWS));
            assertEquals(l.toString(), row.substring(0, Math.min(row.length(), Line.LENGTH)));
        }
    }

    /** The debug console has every line; on COM1 lines may be missing. Answers how many times some were. */
    public int verifyGapsOnSerialOnly() {
        machine.pause();
        verifyConsecutive(lines(debugText()));
        List<Integer> numbers = new ArrayList<>();
        for (String text : serialText().split("\n")) if (text.length() == Line.LENGTH) numbers.add(Line.parse(text).number);
        Map<Boolean, Integer> steps = new HashMap<>();
        for (int i = 1; i < numbers.size(); i++) steps.merge(numbers.get(i) == numbers.get(i - 1) + 1, 1, Integer::sum);
        return steps.getOrDefault(false, 0);
    }

    @Override
    public void close() {
        machine.stop();
        delete(directory);
    }

    private static void delete(Path directory) {
        try (Stream<Path> files = Files.list(directory)) {
            for (Path p : files.toList()) Files.delete(p);
            Files.delete(directory);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
