package org.backplane.shell;

import java.util.ArrayList;
import java.util.List;

/** Long text over several lines, for a terminal of {@value #TERMINAL} columns. */
final class Wrap {
    static final int TERMINAL = 80;

    private Wrap() {}

    /** Text behind a head; further lines begin under the text. */
    static String hanging(String head, String text) {
        return head + String.join("\n" + " ".repeat(head.length()), lines(text, TERMINAL - head.length()));
    }

    /** Breaks at blanks, but not inside of brackets; a piece that is longer than a line has one to itself. At least one line. */
    static List<String> lines(String text, int width) {
        List<String> lines = new ArrayList<>();
        String line = "";
        for (String piece : pieces(text)) {
            if (!line.isEmpty() && line.length() + 1 + piece.length() > width) {
                lines.add(line);
                line = piece;
            } else {
                line = line.isEmpty() ? piece : line + " " + piece;
            }
        }
        lines.add(line);
        return lines;
    }

    private static List<String> pieces(String text) {
        List<String> pieces = new ArrayList<>();
        int from = 0, depth = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '[') depth++;
            else if (c == ']') depth--;
            else if (c == ' ' && depth == 0) {
                pieces.add(text.substring(from, i));
                from = i + 1;
            }
        }
        pieces.add(text.substring(from));
        return pieces;
    }
}
