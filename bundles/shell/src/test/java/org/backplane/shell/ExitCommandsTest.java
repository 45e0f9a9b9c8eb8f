package org.backplane.shell;

import static org.backplane.shell.FakeSession.output;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.felix.service.command.CommandSession;
import org.backplane.board.api.ExitStats;
import org.backplane.board.api.ExitStats.Reason;
import org.backplane.board.api.ExitTrace;
import org.backplane.board.api.ExitTrace.Entry;
import org.backplane.board.api.ExitTrace.Filter;
import org.backplane.board.api.ExitTrace.Range;
import org.backplane.kvm.spi.exit.ExitReasons;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Exits by reason, and their trace. */
class ExitCommandsTest {
    private final MachineDirectory directory = new MachineDirectory(new FakeMachines());
    private final CommandSession session = FakeSession.in(Path.of("."));
    private final ExitCommands exit = new ExitCommands(directory);
    private FakeInspector look;

    @BeforeEach
    void create() {
        look = ((FakeMachine) directory.create(session, "a", Map.of())).inspector;
    }

    private String trace(String... args) {
        return output(() -> exit.trace(session, args));
    }

    private String failure(String... args) {
        return assertThrows(CommandException.class, () -> trace(args)).toString();
    }

    private static Reason io(long count, long timed, long nanos) {
        return new Reason(ExitReasons.IO, "IO", count, timed, nanos, timed == 0 ? 0 : 100, timed == 0 ? 0 : 9000);
    }

    @Test
    void exitsAreSortedByCount() {
        look.exits.add(new Reason(ExitReasons.HLT, "HLT", 1, 0, 0, 0, 0));
        look.exits.add(io(2999, 0, 0));
        assertEquals(
                """
                VM-EXIT  COUNT  COUNT%
                IO       2,999   100.0
                HLT          1     0.0
                total    3,000
                """,
                output(() -> exit.list(session, new String[0])));
    }

    @Test
    void ratesAndAveragesAreOfTheInterval() {
        ExitStats before = new ExitStats(0, 0, 0, true, List.of(io(100, 50, 1_000_000)));
        ExitStats now = new ExitStats(2_000_000_000L, 0, 0, true, List.of(io(300, 150, 1_200_000), new Reason(12, "HLT", 10, 10, 600_000, 1, 2)));
        assertEquals(
                List.of(
                        "VM-EXIT  COUNT  COUNT%  RATE/s  TIME%  AVERAGE      MIN      MAX",
                        "IO         300    96.8     100   25.0  2.00 µs  0.10 µs  9.00 µs",
                        "HLT         10     3.2       5   75.0  60.0 µs  0.00 µs  0.00 µs",
                        "total      310             105         7.27 µs"),
                ExitTable.of(now, before).lines());
    }

    @Test
    void countsThatWentDownAreThoseOfAnotherBackend() {
        ExitStats before = new ExitStats(0, 0, 0, true, List.of(io(1000, 0, 0)));
        ExitStats now = new ExitStats(1_000_000_000L, 0, 0, true, List.of(io(7, 0, 0)));
        assertEquals("IO           7   100.0       7", ExitTable.of(now, before).lines().get(1));
    }

    @Test
    void withoutATerminalTheLiveViewIsOneInterval() {
        look.exits.add(io(5, 0, 0));
        String text = output(() -> exit.top(session, new String[] {"-d", "0.01"}));
        assertTrue(text.startsWith("a is created: 0.0 million instructions/s, 0.0 % of time in exits"), text);
        assertTrue(text.contains("\nIO           5   100.0       0\n"), text);
        assertEquals(0, look.watchers, "nothing is timed any more");
    }

    @Test
    void aTraceTakesFiltersInAnyOrder() {
        assertEquals(
                "trace on: CR_ACCESS,IO port 0x3f8-0x3ff rip 0x100-0x100; 0 recorded\n",
                trace("-port", "0x3f8-0x3ff", "a", "on", "-size", "100", "-reason", "io,CR_ACCESS", "-rip", "256"));
        assertEquals(
                new Filter(Set.of(ExitReasons.IO, ExitReasons.CR_ACCESS), new Range(0x3f8, 0x3ff), Range.ALL, Range.ALL, new Range(0x100, 0x100)),
                look.trace.filter());
        assertEquals(100, look.trace.size());
        assertEquals("trace off: CR_ACCESS,IO port 0x3f8-0x3ff rip 0x100-0x100; 0 recorded\n", trace("off"));
    }

