package org.backplane.shell;

import static org.backplane.shell.FakeSession.output;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.felix.service.command.CommandSession;
import org.backplane.board.api.GuestFrame;
import org.backplane.board.api.GuestMapping;
import org.backplane.kvm.spi.mmu.AuditReport;
import org.backplane.kvm.spi.mmu.MmuView.SpteRef;
import org.backplane.kvm.spi.mmu.MmuView.TablePage;
import org.backplane.kvm.spi.mmu.MmuView.TableRole;
import org.backplane.kvm.spi.mmu.Spte;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Shadow pages, reverse map, audit, counters, the guest's mappings. */
class MmuCommandsTest {
    private static final TablePage ROOT = page(0x1021, 0x20, 2, 0, false, 2, List.of(), 1);
    private static final TablePage LEAF = page(0x1025, 0x21, 1, 1, false, 14, List.of(new SpteRef(0x1021, 2, 0, Spte.of(0x1025, Spte.P))), 0);
    private static final TablePage DIRECT = page(0x1066, 0x1c00, 1, 0, true, 436, List.of(), 0);

    private final MachineDirectory directory = new MachineDirectory(new FakeMachines());
    private final CommandSession session = FakeSession.in(Path.of("."));
    private final MmuCommands mmu = new MmuCommands(directory);
    private FakeMachine machine;
    private FakeInspector look;

    @BeforeEach
    void create() {
        machine = (FakeMachine) directory.create(session, "a", Map.of());
        look = machine.inspector;
        look.pages.addAll(List.of(LEAF, ROOT, DIRECT));
    }

    private static TablePage page(long frame, long gfn, int level, int quadrant, boolean direct, int entries, List<SpteRef> parents, int roots) {
        TableRole role = new TableRole(level, 2, quadrant, direct, true, !direct, false, true, false, true, false, false, direct, direct);
        return new TablePage(frame, gfn, role, entries, parents, roots, 0);
    }

    private String pages(String... args) {
        return output(() -> mmu.pages(session, args));
    }

    private static String failure(FakeSession.Command c) {
        return assertThrows(CommandException.class, () -> output(c)).toString();
    }

    @Test
    void pagesTellWhatTheyShadowAndTheirRole() {
        assertEquals(
                """
                FRAME  GFN    ROLE              ENTRIES PARENTS ROOTS WRITES MODE
                0x1025 0x21   1 of 2 q1 wux          14       1     0      0 wp pse
                0x1021 0x20   2 of 2 q0 wux           2       0     1      0 wp pse
                0x1066 0x1c00 1 of 2 direct w-x     436       0     0      0 wp pse clean global
                3 pages
                """,
                pages());
    }

    @Test
    void pagesAreChosenByWhatOneKnowsOfThem() {
        assertTrue(pages("-roots").contains("0x1021 ") && pages("-roots").contains("\n1 page\n"));
        assertTrue(pages("-gfn", "0x1c00").contains("0x1066 "));
        assertTrue(pages("-level", "1", "-direct").contains("0x1066 "));
        machine.state.cr3 = 0x20000;
        assertTrue(pages("a", "-gfn", "gpa:cr3").contains("0x1021 "));
        assertEquals("no such page\n", pages("-level", "2", "-direct"));
        assertTrue(pages("-n", "1").endsWith("1 of 3 pages (-n COUNT shows more)\n"));
    }

    @Test
    void onePageIsShownWithItsParents() {
        assertTrue(pages("-frame", "0x1025").endsWith("1 page\nPARENT       LEVEL     VALUE  BITS\n0x1021[000]      2  01025001  P------\n"), pages("-frame", "0x1025"));
    }

