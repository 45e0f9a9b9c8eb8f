package org.backplane.board.machine;

import static org.backplane.kvm.spi.cpu.CpuState.RAX;
import static org.backplane.kvm.spi.cpu.CpuState.RCX;

import java.util.ArrayList;
import java.util.List;
import org.backplane.board.api.ExitTrace;
import org.backplane.board.api.ExitTrace.Entry;
import org.backplane.board.api.ExitTrace.Filter;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.exit.ExitReasons;
import org.backplane.kvm.spi.exit.VmExit;

/**
 * The ring of recorded exits of one run of a trace: {@value #FIELDS} longs an entry in one array, so that recording allocates nothing.
 *
 * <p><b>Threading.</b> The machine's thread.
 */
final class ExitRing {
    private static final int CLOCK = 0,
            INSTRUCTIONS = 1,
            REASON = 2,
            QUALIFICATION = 3,
            RIP = 4,
            GVA = 5,
            GPA = 6,
            INFO = 7,
            VALUE_RAX = 8,
            VALUE_RCX = 9,
            VALUE = 10,
            HANDLING = 11,
            FIELDS = 12;

    /** No port. */
    private static final int NONE = -1;

    private static final long UNHANDLED = -1;

    private final Filter filter;
    private final long reasons;
    private final int size;
    private final long[] ring;
    private long recorded;

    ExitRing(Filter filter, int size) {
        this.filter = filter;
        this.size = size;
        reasons = reasons(filter);
        ring = new long[size * FIELDS];
    }

    private static long reasons(Filter filter) {
        if (filter.reasons().isEmpty()) return -1;
        long mask = 0;
        for (int r : filter.reasons()) mask |= 1L << r;
        return mask;
    }

    /** The reasons that can pass, as bits. */
    long reasons() {
        return reasons;
    }

    /** Can an exit of this reason pass? Asked before what it takes to know more is looked up. */
    boolean wants(int reason) {
        return (reasons >>> reason & 1) != 0;
    }

    /**
     * Records an exit if it passes.
     *
     * @param clock virtual time in nanoseconds
     * @param gpa the physical address accessed, -1 if there is none
     * @return whether it was recorded
     */
    boolean record(VcpuContext v, long clock, long gpa) {
        VmExit e = v.exit;
        int reason = e.reason & ExitReasons.COUNT - 1;
        long rip = v.state.linearRip();
        if (!passes(e, reason, rip, gpa)) return false;
        int i = (int) (recorded % size) * FIELDS;
        long[] r = ring;
        r[i + CLOCK] = clock;
        r[i + INSTRUCTIONS] = v.instructions;
        r[i + REASON] = reason | (long) v.id << 16 | (long) e.insnLength << 32;
        r[i + QUALIFICATION] = e.qualification;
        r[i + RIP] = rip;
        r[i + GVA] = e.gva;
        r[i + GPA] = gpa;
        r[i + INFO] = e.interruptionInfo & 0xffffffffL | (long) e.interruptionError << 32;
        r[i + VALUE_RAX] = v.state.gpr[RAX];
        r[i + VALUE_RCX] = v.state.gpr[RCX];
        r[i + VALUE] = e.value;
        r[i + HANDLING] = UNHANDLED;
        recorded++;
        return true;
    }

    private boolean passes(VmExit e, int reason, long rip, long gpa) {
        if ((reasons >>> reason & 1) == 0) return false;
        if (filter.ports().limits()) {
            int port = reason == ExitReasons.IO ? (int) (e.qualification >>> 16) & 0xffff : NONE;
            if (port == NONE || !filter.ports().contains(port)) return false;
        }
        if (filter.gpas().limits() && (gpa == -1 || !filter.gpas().contains(gpa))) return false;
        if (filter.gvas().limits() && (!hasGva(reason) || !filter.gvas().contains(e.gva))) return false;
        return filter.rips().contains(rip);
    }

    private static boolean hasGva(int reason) {
        return reason == ExitReasons.EXCEPTION_NMI || reason == ExitReasons.EPT_VIOLATION || reason == ExitReasons.INVLPG;
    }

    /** The exit recorded last has been handled. */
    void handled(long nanos) {
        ring[(int) ((recorded - 1) % size) * FIELDS + HANDLING] = nanos;
    }

    ExitTrace copy(boolean running) {
        List<Entry> entries = new ArrayList<>();
        for (long n = Math.max(0, recorded - size); n < recorded; n++) entries.add(entry(n));
        return new ExitTrace(running, filter, size, recorded, List.copyOf(entries));
    }

    private Entry entry(long n) {
        long[] r = ring;
        int i = (int) (n % size) * FIELDS;
        int reason = (int) r[i + REASON] & 0xffff;
        return new Entry(
                n + 1,
                r[i + CLOCK],
                r[i + INSTRUCTIONS],
                (int) (r[i + REASON] >>> 16) & 0xffff,
                reason,
                ExitReasons.name(reason),
                r[i + QUALIFICATION],
                r[i + RIP],
                (int) (r[i + REASON] >>> 32),
                r[i + GVA],
                r[i + GPA],
                (int) r[i + INFO],
                (int) (r[i + INFO] >>> 32),
                r[i + VALUE_RAX],
                r[i + VALUE_RCX],
                r[i + VALUE],
                r[i + HANDLING]);
    }
}
