package org.backplane.devvga;

/**
 * Computes the glyphs of CP437's B0 to DF: shades, box drawing and blocks, so that lines meet at the edges of a cell whatever
 * stands beside it.
 *
 * <p>A box drawing character is four arms (up, right, down, left) of no, one or two strokes. A single vertical stroke is columns 3
 * and 4, a double one columns 1, 2 and 5, 6; a single horizontal stroke is row 7, a double one rows 6 and 9. An arm's stroke runs
 * from the cell's edge inwards to a stroke of the crossing arms:
 * <ul>
 *   <li>a stroke of a double arm that has a crossing arm on its own side ends at the crossing stroke nearest to its edge, which
 *       leaves the inside of a double line open;
 *   <li>so does a single arm that has crossing arms on both sides and nothing opposite;
 *   <li>any other goes on to the farthest crossing stroke: it turns an outer corner or passes through.
 * </ul>
 */
final class BoxGlyphs {
    private static final int HEIGHT = 16;
    private static final int FIRST_BOX = 0xb3;
    /** Strokes of the arms up, right, down and left, for B3 to DA. */
    private static final String[] ARMS = {
        "1010", "1011", "1012", "2021", "0021", "0012", "2022", "2020", "0022", "2002", "2001", "1002", "0011", // │┤╡╢╖╕╣║╗╝╜╛┐
        "1100", "1101", "0111", "1110", "0101", "1111", "1210", "2120", "2200", "0220", // └┴┬├─┼╞╟╚╔
        "2202", "0222", "2220", "0202", "2222", "1202", "2101", "0212", "0121", "2100", // ╩╦╠═╬╧╨╤╥╙
        "1200", "0210", "0120", "2121", "1212", "1001", "0110" // ╘╒╓╫╪┘┌
    };
    /** First and last column of a vertical stroke: single, left of two, right of two. */
    private static final int[][] COLUMNS = {{3, 4}, {1, 2}, {5, 6}};

    private static final int[][] ROWS = {{7, 7}, {6, 6}, {9, 9}};

    private BoxGlyphs() {}

    /** Writes the 48 glyphs into a font of 256 glyphs of 16 bytes, bit 7 on the left. */
    static void drawInto(byte[] font) {
        for (int code = 0xb0; code <= 0xdf; code++) {
            for (int row = 0; row < HEIGHT; row++) {
                int bits = 0;
                for (int column = 0; column < 8; column++) bits = bits << 1 | (ink(code, column, row) ? 1 : 0);
                font[code * HEIGHT + row] = (byte) bits;
            }
        }
    }

    private static boolean ink(int code, int column, int row) {
        return switch (code) {
            case 0xb0 -> (column + row * 2 & 3) == 0;
            case 0xb1 -> (column + row & 1) == 0;
            case 0xb2 -> (column + row * 2 & 3) != 0;
            case 0xdb -> true;
            case 0xdc -> row >= HEIGHT / 2;
            case 0xdd -> column < 4;
            case 0xde -> column >= 4;
            case 0xdf -> row < HEIGHT / 2;
            default -> line(ARMS[code - FIRST_BOX], column, row);
        };
    }

    private static boolean line(String arms, int column, int row) {
        int up = arms.charAt(0) - '0';
        int right = arms.charAt(1) - '0';
        int down = arms.charAt(2) - '0';
        int left = arms.charAt(3) - '0';
        return arm(up, down, left, right, column, row, COLUMNS, ROWS, true)
                || arm(down, up, left, right, column, row, COLUMNS, ROWS, false)
                || arm(left, right, up, down, row, column, ROWS, COLUMNS, true)
                || arm(right, left, up, down, row, column, ROWS, COLUMNS, false);
    }

    /**
     * One arm.
     *
     * @param across coordinate of the pixel across the arm, {@code along} the one along it
     * @param before weight of the crossing arm on the side of the smaller {@code across}, {@code after} on the other side
     * @param fromZero the arm's edge is where {@code along} is 0
     */
    private static boolean arm(
            int weight, int opposite, int before, int after, int across, int along, int[][] own, int[][] crossing, boolean fromZero) {
        int cross = Math.max(before, after);
        int last = weight == 2 ? 2 : weight - 1;
        for (int stroke = weight == 2 ? 1 : 0; stroke <= last; stroke++) {
            if (across < own[stroke][0] || across > own[stroke][1]) continue;
            boolean near = weight == 1 ? opposite == 0 && before != 0 && after != 0 : (stroke == 1 ? before : after) != 0;
            int low = cross == 2 ? 1 : 0;
            int high = cross == 2 ? 2 : 0;
            if (fromZero ? along <= crossing[near ? low : high][1] : along >= crossing[near ? high : low][0]) return true;
        }
        return false;
    }
}
