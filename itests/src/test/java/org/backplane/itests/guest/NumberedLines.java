package org.backplane.itests.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32;

/**
 * What the guest prints and paints under {@code backplane.test=lines:N}; {@code scripts/guest-init} is the other half of this. A line is
 * {@code LINE number payload CRC crc}, of {@link #LENGTH} characters with its end.
 */
final class NumberedLines {
    static final int LENGTH = "LINE 00000000 ".length() + 96 + " CRC 00000000\r\n".length();
    static final int SCREEN_ROWS = 25;

    private static final String ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    private static final int PAYLOADS = 16;
    private static final int LINES_A_PAINTING = 50;
    private static final int SCREEN_TEXT = 57;

    private NumberedLines() {}

    /** The line of this number, with its end. */
    static String line(int n) {
        StringBuilder b = new StringBuilder(String.format("LINE %08d ", n));
        int k = n % PAYLOADS;
        for (int i = 0; i < 96; i++) b.append(ALPHABET.charAt((i * (2 * k + 1) + k * 7) % 64));
        CRC32 crc = new CRC32();
        crc.update(b.toString().getBytes(StandardCharsets.US_ASCII));
        return b.append(String.format(" CRC %08x\r\n", crc.getValue())).toString();
    }

    /** Fails unless the text is the lines from 0 on, this many, and nothing else. */
    static void assertComplete(int count, String text) {
        for (int n = 0; n < count; n++) {
            int at = n * LENGTH;
            assertEquals(line(n), text.substring(Math.min(at, text.length()), Math.min(at + LENGTH, text.length())), "at line " + n);
        }
        assertEquals(count * LENGTH, text.length(), "nothing follows the last line");
    }

    /** What is on the screen in the end. */
    static List<String> screen(int count) {
        int last = count / LINES_A_PAINTING;
        assertTrue(last >= SCREEN_ROWS, "enough lines to fill the screen");
        List<String> rows = new ArrayList<>();
        for (int n = last - SCREEN_ROWS + 1; n <= last; n++) {
            int from = n % 64;
            rows.add(String.format("VGA %08d ", n) + (ALPHABET + ALPHABET).substring(from, from + SCREEN_TEXT));
        }
        return rows;
    }

    /** The colour of each row, {@code 0xRRGGBB}: of the screen lines' eight colours, dark ones of VGA in the order of ANSI's numbers. */
    static int color(int count, int row) {
        int n = count / LINES_A_PAINTING - SCREEN_ROWS + 1 + row;
        int ansi = n % 8 == 0 ? 7 : n % 8;
        if (ansi == 3) return 0xaa5500; // VGA's dark yellow is brown
        return ((ansi & 1) != 0 ? 0xaa0000 : 0) | ((ansi & 2) != 0 ? 0x00aa00 : 0) | ((ansi & 4) != 0 ? 0x0000aa : 0);
    }
}