    @Test
    void withoutAWordATraceTellsItsState() {
        assertEquals("no trace (exit:trace on starts one)\n", trace());
        trace("on");
        assertEquals("trace on: all exits; 0 recorded\n", trace());
        assertEquals(ExitTrace.USUAL, look.trace.size());
    }

    @Test
    void badFiltersAreRefusedInOneLine() {
        assertEquals("'9-3' is no range (for example 0x3f8-0x3ff, or one number)", failure("on", "-port", "9-3"));
        assertEquals("'1-2-3' is no range (for example 0x3f8-0x3ff, or one number)", failure("on", "-gpa", "1-2-3"));
        assertEquals("there is no exit reason 'ept_'; is it EPT_VIOLATION, EPT_MISCONFIGURATION?", failure("on", "-reason", "ept_"));
        assertEquals("there is no exit reason '99'; exit:list shows those that came", failure("on", "-reason", "99"));
        assertTrue(failure("off", "-port", "1").startsWith("usage: exit:trace [MACHINE] [on|off|show]"));
        assertTrue(failure("on", "-n", "1").startsWith("usage:"));
        assertTrue(failure("what").startsWith("usage:"));
    }

    private static Entry entry(int reason, long qualification, long gva, long gpa, int info, int error, long value) {
        return new Entry(7, 1_500_000_000, 1, 0, reason, ExitReasons.name(reason), qualification, 0xc0001000L, 2, gva, gpa, info, error, 0xab12, 0x10, value, 1234);
    }

    @Test
    void detailsSayWhatTheExitWasAbout() {
        assertEquals("out 3f8 byte = 12", TraceText.details(entry(ExitReasons.IO, 0x3f80000, 0, -1, 0, 0, 0)));
        assertEquals("in 60 byte", TraceText.details(entry(ExitReasons.IO, 0x600008, 0, -1, 0, 0, 0)));
        assertEquals("rep outs 1f0 word", TraceText.details(entry(ExitReasons.IO, 0x1f00031, 0, -1, 0, 0, 0)));
        assertEquals("cr3 = 02096000", TraceText.details(entry(ExitReasons.CR_ACCESS, 3, 0, -1, 0, 0, 0x2096000)));
        assertEquals("read cr3", TraceText.details(entry(ExitReasons.CR_ACCESS, 0x13, 0, -1, 0, 0, 0)));
        assertEquals("clts", TraceText.details(entry(ExitReasons.CR_ACCESS, 0x20, 0, -1, 0, 0, 0)));
        assertEquals("#PF 08048000 PWU- gpa 00005000", TraceText.details(entry(0, 0x8048000, 0x8048000, 0x5000, 0x80000b0e, 7, 0)));
        assertEquals("#PF 08048000 ----", TraceText.details(entry(0, 0x8048000, 0x8048000, -1, 0x80000b0e, 0, 0)));
        assertEquals("write gpa 000b8000", TraceText.details(entry(ExitReasons.EPT_VIOLATION, 2, 0, 0xb8000, 0, 0, 0)));
        assertEquals("msr 10 = 5", TraceText.details(entry(ExitReasons.WRMSR, 0, 0, -1, 0, 0, 5)));
    }

    @Test
    void theLastExitsAreShown() {
        Entry e = entry(ExitReasons.HLT, 0, 0, -1, 0, 0, 0);
        look.trace = new ExitTrace(true, Filter.ALL, 2, 7, List.of(e, e));
        assertEquals(
                """
                NUMBER      TIME       RIP  VM-EXIT  DETAILS  HANDLING
                     7  1.500000  c0001000  HLT                1.23 µs
                trace on: all exits; 7 recorded, the last 2 kept
                """,
                trace("show", "-n", "1"));
    }
}
