package org.backplane.shell;

import java.io.PrintStream;
import java.util.List;
import org.backplane.board.api.GuestFrame;
import org.backplane.board.api.GuestFrame.Mapping;
import org.backplane.board.api.GuestFrame.Place;
import org.backplane.kvm.spi.mmu.MmuView.SpteRef;
import org.backplane.kvm.spi.mmu.MmuView.TablePage;
import org.backplane.kvm.spi.mmu.MmuView.TableRole;

/** Table pages and the reverse map as text. */
final class PagesText {
    private PagesText() {}

    /** @param all how many there are, of which {@code some} are to be shown */
    static void print(List<TablePage> some, int all, PrintStream out) {
        Table t = new Table("FRAME", "GFN", "ROLE", "ENTRIES>", "PARENTS>", "ROOTS>", "WRITES>", "MODE").tight();
        for (TablePage p : some) {
            t.row(
                    String.format("0x%x", p.frame()),
                    String.format("0x%x", p.gfn()),
                    role(p.role()),
                    p.entries(),
                    p.parents().size(),
                    p.roots(),
                    p.writes(),
                    mode(p.role()));
        }
        t.print(out);
        out.println(some.size() < all ? some.size() + " of " + Units.count(all) + " pages (-n COUNT shows more)" : pages(all));
    }

    private static String pages(int n) {
        return n == 1 ? "1 page" : Units.count(n) + " pages";
    }

    /** Level of guest's levels, quadrant or "direct", rights of the levels above. */
    private static String role(TableRole r) {
        StringBuilder b = new StringBuilder().append(r.level()).append(" of ").append(r.guestLevels());
        if (r.direct()) b.append(" direct");
        else if (r.guestLevels() == 2) b.append(" q").append(r.quadrant());
        return b.append(' ').append(r.writable() ? 'w' : '-').append(r.user() ? 'u' : '-').append(r.noExecute() ? '-' : 'x').toString();
    }

    /** The guest's registers that matter; of a part of a large page also what its entry had besides rights. */
    private static String mode(TableRole r) {
        String all = (r.wp() ? " wp" : "") + (r.nxe() ? " nxe" : "") + (r.pse() ? " pse" : "") + (r.smep() ? " smep" : "") + (r.smap() ? " smap" : "");
        return (all + (r.clean() ? " clean" : "") + (r.global() ? " global" : "")).strip();
    }

    static void parents(TablePage p, PrintStream out) {
        if (p.parents().isEmpty()) return;
        Table t = new Table("PARENT", "LEVEL>", "VALUE>", "BITS");
        for (SpteRef e : p.parents()) t.row(WalkText.place(e), e.level(), String.format("%08x", e.spte()), Bits.spte(e.spte()));
        t.print(out);
    }

    static void print(GuestFrame f, PrintStream out) {
        if (f.frame() == 0) {
            out.printf("gfn 0x%x is in no memory slot: an access is one to a device%n", f.gfn());
            return;
        }
        out.printf("gfn 0x%x: memory slot %d, frame 0x%x%n", f.gfn(), f.slot(), f.frame());
        if (!f.shadows().isEmpty()) {
            out.println("it is a page table with " + (f.shadows().size() == 1 ? "1 shadow page" : f.shadows().size() + " shadow pages")
                    + ": no entry may let the guest write it");
        }
        if (f.mappings().isEmpty()) {
            out.println("no entry maps it");
            return;
        }
        Table t = new Table("ENTRY", "VALUE>", "BITS", "TABLE OF GFN", "MAPS AT (TOP TABLE)").tight();
        for (Mapping m : f.mappings()) {
            t.row(
                    WalkText.place(m.entry()),
                    String.format("%08x", m.entry().spte()),
                    Bits.spte(m.entry().spte()),
                    String.format("0x%x", m.table()),
                    places(m.places()));
        }
        t.print(out);
    }

    /** The first of the places: a table of the kernel's is in every address space. */
    private static String places(List<Place> places) {
        if (places.isEmpty()) return "nowhere now";
        Place first = places.getFirst();
        String more = places.size() == 1 ? "" : " and " + (places.size() - 1) + " more";
        return String.format("0x%08x (0x%x)%s", first.address(), first.top(), more);
    }
}
