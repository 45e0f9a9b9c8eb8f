package org.backplane.shell;

import java.io.PrintStream;
import java.util.Optional;
import org.backplane.board.api.PageWalk;
import org.backplane.board.api.PageWalk.GuestEntry;
import org.backplane.board.api.PageWalk.Paging;
import org.backplane.board.api.TlbEntry;
import org.backplane.kvm.spi.mmu.Mmu;
import org.backplane.kvm.spi.mmu.MmuView.SpteRef;
import org.backplane.kvm.spi.mmu.Spte;

/** A page walk as text: the guest's tables on the left, those that the processor walks on the right, then what comes of it. */
final class WalkText {
    private static final String[] NAMES = {"", "PTE", "PDE", "PDPTE", "PML4E"};

    private WalkText() {}

    static void print(PageWalk w, PrintStream out) {
        boolean shadow = w.kind() == Mmu.Kind.SHADOW;
        out.printf("gva 0x%08x, %s, cr3 0x%08x%n", w.gva(), mode(w.mode()), w.cr3());
        if (!w.guest().isEmpty() || !w.host().isEmpty()) {
            table(w, shadow ? "SHADOW ENTRY" : "EPT ENTRY").print(out);
        }
        out.println(translation(w));
        out.println(host(w, shadow));
        for (TlbEntry e : w.tlb()) {
            out.printf("tlb     %s for a %s%s%n", Bits.rights(e.read(), e.write(), e.execute()), e.user() ? "user" : "supervisor",
                    e.global() ? ", global" : "");
        }
        if (w.tlb().isEmpty()) out.println("tlb     not there");
    }

    private static String mode(Paging mode) {
        return switch (mode) {
            case OFF -> "paging is off";
            case BITS_32 -> "32-bit paging";
            case PAE -> "PAE paging";
            case LEVELS_4 -> "4-level paging";
        };
    }

    private static Table table(PageWalk w, String hostHead) {
        Table t = new Table("LEVEL", "GUEST AT", "VALUE>", "BITS", hostHead, "VALUE>", "BITS").tight();
        int top = Math.max(w.mode().levels(), w.host().stream().mapToInt(SpteRef::level).max().orElse(0));
        for (int level = top; level >= 1; level--) {
            int l = level;
            Optional<GuestEntry> g = w.guest().stream().filter(e -> e.level() == l).findFirst();
            Optional<SpteRef> h = w.host().stream().filter(e -> e.level() == l).findFirst();
            if (g.isEmpty() && h.isEmpty()) continue;
            t.row(
                    level,
                    g.map(e -> String.format("%08x", e.gpa())).orElse(""),
                    g.map(e -> String.format("%08x", e.value())).orElse(""),
                    g.map(e -> Bits.guest(e.value())).orElse(""),
                    h.map(WalkText::place).orElse(""),
                    h.map(e -> String.format("%08x", e.spte())).orElse(""),
                    h.map(e -> Bits.spte(e.spte())).orElse(""));
        }
        return t;
    }

    /** Table and index. The four directory pointers of a PAE shadow are the processor's, in no table. */
    static String place(SpteRef e) {
        return e.frame() == 0 ? String.format("root[%d]", e.index()) : String.format("0x%x[%03x]", e.frame(), e.index());
    }

    /** The line for commands that want nothing else. */
    static String translation(PageWalk w) {
        if (!w.mapped()) {
            String level = w.guest().isEmpty() ? "" : ": the " + NAMES[w.guest().getLast().level()] + " is "
                    + ((w.guest().getLast().value() & 1) == 0 ? "not present" : "not valid");
            return String.format("guest   0x%08x is not mapped%s", w.gva(), level);
        }
        if (w.mode() == Paging.OFF) return String.format("guest   0x%08x -> gpa 0x%08x", w.gva(), w.gpa());
        return String.format("guest   0x%08x -> gpa 0x%08x, page of %s, %s %s%s", w.gva(), w.gpa(), Units.bytes(1L << w.pageShift()),
                w.user() ? "user" : "supervisor", Bits.rights(true, w.writable(), !w.noExecute()), w.global() ? ", global" : "");
    }

    private static String host(PageWalk w, boolean shadow) {
        String name = shadow ? "shadow " : "ept    ";
        if (w.host().isEmpty()) return name + " nothing to walk";
        String from = shadow ? String.format("0x%08x", w.walked()) : String.format("gpa 0x%08x", w.walked());
        long last = w.host().getLast().spte();
        if (Spte.isMmio(last)) return String.format("%s %s is a device at gfn 0x%x", name, from, Spte.frame(last));
        if (w.frame() == 0) return name + " " + from + " has no entry at level " + w.host().getLast().level() + " yet: the next access exits";
        return String.format("%s %s -> frame 0x%x, %s%s", name, from, w.frame(),
                Bits.rights(true, (last & Spte.W) != 0, last >= 0), (last & Spte.U) != 0 || !shadow ? "" : ", supervisor");
    }
}
