package org.backplane.shell;

import org.backplane.board.api.Machine;
import org.backplane.board.api.PageWalk;

/**
 * A guest page as users write it: its GFN as a number, {@code gpa:ADDRESS} for the page of a physical address (so {@code gpa:cr3} is the topmost
 * page table), {@code gva:ADDRESS} for the page behind a linear address.
 */
final class GuestPage {
    private static final String GPA = "gpa:", GVA = "gva:";

    private GuestPage() {}

    static long parse(String text, Machine m) {
        if (text.startsWith(GPA)) return Address.parse(text.substring(GPA.length()), m.cpu(0)) >>> 12;
        if (text.startsWith(GVA)) {
            long gva = Address.parse(text.substring(GVA.length()), m.cpu(0));
            PageWalk w = Inspecting.ask(() -> m.inspector().walk(0, gva));
            if (!w.mapped()) throw new CommandException(String.format("0x%x is not mapped in the guest's tables (mmu:walk shows them)", gva));
            return w.gpa() >>> 12;
        }
        try {
            return Arguments.number(text);
        } catch (NumberFormatException e) {
            throw new CommandException("'" + text + "' is no guest page (for example 0x1a2b, gpa:cr3, gva:eip)");
        }
    }
}
