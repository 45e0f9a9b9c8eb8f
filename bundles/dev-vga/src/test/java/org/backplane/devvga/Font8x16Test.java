package org.backplane.devvga;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What must hold of the font whatever its looks. */
class Font8x16Test {
    private final byte[] font = Font8x16.load();

    private String glyph(int code) {
        return new String(font, code * 16, 16, StandardCharsets.ISO_8859_1);
    }

    @Test
    void everyCharacterHasAGlyphOfItsOwn() {
        Map<String, Integer> seen = new HashMap<>();
        for (int code = 1; code < 256; code++) {
            if (code == 0x20 || code == 0xff) continue;
            assertFalse(glyph(code).isBlank() || glyph(code).chars().allMatch(c -> c == 0), Integer.toHexString(code) + " is empty");
            Integer other = seen.put(glyph(code), code);
            assertTrue(other == null, () -> Cp437.unicode(other) + " looks like another");
        }
    }

    @Test
    void charactersOfTheAlphabetDoNotTouch() {
        for (int code = 0x21; code < 0x7f; code++) {
            if (code == '_') continue;
            boolean left = false;
            boolean right = false;
            for (int row = 0; row < 16; row++) {
                left |= (font[code * 16 + row] & 0x80) != 0;
                right |= (font[code * 16 + row] & 0x01) != 0;
            }
            assertFalse(left && right, (char) code + " fills its cell");
        }
    }

    /** Every box drawing character meets its neighbours: same strokes at the edges for the same kind of arm. */
    @Test
    void armsOfBoxCharactersReachTheEdge() {
        for (int code = 0xb3; code <= 0xda; code++) {
            String name = Character.getName(Cp437.unicode(code));
            int top = font[code * 16] & 0xff;
            int bottom = font[code * 16 + 15] & 0xff;
            int left = 0;
            int right = 0;
            for (int row = 0; row < 16; row++) {
                left |= (font[code * 16 + row] >> 7 & 1) << row;
                right |= (font[code * 16 + row] & 1) << row;
            }
            assertTrue(top == 0 || top == 0x18 || top == 0x66, name);
            assertTrue(bottom == 0 || bottom == 0x18 || bottom == 0x66, name);
            assertTrue(left == 0 || left == 1 << 7 || left == (1 << 6 | 1 << 9), name);
            assertTrue(right == 0 || right == 1 << 7 || right == (1 << 6 | 1 << 9), name);
            boolean vertical = name.contains("VERTICAL") && !name.contains("DOWN") && !name.contains("UP");
            assertEquals(vertical || name.contains("UP"), top != 0, name);
            assertEquals(vertical || name.contains("DOWN"), bottom != 0, name);
            boolean horizontal = name.contains("HORIZONTAL");
            assertEquals(horizontal || name.contains("LEFT"), left != 0, name);
            assertEquals(horizontal || name.contains("RIGHT"), right != 0, name);
        }
    }

    @Test
    void codePageHas256DifferentCharacters() {
        Map<Character, Integer> seen = new HashMap<>();
        for (int code = 1; code < 255; code++) assertEquals(null, seen.put(Cp437.unicode(code), code), "code " + code);
        assertEquals('A', Cp437.unicode('A'));
        assertEquals('é', Cp437.unicode(0x82));
        assertEquals('█', Cp437.unicode(0xdb));
    }
}