    @Test
    void theReverseMapTellsAddressAndTopTable() {
        look.frame = new GuestFrame(
                0x37, 0x38, 0, List.of(LEAF),
                List.of(
                        new GuestFrame.Mapping(new SpteRef(0x1025, 1, 0x37, Spte.of(0x38, Spte.P | Spte.A)), 0x21,
                                List.of(new GuestFrame.Place(0x37000, 0x20), new GuestFrame.Place(0x37000, 0x40))),
                        new GuestFrame.Mapping(new SpteRef(0x1026, 1, 0, Spte.of(0x38, Spte.P)), 0x21, List.of())));
        assertEquals(
                """
                gfn 0x37: memory slot 0, frame 0x38
                it is a page table with 1 shadow page: no entry may let the guest write it
                ENTRY           VALUE  BITS     TABLE OF GFN  MAPS AT (TOP TABLE)
                0x1025[037]  00038021  P--A---  0x21          0x00037000 (0x20) and 1 more
                0x1026[000]  00038001  P------  0x21          nowhere now
                """,
                output(() -> mmu.rmap(session, new String[] {"0x37"})));
    }

    @Test
    void aGuestPageIsANumberOrThePageOfAnAddress() {
        machine.state.cr3 = 0x5000;
        for (String text : List.of("0x5", "5", "gpa:cr3", "gpa:0x5fff", "gva:0x5001")) {
            look.calls.clear();
            output(() -> mmu.rmap(session, new String[] {text}));
            assertEquals(List.of("frame 5"), look.calls, text);
        }
        assertEquals("'foo' is no guest page (for example 0x1a2b, gpa:cr3, gva:eip)", failure(() -> mmu.rmap(session, new String[] {"foo"})));
        assertTrue(failure(() -> mmu.rmap(session, new String[] {"gva:0x20000"})).startsWith("0x20000 is not mapped"));
    }

    @Test
    void aPageWithoutASlotIsADevice() {
        assertEquals("gfn 0xa0 is in no memory slot: an access is one to a device\n", output(() -> mmu.rmap(session, new String[] {"0xa0"})));
    }

    @Test
    void anAuditEndsWithItsFigures() {
        String text = output(() -> mmu.audit(session, new String[0]));
        assertTrue(text.contains("\nwrite-protection           0\n"), text);
        assertTrue(text.endsWith("\naudit: 12 checks, 0 violations\n"), text);
    }

    @Test
    void anAuditThatFindsSomethingFails() {
        look.audit = new AuditReport(12, List.of(new AuditReport.Violation(AuditReport.Rule.RMAP, 0x1a2b, "an entry is missing")), 1);
        assertEquals("the audit of a found violations", failure(() -> mmu.audit(session, new String[0])));
        look.audit = null;
        assertEquals("the MMU 'third' has no audit", failure(() -> mmu.audit(session, new String[0])));
    }

    @Test
    void countersTellWhatCameSinceTheLastCall() {
        assertFalse(output(() -> mmu.stats(session, new String[0])).contains("CHANGE"));
        look.counters.put("pf_fixed", 1007L);
        String text = output(() -> mmu.stats(session, new String[0]));
        assertTrue(text.startsWith("a: MMU shadow, shadow paging\nNAME          VALUE  CHANGE\nmmu.pf_fixed  1,007  +1,000\n"), text);
    }

    @Test
    void mappingsAreRanges() {
        look.mappings.add(new GuestMapping(0xc0000000L, 4 << 20, 0, true, false, false, true));
        look.mappings.add(new GuestMapping(0x8048000, 0x1000, 0x5000, false, true, true, false));
        assertEquals(
                """
                FROM        TO           SIZE  RIGHTS  FOR         FIRST GPA
                0xc0000000  0xc03fffff  4 MiB  rwx     supervisor  0x00000000  global
                0x08048000  0x08048fff  4 KiB  r--     user        0x00005000
                2 ranges, 4,100 KiB mapped
                """,
                output(() -> mmu.map(session, new String[0])));
        assertTrue(output(() -> mmu.map(session, new String[] {"-n", "1"})).contains("1 of 2 ranges (-n COUNT shows more)"));
    }

    @Test
    void anOptionWithoutItsValueAndOneThatIsUnknownAreRefused() {
        assertEquals("mmu:pages: -gfn needs a value", failure(() -> pages("-gfn")));
        assertEquals("'9' is no number from 1 to 4", failure(() -> pages("-level", "9")));
        assertEquals("'x' is no frame (a number, decimal or with 0x)", failure(() -> pages("-frame", "x")));
        assertTrue(failure(() -> pages("-what")).startsWith("usage: mmu:pages [MACHINE] [-gfn GFN]"));
    }
}
