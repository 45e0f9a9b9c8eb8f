package org.backplane.board.machine;

import java.util.ArrayList;
import java.util.List;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.mmu.GuestWalk;
import org.backplane.kvm.spi.mmu.VmMemory;

/** The guest's page walk for an address as text: one line a level with the entry and its bits, then the answer. Changes no accessed bits. */
final class PageWalkText {
    private static final String[] NAMES = {"", "PTE", "PDE", "PDPTE", "PML4E"};
    private static final long PRESENT = 1, LARGE = 1 << 7;

    /** Letters of the bits 0 to 8, and of NX. */
    private static final String BITS = "PWUTCADLG";

    private PageWalkText() {}

    static List<String> lines(VmMemory memory, VcpuContext v, long gva) {
        GuestWalk walk = new GuestWalk();
        int answer = walk.walk(v, GuestWalk.over(memory), gva, 0, false);
        List<String> lines = new ArrayList<>();
        if (walk.levels == 0) lines.add("paging is off");
        for (int level = walk.levels; level >= 1; level--) {
            long entry = walk.pte[level];
            lines.add(String.format("%-5s at gpa %08x: %016x %s", NAMES[level], walk.pteGpa[level], entry, bits(entry)));
            boolean large = level > 1 && (entry & LARGE) != 0 && !(level == 3 && walk.levels == 3);
            if ((entry & PRESENT) == 0 || large) break;
        }
        lines.add(answer == GuestWalk.OK
                ? String.format("gva %08x -> gpa %08x%s", gva, walk.gpa, walk.levels == 0 ? "" : ", page of " + size(walk.pageShift))
                : String.format("gva %08x is not mapped", gva));
        return lines;
    }

    private static String size(int shift) {
        return shift >= 30 ? (1 << shift - 30) + " GiB" : shift >= 20 ? (1 << shift - 20) + " MiB" : (1 << shift - 10) + " KiB";
    }

    private static String bits(long entry) {
        StringBuilder b = new StringBuilder();
        for (int i = 0; i < BITS.length(); i++) b.append((entry >> i & 1) != 0 ? BITS.charAt(i) : '-');
        return b.append(entry < 0 ? " NX" : "").toString();
    }
}
