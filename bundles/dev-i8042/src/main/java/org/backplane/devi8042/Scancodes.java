package org.backplane.devi8042;

import java.util.Arrays;
import java.util.HexFormat;

/**
 * Scan codes. The board names keys by their set 1 codes; a keyboard sends set 2 unless told otherwise; the controller translates
 * set 2 to set 1. One table serves both ways: what a key sends in set 2 is its set 1 sequence, each byte looked up backwards in the
 * controller's translation.
 *
 * <p>Sources: IBM, PS/2 Hardware Interface Technical Reference, Keyboards (101/102-Key), scan code tables; IBM PC AT Technical
 * Reference, Keyboard Controller (translation).
 */
final class Scancodes {
    /** In sets 2 and 3, before the code of a key that was released. */
    static final int BREAK = 0xf0;
    /** The longest sequence that one event sends, in bytes (Pause in set 2). */
    static final int LONGEST = 8;

    private static final int EXTENDED = 0xe0;
    private static final int PAUSE_PREFIX = 0xe1;
    private static final int RELEASED = 0x80;
    private static final int PAUSE = 0xe11d45;
    private static final int PRINT_SCREEN = 0xe037;

    /** Set 1 by set 2, from 00 to 84; what lies above is the same in both. */
    private static final byte[] TRANSLATION = HexFormat.of().parseHex("ff43413f3d3b3c58644442403e0f2959"
            + "65382a701d10025a66712c1f1e11035b"
            + "672e2d201205045c68392f211413065d"
            + "693130232215075e6a7232241608095f"
            + "6b332517180b0a606c34352627190c61"
            + "6d7328741a0d626e3a361c1b752b6376"
            + "55567778797a0e7b7c4f7d4b477e7f6f"
            + "5253504c4d480145574e514a37494654"
            + "8081824154");
    /** Set 3 by set 1, from 00 to 58; 00 is no key. */
    private static final byte[] SET_3 = HexFormat.of().parseHex("0008161e26252e363d3e46454e55660d"
            + "151d242d2c353c43444d545b5a111c1b"
            + "232b34333b424b4c520e125c1a22212a"
            + "32313a41494a597e192914070f171f27"
            + "2f373f474f765f6c757d846b73747c69"
            + "727a7071570013565e");
    /** Extended keys in set 3: pairs of set 1 code (without E0) and set 3 code. */
    private static final byte[] SET_3_EXTENDED =
            HexFormat.of().parseHex("1c791d58357737573839476e4863496f4b614d6a4f655060516d526753645b8b5c8c5d8d");

    private static final int SET_3_PAUSE = 0x62;

    private Scancodes() {}

    /** What the controller makes of a byte of set 2 (not of {@link #BREAK}, which it keeps to itself). */
    static int translate(int set2) {
        return set2 < TRANSLATION.length ? TRANSLATION[set2] & 0xff : set2;
    }

    /** The set 2 code of a set 1 code below 80. F7 and SysRq have two; the higher ones (83, 84) are what keyboards send. */
    private static int untranslate(int set1) {
        int set2 = TRANSLATION.length - 1;
        while (set2 > 0 && (TRANSLATION[set2] & 0xff) != set1) set2--;
        return set2;
    }

    /**
     * What a keyboard sends when a key is pressed or released.
     *
     * @param key as the board names it: a set 1 code, {@code 0xe000 | code} or E11D45
     * @param to receives at most {@link #LONGEST} bytes
     * @return number of bytes; 0 for a key that sends nothing
     */
    static int sequence(int set, int key, boolean down, int[] to) {
        if (set == 3) return set3(key, down, to);
        int n = set1(key, down, to);
        return set == 1 ? n : toSet2(to, n);
    }

    private static int set1(int key, boolean down, int[] to) {
        int code = key & 0x7f;
        int up = down ? 0 : RELEASED;
        if (key == PAUSE) {
            return down ? put(to, PAUSE_PREFIX, 0x1d, 0x45, PAUSE_PREFIX, 0x9d, 0xc5) : 0;
        }
        if (key == PRINT_SCREEN) {
            return down ? put(to, EXTENDED, 0x2a, EXTENDED, code) : put(to, EXTENDED, code | RELEASED, EXTENDED, 0xaa);
        }
        return key >> 8 == EXTENDED ? put(to, EXTENDED, code | up) : put(to, code | up);
    }

    private static int put(int[] to, int... bytes) {
        System.arraycopy(bytes, 0, to, 0, bytes.length);
        return bytes.length;
    }

    private static int toSet2(int[] bytes, int n) {
        int[] set1 = Arrays.copyOf(bytes, n);
        int length = 0;
        for (int b : set1) {
            boolean prefix = b == EXTENDED || b == PAUSE_PREFIX;
            if (!prefix && (b & RELEASED) != 0) bytes[length++] = BREAK;
            bytes[length++] = prefix ? b : untranslate(b & 0x7f);
        }
        return length;
    }

    private static int set3(int key, boolean down, int[] to) {
        int code = set3Code(key);
        if (code == 0) return 0;
        return down ? put(to, code) : put(to, BREAK, code);
    }

    private static int set3Code(int key) {
        if (key == PAUSE) return SET_3_PAUSE;
        if (key >> 8 == EXTENDED) {
            for (int i = 0; i < SET_3_EXTENDED.length; i += 2) {
                if (SET_3_EXTENDED[i] == (key & 0xff)) return SET_3_EXTENDED[i + 1] & 0xff;
            }
            return 0;
        }
        return key < SET_3.length ? SET_3[key] & 0xff : 0;
    }
}
