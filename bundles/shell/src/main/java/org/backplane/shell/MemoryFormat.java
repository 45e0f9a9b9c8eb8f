package org.backplane.shell;

import java.io.PrintStream;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How memory is shown: {@code /COUNT FORMAT SIZE} as QEMU's monitor and GDB write it, in any order after the count, such as {@code /16xb}.
 *
 * @param format {@code x} hexadecimal, {@code d} signed, {@code u} unsigned, {@code o} octal, {@code c} character, {@code i} instructions
 * @param size of an element in bytes: 1, 2, 4 or 8
 */
record MemoryFormat(int count, char format, int size) {
    private static final Pattern SPEC = Pattern.compile("/([0-9]*)([xduoci]?)([bhwg]?)([xduoci]?)");
    private static final int LIMIT = 4096;

    /** What a command shows that is not told how. */
    static final MemoryFormat DEFAULT = new MemoryFormat(1, 'x', 4);

    static MemoryFormat parse(String spec) {
        Matcher m = SPEC.matcher(spec);
        if (!m.matches() || !m.group(2).isEmpty() && !m.group(4).isEmpty()) {
            throw new CommandException("'" + spec + "' is no format (/COUNT, one of x d u o c i, one of b h w g: /16xb)");
        }
        int count = m.group(1).isEmpty() ? 1 : Arguments.count(m.group(1), LIMIT);
        String format = m.group(2) + m.group(4);
        char f = format.isEmpty() ? 'x' : format.charAt(0);
        int size = switch (m.group(3)) {
            case "b" -> 1;
            case "h" -> 2;
            case "g" -> 8;
            case "w" -> 4;
            default -> f == 'c' ? 1 : 4;
        };
        return new MemoryFormat(count, f, size);
    }

    int bytes() {
        return count * size;
    }

    /** Prints elements, as many a line as fit beside the address. */
    void print(long address, byte[] memory, PrintStream out) {
        int perLine = format == 'c' ? 8 : 16 / size;
        for (int i = 0; i < count; i++) {
            if (i % perLine == 0) out.printf(i == 0 ? "%08x:" : "%n%08x:", address + (long) i * size);
            out.print(" " + element(value(memory, i * size)));
        }
        out.println();
    }

    private long value(byte[] memory, int at) {
        long v = 0;
        for (int i = size - 1; i >= 0; i--) v = v << 8 | memory[at + i] & 0xff;
        return v;
    }

    private String element(long v) {
        int shift = 64 - 8 * size;
        return switch (format) {
            case 'd' -> Long.toString(v << shift >> shift);
            case 'u' -> Long.toUnsignedString(v);
            case 'o' -> "0" + Long.toOctalString(v);
            case 'c' -> v >= 0x20 && v < 0x7f ? "'" + (char) v + "'" : String.format("'\\x%02x'", v);
            default -> String.format("0x%0" + 2 * size + "x", v);
        };
    }

    /** Prints memory as editors do: sixteen bytes a line, with their characters. */
    static void dump(long address, byte[] memory, PrintStream out) {
        for (int line = 0; line < memory.length; line += 16) {
            StringBuilder hex = new StringBuilder();
            StringBuilder text = new StringBuilder();
            for (int i = line; i < Math.min(line + 16, memory.length); i++) {
                hex.append(i == line + 8 ? "  " : " ").append(String.format("%02x", memory[i]));
                text.append(memory[i] >= 0x20 && memory[i] < 0x7f ? (char) memory[i] : '.');
            }
            out.printf("%08x %-49s  |%s|%n", address + line, hex, text);
        }
    }
}
