package org.backplane.shell;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;

/** Text in columns as wide as they must be; the last column is not padded. */
final class Table {
    private final List<String[]> rows = new ArrayList<>();
    private final boolean[] right;
    private boolean tight, wraps;

    /** @param heads a head that ends in {@code >} is of a column that is aligned to the right */
    Table(String... heads) {
        right = new boolean[heads.length];
        String[] names = new String[heads.length];
        for (int i = 0; i < heads.length; i++) {
            right[i] = heads[i].endsWith(">");
            names[i] = right[i] ? heads[i].substring(0, heads[i].length() - 1) : heads[i];
        }
        rows.add(names);
    }

    /** One blank between columns in place of two, where that makes lines fit a terminal. */
    Table tight() {
        tight = true;
        return this;
    }

    /** A last column that is too long for a terminal goes on in the next line, below itself. */
    Table wrapped() {
        wraps = true;
        return this;
    }

    void row(Object... cells) {
        String[] row = new String[cells.length];
        for (int i = 0; i < cells.length; i++) row[i] = String.valueOf(cells[i]);
        rows.add(row);
    }

    void print(PrintStream out) {
        lines().forEach(out::println);
    }

    List<String> lines() {
        int[] width = new int[right.length];
        for (String[] r : rows) for (int i = 0; i < r.length; i++) width[i] = Math.max(width[i], r[i].length());
        int sum = 0;
        for (int w : width) sum += w;
        String gap = tight && sum + 2 * (width.length - 1) > Wrap.TERMINAL && sum + width.length - 1 <= Wrap.TERMINAL ? " " : "  ";
        List<String> lines = new ArrayList<>();
        for (String[] r : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < r.length; i++) {
                String pad = " ".repeat(width[i] - r[i].length());
                line.append(i == 0 ? "" : gap).append(right[i] ? pad + r[i] : r[i] + pad);
            }
            String text = line.toString().stripTrailing();
            if (wraps && text.length() > Wrap.TERMINAL) {
                int left = line.length() - width[width.length - 1];
                lines.addAll(Wrap.hanging(line.substring(0, left), r[r.length - 1]).lines().toList());
            } else {
                lines.add(text);
            }
        }
        return lines;
    }
}
