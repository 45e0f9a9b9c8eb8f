package org.backplane.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Lines that a terminal of 80 columns shows as they are. */
class WrapTest {
    @Test
    void linesBreakBetweenWords() {
        assertEquals(List.of("one two", "three", "four"), Wrap.lines("one two three four", 8));
        assertEquals(List.of(""), Wrap.lines("", 8));
    }

    @Test
    void whatBelongsTogetherStaysTogether() {
        assertEquals(List.of("[-a A]", "[-b B]"), Wrap.lines("[-a A] [-b B]", 10));
        assertEquals(List.of("x", "[a longer one]", "y"), Wrap.lines("x [a longer one] y", 5));
    }

    @Test
    void furtherLinesHangUnderTheFirst() {
        String words = "word ".repeat(30).strip();
        List<String> lines = Wrap.hanging("usage: x ", words).lines().toList();
        assertEquals(3, lines.size());
        assertEquals("usage: x " + "word ".repeat(14).strip(), lines.get(0));
        assertEquals("         word word", lines.get(2));
    }

    @Test
    void theLastColumnOfATableGoesOnBelowItself() {
        Table t = new Table("NAME", "VALUE>", "").wrapped();
        t.row("short", 1, "BIT");
        t.row("long", 2, "ABCDEFGHI ".repeat(9).strip());
        assertEquals(
                List.of(
                        "NAME   VALUE",
                        "short      1  BIT",
                        "long       2  " + "ABCDEFGHI ".repeat(6).strip(),
                        "              " + "ABCDEFGHI ".repeat(3).strip()),
                t.lines());
    }
}
