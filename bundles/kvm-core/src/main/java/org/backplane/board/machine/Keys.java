package org.backplane.board.machine;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.backplane.board.api.BoardException;

/** Key names, as in QEMU's {@code sendkey}, and US-layout text, to set-1 make codes. */
final class Keys {
    /** A key pressed together with others: make codes in order. */
    record Chord(List<Integer> keys) {}

    private static final Map<String, Integer> NAMES = new HashMap<>();
    private static final Map<Character, String> SHIFTED = new HashMap<>();

    static {
        row(0x02, "1 2 3 4 5 6 7 8 9 0 minus equal backspace tab q w e r t y u i o p bracket_left bracket_right ret ctrl");
        row(0x1e, "a s d f g h j k l semicolon apostrophe grave_accent shift backslash z x c v b n m comma dot slash shift_r");
        row(0x37, "asterisk alt spc caps_lock f1 f2 f3 f4 f5 f6 f7 f8 f9 f10 num_lock scroll_lock");
        row(0x47, "kp_7 kp_8 kp_9 kp_subtract kp_4 kp_5 kp_6 kp_add kp_1 kp_2 kp_3 kp_0 kp_decimal");
        NAMES.put("esc", 0x01);
        NAMES.put("f11", 0x57);
        NAMES.put("f12", 0x58);
        NAMES.put("less", 0x56);
        String[] extended = {
            "home", "47", "up", "48", "pgup", "49", "left", "4b", "right", "4d", "end", "4f", "down", "50", "pgdn", "51",
            "insert", "52", "delete", "53", "ctrl_r", "1d", "alt_r", "38", "kp_enter", "1c", "kp_divide", "35", "meta_l", "5b",
            "meta_r", "5c", "menu", "5d", "sysrq", "37"
        };
        for (int i = 0; i < extended.length; i += 2) NAMES.put(extended[i], 0xe000 | Integer.parseInt(extended[i + 1], 16));
        NAMES.put("pause", 0xe11d45);
        String from = "!@#$%^&*()_+{}:\"~|<>?";
        String[] to = {
            "1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "minus", "equal", "bracket_left", "bracket_right",
            "semicolon", "apostrophe", "grave_accent", "backslash", "comma", "dot", "slash"
        };
        for (int i = 0; i < to.length; i++) SHIFTED.put(from.charAt(i), to[i]);
    }

    private static final Map<Character, String> PLAIN = Map.ofEntries(
            Map.entry(' ', "spc"),
            Map.entry('\n', "ret"),
            Map.entry('\t', "tab"),
            Map.entry('-', "minus"),
            Map.entry('=', "equal"),
            Map.entry('[', "bracket_left"),
            Map.entry(']', "bracket_right"),
            Map.entry(';', "semicolon"),
            Map.entry('\'', "apostrophe"),
            Map.entry('`', "grave_accent"),
            Map.entry('\\', "backslash"),
            Map.entry(',', "comma"),
            Map.entry('.', "dot"),
            Map.entry('/', "slash"));

    private Keys() {}

    private static void row(int first, String names) {
        for (String n : names.split(" ")) NAMES.put(n, first++);
    }

    /** A name such as {@code a} or {@code ctrl-alt-delete}. */
    static Chord chord(String name) throws BoardException {
        List<Integer> codes = new ArrayList<>();
        for (String part : name.split("-")) {
            Integer code = NAMES.get(part);
            if (code == null) throw new BoardException("unknown key '" + part + "' in '" + name + "'");
            codes.add(code);
        }
        return new Chord(codes);
    }

    /** The keys that type a text on a US keyboard. */
    static List<Chord> typing(String text) throws BoardException {
        List<Chord> chords = new ArrayList<>();
        for (char c : text.toCharArray()) {
            if (c >= 'a' && c <= 'z' || c >= '0' && c <= '9') chords.add(chord(String.valueOf(c)));
            else if (c >= 'A' && c <= 'Z') chords.add(chord("shift-" + Character.toLowerCase(c)));
            else if (PLAIN.containsKey(c)) chords.add(chord(PLAIN.get(c)));
            else if (SHIFTED.containsKey(c)) chords.add(chord("shift-" + SHIFTED.get(c)));
            else throw new BoardException("the keyboard has no key for '" + c + "'");
        }
        return chords;
    }
}
