package org.backplane.x86.isa;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** NASM's disassembler as an oracle: runs it, and brings its text and ours to one form. */
final class Ndisasm {
    /** Every instruction under test starts at a multiple of this; what it does not use is followed by NOPs. */
    static final int SLOT = 48;

    private static final Pattern LINE = Pattern.compile("^([0-9A-F]{8})  ([0-9A-F]+) +(.*)$");
    private static final Pattern CONTINUATION = Pattern.compile("^ +-([0-9A-F]+)$");
    private static final Pattern NUMBER = Pattern.compile("0x([0-9a-f]+)");

    /** Words that do not change what an instruction is. */
    private static final Pattern NOISE = Pattern.compile(
            "\\b(o16|o32|a16|a32|strict|short|near|dword|word|byte|qword|tword|oword|far|repne|repe|rep|to|rel|lock|bnd|xacquire|xrelease) ?");

    private static final Pattern SEGMENT_PREFIX = Pattern.compile("^((cs|ds|es|ss|fs|gs) )+(?=[a-z])");
    private static final Pattern CONDITION = Pattern.compile("^(j|set|cmov)(nz|z|c|nc|na|ng|nl|pe|po)( .*)$");
    private static final Map<String, String> CONDITIONS = Map.of(
            "nz", "ne", "z", "e", "c", "b", "nc", "ae", "na", "be", "ng", "le", "nl", "ge", "pe", "p", "po", "np");

    /** Length in bytes and text of one instruction. */
    record Line(int length, String text) {}

    private Ndisasm() {}

    /** The program, or null where it is not installed. */
    static Path find() {
        for (String dir : System.getenv().getOrDefault("PATH", "").split(":")) {
            Path p = Path.of(dir, "ndisasm");
            if (Files.isExecutable(p)) return p;
        }
        return null;
    }

    /** Disassembles each slot's first instruction. */
    static List<Line> run(Path program, byte[] slots, int bits) throws IOException, InterruptedException {
        Path file = Files.createTempFile("ndisasm", ".bin");
        try {
            Files.write(file, slots);
            Process p = new ProcessBuilder(program.toString(), "-b", Integer.toString(bits), file.toString()).start();
            List<String> out = new String(p.getInputStream().readAllBytes()).lines().toList();
            p.waitFor();
            return parse(out, slots.length / SLOT);
        } finally {
            Files.delete(file);
        }
    }

    private static List<Line> parse(List<String> out, int count) {
        Map<Integer, Line> byOffset = new HashMap<>();
        int at = -1;
        for (String l : out) {
            Matcher m = LINE.matcher(l);
            if (m.matches()) {
                at = Integer.parseInt(m.group(1), 16);
                byOffset.put(at, new Line(m.group(2).length() / 2, m.group(3)));
            } else if ((m = CONTINUATION.matcher(l)).matches()) {
                Line before = byOffset.get(at);
                byOffset.put(at, new Line(before.length + m.group(1).length() / 2, before.text));
            }
        }
        List<Line> lines = new ArrayList<>();
        for (int n = 0; n < count; n++) lines.add(byOffset.get(n * SLOT));
        return lines;
    }

    /** Whether the text is that of an instruction this table means to know. */
    static boolean known(Line l) {
        if (l == null || l.text.startsWith("db ") || l.text.contains("hint_nop") || l.text.contains("segr")) return false;
        if (l.text.contains("wait ") || l.text.contains("bnd") || l.text.contains("ud0") || l.text.contains("xmm")) return false;
        // Moves to segment registers are shown with 32-bit names, LOOP under an address prefix with its counter.
        if (l.text.matches(".*mov [c-gs]s,e.*|.*loop.*,e?cx")) return false;
        String name = normal(l.text, 0).split(" ")[0];
        for (Mnemonic m : Mnemonic.values()) if (m.name().toLowerCase(Locale.ROOT).equals(name)) return true;
        return false;
    }

    /**
     * One form for both disassemblers: no sizes and prefixes, one name for each condition, numbers as 32 bits.
     *
     * @param base the address of the slot, taken off relative targets
     */
    static String normal(String text, long base) {
        String t = NOISE.matcher(text.toLowerCase(Locale.ROOT)).replaceAll("");
        t = SEGMENT_PREFIX.matcher(t).replaceAll("").replace(",+0x", ",0x").replace(" +0x", " 0x").trim();
        Matcher c = CONDITION.matcher(t);
        if (c.matches()) t = c.group(1) + CONDITIONS.get(c.group(2)) + c.group(3);
        boolean relative = t.matches("(j[a-z]+|call|loop[a-z]*) 0x[0-9a-f]+");
        t = NUMBER.matcher(t).replaceAll(m -> {
            long v = Long.parseUnsignedLong(m.group(1), 16) - (relative ? base : 0);
            return "0x" + Long.toHexString(v & (relative ? 0xffff : 0xffffffffL));
        });
        if (t.matches("xchg e?ax,e?ax")) return "nop";
        if (t.startsWith("f")) t = t.replaceFirst("st0,|,st0", ""); // the implied stack top
        // XCHG and TEST do not care for the order.
        return t.matches("(xchg|test) [^,]+,[^,]+") ? sorted(t) : t;
    }

    private static String sorted(String t) {
        int space = t.indexOf(' ');
        String[] o = t.substring(space + 1).split(",");
        return t.substring(0, space + 1) + (o[0].compareTo(o[1]) < 0 ? o[0] + ',' + o[1] : o[1] + ',' + o[0]);
    }
}
