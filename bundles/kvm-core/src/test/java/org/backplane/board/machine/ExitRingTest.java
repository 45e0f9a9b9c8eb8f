package org.backplane.board.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Set;
import org.backplane.board.api.ExitTrace;
import org.backplane.board.api.ExitTrace.Entry;
import org.backplane.board.api.ExitTrace.Filter;
import org.backplane.board.api.ExitTrace.Range;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.exit.ExitReasons;
import org.junit.jupiter.api.Test;

/** What a trace of exits keeps. */
class ExitRingTest {
    private static final Set<Integer> ALL = Set.of();
    private final VcpuContext v = new VcpuContext(3, null, null);

    private boolean record(ExitRing ring, int reason, long qualification, long gva, long gpa, long rip) {
        v.exit.reason = reason;
        v.exit.qualification = qualification;
        v.exit.gva = gva;
        v.state.segBase[CpuState.CS] = 0;
        v.state.rip = rip;
        return ring.record(v, 1000, gpa);
    }

    private boolean out(ExitRing ring, int port) {
        return record(ring, ExitReasons.IO, (long) port << 16, 0, -1, 0x100);
    }

    @Test
    void aRingKeepsTheLastAndCountsAll() {
        ExitRing ring = new ExitRing(Filter.ALL, 3);
        for (int port = 1; port <= 5; port++) assertTrue(out(ring, port));
        ExitTrace t = ring.copy(true);
        assertEquals(5, t.recorded());
        assertEquals(List.of(3L, 4L, 5L), t.entries().stream().map(Entry::number).toList());
        assertEquals(List.of(3L, 4L, 5L), t.entries().stream().map(e -> e.qualification() >> 16).toList());
    }

    @Test
    void anEntryHasAllThatTheExitHad() {
        v.instructions = 77;
        v.exit.insnLength = 15;
        v.exit.value = 0x1234;
        v.exit.interruptionInfo = 0x80000b0e;
        v.exit.interruptionError = -2;
        v.state.gpr[CpuState.RAX] = 1;
        v.state.gpr[CpuState.RCX] = 2;
        ExitRing ring = new ExitRing(Filter.ALL, 2);
        record(ring, ExitReasons.EXCEPTION_NMI, 5, 6, 7, 8);
        assertEquals(-1, ring.copy(true).entries().getFirst().handlingNanos(), "it is being handled");
        ring.handled(99);
        assertEquals(
                new Entry(1, 1000, 77, 3, 0, "EXCEPTION_NMI", 5, 8, 15, 6, 7, 0x80000b0e, -2, 1, 2, 0x1234, 99), ring.copy(true).entries().getFirst());
    }

    @Test
    void onlyTheReasonsOfTheFilterAreObserved() {
        ExitRing ring = new ExitRing(new Filter(Set.of(ExitReasons.IO, ExitReasons.HLT), Range.ALL, Range.ALL, Range.ALL, Range.ALL), 4);
        assertEquals(1L << ExitReasons.IO | 1L << ExitReasons.HLT, ring.reasons());
        assertFalse(ring.wants(ExitReasons.CPUID));
        assertFalse(record(ring, ExitReasons.CPUID, 0, 0, -1, 0));
    }

    @Test
    void aPortRangePassesItsPortsAndNothingWithoutAPort() {
        ExitRing ring = new ExitRing(new Filter(ALL, new Range(0x3f8, 0x3ff), Range.ALL, Range.ALL, Range.ALL), 4);
        assertFalse(out(ring, 0x3f7));
        assertTrue(out(ring, 0x3f8));
        assertTrue(out(ring, 0x3ff));
        assertFalse(out(ring, 0x400));
        assertFalse(record(ring, ExitReasons.CPUID, 0x3f8_0000, 0, -1, 0));
    }

    @Test
    void addressRangesPassWhatHasSuchAnAddress() {
        ExitRing gpas = new ExitRing(new Filter(ALL, Range.ALL, new Range(0x1000, 0x1fff), Range.ALL, Range.ALL), 4);
        assertTrue(record(gpas, ExitReasons.EPT_VIOLATION, 0, 0, 0x1fff, 0));
        assertFalse(record(gpas, ExitReasons.EPT_VIOLATION, 0, 0, 0x2000, 0));
        assertFalse(record(gpas, ExitReasons.HLT, 0, 0, -1, 0));
        ExitRing gvas = new ExitRing(new Filter(ALL, Range.ALL, Range.ALL, new Range(0, 0xfff), Range.ALL), 4);
        assertTrue(record(gvas, ExitReasons.EXCEPTION_NMI, 0, 0xfff, -1, 0));
        assertFalse(record(gvas, ExitReasons.EXCEPTION_NMI, 0, 0x1000, -1, 0));
        assertFalse(record(gvas, ExitReasons.HLT, 0, 0, -1, 0), "HLT accesses no address, though the field is 0");
        ExitRing rips = new ExitRing(new Filter(ALL, Range.ALL, Range.ALL, Range.ALL, new Range(0xfffffff0L, 0xffffffffL)), 4);
        assertTrue(record(rips, ExitReasons.HLT, 0, 0, -1, 0xfffffff0L));
        assertFalse(record(rips, ExitReasons.HLT, 0, 0, -1, 0x100));
    }
}
