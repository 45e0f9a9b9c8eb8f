package org.backplane.shell;

import java.io.PrintStream;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.backplane.board.api.ExitTrace;
import org.backplane.board.api.ExitTrace.Entry;
import org.backplane.board.api.ExitTrace.Filter;
import org.backplane.board.api.ExitTrace.Range;
import org.backplane.kvm.spi.exit.ExitReasons;

/** The trace of exits as text, and its filter as people write it. */
final class TraceText {
    private static final String UNKNOWN = "REASON_";

    private TraceText() {}

    /** All reasons that have a name. */
    static List<String> reasonNames() {
        return IntStream.range(0, ExitReasons.COUNT).mapToObj(ExitReasons::name).filter(n -> !n.startsWith(UNKNOWN)).toList();
    }

    /** Reasons by name or number, with commas between. */
    static Set<Integer> reasons(String text) {
        Set<Integer> all = new LinkedHashSet<>();
        for (String word : text.split(",")) all.add(reason(word));
        return all;
    }

    private static int reason(String word) {
        for (int r = 0; r < ExitReasons.COUNT; r++) {
            if (ExitReasons.name(r).equalsIgnoreCase(word) || word.equals(String.valueOf(r))) return r;
        }
        List<String> like = reasonNames().stream().filter(n -> n.contains(word.toUpperCase(Locale.ROOT))).toList();
        throw new CommandException("there is no exit reason '" + word + "'" + (like.isEmpty() ? "; exit:list shows those that came" : "; is it "
                + String.join(", ", like) + "?"));
    }

    /** {@code FIRST-LAST}, or one number. */
    static Range range(String text) {
        String[] ends = text.split("-", -1);
        try {
            if (ends.length <= 2) {
                Range r = new Range(Arguments.number(ends[0]), Arguments.number(ends[ends.length - 1]));
                if (Long.compareUnsigned(r.first(), r.last()) <= 0) return r;
            }
        } catch (NumberFormatException e) {
            // Falls through to the one message.
        }
        throw new CommandException("'" + text + "' is no range (for example 0x3f8-0x3ff, or one number)");
    }

    /** What a trace is and holds, in one line. */
    static String status(ExitTrace t) {
        if (t.size() == 0) return "no trace (exit:trace on starts one)";
        String lost = t.recorded() > t.entries().size() ? ", the last " + Units.count(t.entries().size()) + " kept" : "";
        return "trace " + (t.running() ? "on" : "off") + ": " + filter(t.filter()) + "; " + Units.count(t.recorded()) + " recorded" + lost;
    }

    private static String filter(Filter f) {
        String reasons = f.reasons().isEmpty()
                ? "all exits"
                : f.reasons().stream().sorted().map(ExitReasons::name).collect(Collectors.joining(","));
        return reasons + range("port", f.ports()) + range("gpa", f.gpas()) + range("gva", f.gvas()) + range("rip", f.rips());
    }

    private static String range(String name, Range r) {
        return r.limits() ? String.format(" %s 0x%x-0x%x", name, r.first(), r.last()) : "";
    }

    /** The last exits, the oldest first. */
    static void print(ExitTrace trace, int count, PrintStream out) {
        List<Entry> entries = trace.entries();
        Table t = new Table("NUMBER>", "TIME>", "RIP>", "VM-EXIT", "DETAILS", "HANDLING>").tight();
        for (Entry e : entries.subList(Math.max(0, entries.size() - count), entries.size())) {
            t.row(
                    e.number(),
                    String.format(Locale.ROOT, "%.6f", e.guestNanos() / 1e9),
                    String.format("%08x", e.rip()),
                    e.name(),
                    details(e),
                    e.handlingNanos() < 0 ? "" : Units.duration(e.handlingNanos()));
        }
        t.print(out);
    }

    static String details(Entry e) {
        return switch (e.reason()) {
            case ExitReasons.IO -> port(e);
            case ExitReasons.EXCEPTION_NMI -> exception(e);
            case ExitReasons.EPT_VIOLATION -> String.format("%s gpa %08x", eptAccess(e.qualification()), e.gpa());
            case ExitReasons.CR_ACCESS -> controlRegister(e);
            case ExitReasons.DR_ACCESS -> (e.qualification() & 16) != 0
                    ? String.format("read dr%d", e.qualification() & 7)
                    : String.format("dr%d = %08x", e.qualification() & 7, e.value());
            case ExitReasons.RDMSR -> String.format("msr %x", e.rcx() & 0xffffffffL);
            case ExitReasons.WRMSR -> String.format("msr %x = %x", e.rcx() & 0xffffffffL, e.value());
            case ExitReasons.CPUID -> String.format("leaf %x", e.rax() & 0xffffffffL);
            case ExitReasons.INVLPG -> String.format("gva %08x", e.qualification());
            default -> e.qualification() == 0 ? "" : String.format("qualification %x", e.qualification());
        };
    }

    /** SDM 3C table 27-5. */
    private static String port(Entry e) {
        long q = e.qualification();
        int size = (int) (q & 7) + 1;
        String what = ((q & 32) != 0 ? "rep " : "") + ((q & 8) != 0 ? "in" : "out") + ((q & 16) != 0 ? "s" : "");
        boolean tellsValue = (q & (8 | 16)) == 0;
        String value = tellsValue ? String.format(" = %0" + 2 * size + "x", e.rax() & -1L >>> 64 - 8 * size) : "";
        return String.format("%s %x %s%s", what, q >>> 16 & 0xffff, size == 1 ? "byte" : size == 2 ? "word" : "dword", value);
    }

    private static String exception(Entry e) {
        int vector = e.interruptionInfo() & 0xff;
        if (vector != 14) return "vector " + vector;
        String gpa = e.gpa() < 0 ? "" : String.format(" gpa %08x", e.gpa());
        return String.format("#PF %08x %s%s", e.gva(), errorCode(e.interruptionError()), gpa);
    }

    /** Present, write, user, fetch (SDM 3A 4.7). */
    private static String errorCode(int error) {
        return ((error & 1) != 0 ? "P" : "-") + ((error & 2) != 0 ? "W" : "-") + ((error & 4) != 0 ? "U" : "-") + ((error & 16) != 0 ? "F" : "-");
    }

    /** SDM 3C table 27-7: bit 0 read, 1 write, 2 fetch. */
    private static String eptAccess(long qualification) {
        return (qualification & 4) != 0 ? "fetch" : (qualification & 2) != 0 ? "write" : "read";
    }

    /** SDM 3C table 27-3. */
    private static String controlRegister(Entry e) {
        long cr = e.qualification() & 15;
        return switch ((int) (e.qualification() >> 4) & 3) {
            case 0 -> String.format("cr%d = %08x", cr, e.value());
            case 1 -> "read cr" + cr;
            case 2 -> "clts";
            default -> String.format("lmsw %04x", e.qualification() >>> 16 & 0xffff);
        };
    }
}
