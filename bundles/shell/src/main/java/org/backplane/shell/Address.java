package org.backplane.shell;

import java.util.List;
import java.util.Locale;
import org.backplane.kvm.spi.cpu.CpuState;

/**
 * Addresses as users write them: numbers (decimal, or with 0x), registers, sums and differences of these, and {@code SEGMENT:OFFSET}. {@code eip}
 * and {@code pc} mean the linear address of the next instruction.
 */
final class Address {
    private static final List<String> GPR = List.of("ax", "cx", "dx", "bx", "sp", "bp", "si", "di");
    private static final List<String> SEGMENTS = List.of("es", "cs", "ss", "ds", "fs", "gs");

    private Address() {}

    static long parse(String text, CpuState s) {
        int colon = text.indexOf(':');
        if (colon < 0) return sum(text, s, true);
        String segment = text.substring(0, colon).toLowerCase(Locale.ROOT);
        int known = SEGMENTS.indexOf(segment);
        // A number is a paragraph, as in real mode; a register brings the base it has now.
        long base = known >= 0 ? s.segBase[known] : sum(segment, s, false) << 4;
        return base + sum(text.substring(colon + 1), s, false) & (s.codeBits() == 64 ? -1L : 0xffffffffL);
    }

    private static long sum(String text, CpuState s, boolean linear) {
        long total = 0;
        int start = 0;
        int sign = 1;
        for (int i = 1; i <= text.length(); i++) {
            if (i < text.length() && text.charAt(i) != '+' && text.charAt(i) != '-') continue;
            total += sign * term(text.substring(start, i), text, s, linear);
            if (i < text.length()) sign = text.charAt(i) == '-' ? -1 : 1;
            start = i + 1;
        }
        if (text.isEmpty() || start != text.length() + 1) throw bad(text);
        return total;
    }

    private static long term(String term, String whole, CpuState s, boolean linear) {
        String name = term.toLowerCase(Locale.ROOT);
        String plain = name.length() == 3 && (name.charAt(0) == 'e' || name.charAt(0) == 'r') ? name.substring(1) : name;
        if (plain.equals("ip") || plain.equals("pc")) return linear ? s.linearRip() : s.rip;
        int gpr = GPR.indexOf(plain);
        if (gpr >= 0) return name.length() == 2 ? s.gpr[gpr] & 0xffff : name.startsWith("e") ? s.gpr[gpr] & 0xffffffffL : s.gpr[gpr];
        if (name.matches("r([89]|1[0-5])")) return s.gpr[Integer.parseInt(name.substring(1))];
        switch (name) {
            case "cr2" -> {
                return s.cr2;
            }
            case "cr3" -> {
                return s.cr3;
            }
            default -> {
                try {
                    return name.startsWith("0x") ? Long.parseUnsignedLong(name.substring(2), 16) : Long.parseUnsignedLong(name);
                } catch (NumberFormatException e) {
                    throw bad(whole);
                }
            }
        }
    }

    private static CommandException bad(String text) {
        return new CommandException("'" + text + "' is no address (for example 0x7c00, esp+4, ds:si, 0xf000:0xfff0)");
    }
}
