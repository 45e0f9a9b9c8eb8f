package org.backplane.shell;

import static org.backplane.shell.FakeSession.output;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.felix.service.command.CommandSession;
import org.backplane.board.api.PageWalk;
import org.backplane.board.api.PageWalk.GuestEntry;
import org.backplane.board.api.TlbEntry;
import org.backplane.kvm.spi.mmu.Mmu;
import org.backplane.kvm.spi.mmu.MmuView.SpteRef;
import org.backplane.kvm.spi.mmu.Spte;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A page walk as people see it. */
class WalkTextTest {
    private final MachineDirectory directory = new MachineDirectory(new FakeMachines());
    private final CommandSession session = FakeSession.in(Path.of("."));
    private final MmuCommands mmu = new MmuCommands(directory);
    private FakeInspector look;

    @BeforeEach
    void create() {
        look = ((FakeMachine) directory.create(session, "a", Map.of())).inspector;
    }

    private String walk() {
        return output(() -> mmu.walk(session, new String[] {"0x10"}));
    }

    private static PageWalk shadow(List<GuestEntry> guest, boolean mapped, List<SpteRef> host, long frame, List<TlbEntry> tlb) {
        return new PageWalk(
                0xc0100000L, PageWalk.Paging.BITS_32, 0x2096000, guest, mapped, 0x100000, 12, true, false, false, true, Mmu.Kind.SHADOW, 0xc0100000L,
                host, frame, tlb);
    }

    @Test
    void bothTablesStandSideBySide() {
        look.walk = shadow(
                List.of(new GuestEntry(2, 0x2096c00, 0x9ee6063), new GuestEntry(1, 0x9ee6400, 0x100163)),
                true,
                List.of(
                        new SpteRef(0, 3, 3, Spte.of(0x10086, Spte.P)),
                        new SpteRef(0x10086, 2, 0, Spte.of(0x10043, Spte.P | Spte.W | Spte.U | Spte.A)),
                        new SpteRef(0x10043, 1, 0x100, Spte.of(0xe1, Spte.P | Spte.A | Spte.G))),
                0xe1,
                List.of(new TlbEntry(false, 0xc0100000L, 0x100000, true, false, true, true)));
        assertEquals(
                """
                gva 0xc0100000, 32-bit paging, cr3 0x02096000
                LEVEL  GUEST AT     VALUE  BITS        SHADOW ENTRY     VALUE  BITS
                3                                      root[3]       10086001  P------
                2      02096c00  09ee6063  PW---AD---  0x10086[000]  10043027  PWUA---
                1      09ee6400  00100163  PW---AD-G-  0x10043[100]  000e1121  P--A-G-
                guest   0xc0100000 -> gpa 0x00100000, page of 4 KiB, supervisor rwx, global
                shadow  0xc0100000 -> frame 0xe1, r-x, supervisor
                tlb     r-x for a supervisor, global
                """,
                walk());
    }

    @Test
    void anEntryThatTheShadowHasNotYetMakesTheNextAccessExit() {
        look.walk = shadow(
                List.of(new GuestEntry(2, 0x2096c00, 0x9ee6063), new GuestEntry(1, 0x9ee6400, 0x100163)),
                true,
                List.of(new SpteRef(0, 3, 3, Spte.of(0x10086, Spte.P)), new SpteRef(0x10086, 2, 0, 0)),
                0,
                List.of());
        String text = walk();
        assertTrue(text.contains("\nshadow  0xc0100000 has no entry at level 2 yet: the next access exits\ntlb     not there\n"), text);
    }

    @Test
    void aDeviceIsTheMarkOfItsPage() {
        look.walk = shadow(
                List.of(new GuestEntry(2, 0x20000, 0x21023), new GuestEntry(1, 0x212e0, 0xb8063)),
                true,
                List.of(
                        new SpteRef(0, 3, 0, Spte.of(0x1021, Spte.P)),
                        new SpteRef(0x1021, 2, 0, Spte.of(0x1025, Spte.P)),
                        new SpteRef(0x1025, 1, 0xb8, Spte.of(0xb8, Spte.MMIO | Spte.W))),
                0,
                List.of());
        String text = walk();
        assertTrue(text.contains("0x1025[0b8]   40000000000b8002  MW-----\n"), text);
        assertTrue(text.contains("is a device at gfn 0xb8\n"), text);
        assertTrue(text.lines().allMatch(l -> l.length() <= 80), text);
    }

    @Test
    void whatTheGuestDoesNotMapNamesTheEntryThatEndsTheWalk() {
        look.walk = shadow(
                List.of(new GuestEntry(2, 0x2096c00, 0x9ee6063), new GuestEntry(1, 0x9ee6400, 0x100162)),
                false,
                List.of(new SpteRef(0, 3, 3, 0)),
                0,
                List.of());
        assertTrue(walk().contains("guest   0xc0100000 is not mapped: the PTE is not present\n"), walk());
    }

    @Test
    void paeEntriesWithNxFitEightyColumns() {
        long nx = 1L << 63;
        look.walk = new PageWalk(
                0xc0100000L, PageWalk.Paging.PAE, 0x2096000, List.of(new GuestEntry(3, 0x2096018, 0x9ee5001), new GuestEntry(2, 0x9ee5000, 0x9ee6063),
                        new GuestEntry(1, 0x9ee6400, 0x100163 | nx)),
                true, 0x100000, 12, true, false, true, true, Mmu.Kind.SHADOW, 0xc0100000L,
                List.of(
                        new SpteRef(0, 3, 3, Spte.of(0x10086, Spte.P)),
                        new SpteRef(0x10086, 2, 0, Spte.of(0x10043, Spte.P)),
                        new SpteRef(0x10043, 1, 0x100, Spte.of(0xe1, Spte.P) | nx)),
                0xe1, List.of());
        String text = walk();
        assertTrue(text.contains("80000000000e1001 P-----N\n"), text);
        assertTrue(text.contains("8000000000100163 PW---AD-GN"), text);
        assertTrue(text.lines().limit(5).allMatch(l -> l.length() <= 80), text);
    }

    @Test
    void withoutPagingThereIsNothingToWalk() {
        assertEquals("gva 0x00000010, paging is off, cr3 0x00000000\nguest   0x00000010 -> gpa 0x00000010\nept     nothing to walk\ntlb     not there\n", walk());
        assertEquals("0x00000010 -> gpa 0x00000010\n", output(() -> mmu.translate(session, new String[] {"a", "0x10"})));
    }
}
