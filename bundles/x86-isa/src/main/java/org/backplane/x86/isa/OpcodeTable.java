package org.backplane.x86.isa;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * The one opcode table. Decoder, interpreter, disassembler, tests, and later the translator read it; nobody else
 * knows an opcode's number.
 *
 * <p>A line has seven columns:
 * <ol>
 * <li>the opcode: hexadecimal bytes, then {@code +} (low three bits are a register), {@code /n} (the reg field of ModRM, {@code *} for
 *     any; {@code m} memory form only, {@code r} register form only) or {@code _XX} (a whole ModRM byte); {@code 66_} or {@code F3_} in front for
 *     a mandatory prefix;
 * <li>the mnemonic, a {@link Mnemonic};
 * <li>the operands in the SDM's notation, see {@link OperandSpec};
 * <li>attributes, see {@link Opcode}: prefixes, modes, privilege, and what it means for a block of code;
 * <li>flags read, written and left undefined: {@code o s z a p c d i t}. A dot stands for none.
 * </ol>
 * What no line matches is an undefined opcode.
 */
public final class OpcodeTable {
    /** What an opcode byte (one table) or the byte after 0F (the other) leads to. */
    static final class Slot {
        Opcode plain;
        /** What a mandatory prefix makes of it; where that has nothing, the slot itself counts. */
        Slot operandSize, repe;
        /** Forms by the reg field, for memory and for register operands; forms by the whole ModRM byte. */
        Opcode[] memory, register, whole;

        boolean group() {
            return memory != null;
        }

        Opcode find(int modrm) {
            if (modrm < 0xc0) return memory[modrm >> 3 & 7];
            if (whole != null && whole[modrm & 0x3f] != null) return whole[modrm & 0x3f];
            return register[modrm >> 3 & 7];
        }
    }

    /** What an undefined opcode decodes to. */
    public static final Opcode UNDEFINED = pseudo(Mnemonic.UNDEFINED);

    /** What an instruction of more than 15 bytes decodes to. */
    public static final Opcode TOO_LONG = pseudo(Mnemonic.TOO_LONG);

    static final Slot[] ONE = new Slot[256], TWO = new Slot[256], THREE_38 = new Slot[256];

    private static final List<Opcode> ALL;

    static {
        List<Opcode> all = new ArrayList<>(700);
        parse(TableOneByte.TEXT, all);
        parse(TableTwoByte.TEXT, all);
        parse(TableX87.TEXT, all);
        parse(TableMmx.TEXT, all);
        ALL = Collections.unmodifiableList(all);
    }

    private OpcodeTable() {}

    /** Every line, in the table's order. */
    public static List<Opcode> all() {
        return ALL;
    }

    private static Opcode pseudo(Mnemonic m) {
        return new Opcode("", m, new OperandSpec[0], Opcode.JUMP | Opcode.END, 0, 0, 0);
    }

    private static void parse(String text, List<Opcode> all) {
        for (String line : text.split("\n")) {
            if (line.isBlank() || line.startsWith("#")) continue;
            String[] c = line.trim().split(" +");
            if (c.length != 7) throw new IllegalStateException("columns: " + line);
            String[] names = c[2].equals(".") || c[2].equals("v") ? new String[0] : c[2].split(",");
            OperandSpec[] operands = new OperandSpec[names.length];
            for (int i = 0; i < names.length; i++) operands[i] = OperandSpec.parse(names[i]);
            int attributes = 0;
            if (!c[3].equals(".")) for (String a : c[3].split(",")) attributes |= Opcode.attribute(a);
            Opcode o = new Opcode(
                    c[0], Mnemonic.valueOf(c[1]), operands, attributes, flags(c[4]), flags(c[5]), flags(c[6]));
            all.add(o);
            enter(o);
        }
    }

    private static int flags(String letters) {
        int f = 0;
        for (char l : letters.toCharArray()) {
            f |= switch (l) {
                case 'c' -> 1;
                case 'p' -> 1 << 2;
                case 'a' -> 1 << 4;
                case 'z' -> 1 << 6;
                case 's' -> 1 << 7;
                case 't' -> 1 << 8;
                case 'i' -> 1 << 9;
                case 'd' -> 1 << 10;
                case 'o' -> 1 << 11;
                case '.' -> 0;
                default -> throw new IllegalStateException("flag " + l);
            };
        }
        return f;
    }

    private static void enter(Opcode o) {
        String key = o.key;
        String prefix = key.startsWith("F3_") || key.startsWith("66_") ? key.substring(0, 2) : "";
        if (!prefix.isEmpty()) key = key.substring(3);
        Slot[] table = ONE;
        if (key.startsWith("0F38")) {
            table = THREE_38;
            key = key.substring(4);
        } else if (key.startsWith("0F") && key.length() > 2) {
            table = TWO;
            key = key.substring(2);
        }
        int byte0 = Integer.parseInt(key.substring(0, 2), 16);
        String rest = key.substring(2);
        if (rest.equals("+")) {
            for (int i = 0; i < 8; i++) slot(table, byte0 + i).plain = o;
            return;
        }
        Slot slot = prefixed(slot(table, byte0), prefix);
        if (rest.isEmpty()) slot.plain = o;
        else enterGroup(slot, rest, o);
    }

    private static void enterGroup(Slot slot, String rest, Opcode o) {
        if (!slot.group()) {
            slot.memory = new Opcode[8];
            slot.register = new Opcode[8];
        }
        if (rest.charAt(0) == '_') {
            if (slot.whole == null) slot.whole = new Opcode[64];
            slot.whole[Integer.parseInt(rest.substring(1), 16) & 0x3f] = o;
            return;
        }
        for (int reg = 0; reg < 8; reg++) {
            if (rest.charAt(1) != '*' && rest.charAt(1) - '0' != reg) continue;
            if (!rest.endsWith("r")) slot.memory[reg] = o;
            if (!rest.endsWith("m")) slot.register[reg] = o;
        }
    }

    private static Slot prefixed(Slot slot, String prefix) {
        switch (prefix) {
            case "66" -> {
                if (slot.operandSize == null) slot.operandSize = new Slot();
                return slot.operandSize;
            }
            case "F3" -> {
                if (slot.repe == null) slot.repe = new Slot();
                return slot.repe;
            }
            default -> {
                return slot;
            }
        }
    }

    private static Slot slot(Slot[] table, int i) {
        if (table[i] == null) table[i] = new Slot();
        return table[i];
    }
}
