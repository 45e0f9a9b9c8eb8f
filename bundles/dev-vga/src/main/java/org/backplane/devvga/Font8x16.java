package org.backplane.devvga;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * Backplane's own text font: 256 glyphs of CP437, 8 columns and 16 rows. Drawn and composed glyphs come from the resource {@code
 * font8x16.txt}, which describes its format; {@link BoxGlyphs} computes the rest.
 */
final class Font8x16 {
    static final int HEIGHT = 16;
    private static final String RESOURCE = "font8x16.txt";
    /** Rows of a capital letter, for {@code flip} and {@code turn}. */
    private static final int CAP_TOP = 2;

    private static final int CAP_BASE = 11;
    /** The row that {@code short} takes out. */
    private static final int DISPENSABLE = 4;

    private final Map<String, int[]> glyphs = new HashMap<>();
    private final byte[] font = new byte[256 * HEIGHT];
    private String name = "";
    private int row;

    private Font8x16() {}

    /** The font: 16 bytes a glyph, bit 7 is the leftmost column. */
    static byte[] load() {
        Font8x16 reader = new Font8x16();
        try (InputStream in = Font8x16.class.getResourceAsStream(RESOURCE);
                BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.US_ASCII))) {
            for (String line; (line = lines.readLine()) != null; ) reader.line(line);
        } catch (IOException e) {
            throw new UncheckedIOException(RESOURCE, e);
        }
        reader.glyphs.forEach(reader::place);
        BoxGlyphs.drawInto(reader.font);
        return reader.font;
    }

    private void line(String line) {
        if (line.isEmpty() || line.startsWith(";")) return;
        int equals = line.indexOf(" = ");
        if (line.startsWith("#") || line.startsWith(".")) {
            drawRow(line);
        } else if (equals > 0) {
            glyphs.put(line.substring(0, equals), compose(line.substring(equals + 3)));
        } else {
            String[] words = line.split(" ");
            name = words[0];
            row = Integer.parseInt(words[1]);
            glyphs.put(name, new int[HEIGHT]);
        }
    }

    private void drawRow(String line) {
        int bits = 0;
        for (int column = 0; column < 8; column++) bits = bits << 1 | (line.charAt(column) == '#' ? 1 : 0);
        glyphs.get(name)[row++] = bits;
    }

    private int[] compose(String terms) {
        int[] sum = new int[HEIGHT];
        for (String term : terms.split(" \\+ ")) {
            String[] words = term.split(" ");
            int[] part = glyphs.get(words[words.length - 1]).clone();
            if (words.length > 1) part = change(words[0], part);
            for (int i = 0; i < HEIGHT; i++) sum[i] |= part[i];
        }
        return sum;
    }

    private static int[] change(String how, int[] glyph) {
        int[] to = glyph.clone();
        for (int i = 0; i < HEIGHT; i++) {
            int mirrored = i >= CAP_TOP && i <= CAP_BASE ? CAP_TOP + CAP_BASE - i : i;
            switch (how) {
                case "not" -> to[i] = ~glyph[i] & 0xff;
                case "flip" -> to[i] = glyph[mirrored];
                // Drawings leave column 7 free: seven columns are turned.
                case "turn" -> to[i] = Integer.reverse(glyph[mirrored]) >>> 23 & 0xfe;
                case "short" -> to[i] = i > DISPENSABLE || i == 0 ? glyph[i] : glyph[i - 1];
                default -> throw new IllegalArgumentException(RESOURCE + ": " + how);
            }
        }
        return to;
    }

    /** Puts a glyph that has a code into the font; parts have names of other lengths. */
    private void place(String code, int[] glyph) {
        if (code.length() != 2) return;
        int at = Integer.parseInt(code, 16) * HEIGHT;
        for (int i = 0; i < HEIGHT; i++) font[at + i] = (byte) glyph[i];
    }
}
