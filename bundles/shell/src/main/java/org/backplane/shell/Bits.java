package org.backplane.shell;

import org.backplane.kvm.spi.mmu.Spte;

/** Bits of page-table entries as letters in their places, {@code -} for a bit that is clear. */
final class Bits {
    /** Bits 0 to 8 of a guest's entry: present, writable, user, write-through, cache-disable, accessed, dirty, large, global; and no fetches. */
    private static final String GUEST = "PWUTCADLG";

    private Bits() {}

    static String guest(long entry) {
        StringBuilder b = new StringBuilder();
        for (int i = 0; i < GUEST.length(); i++) b.append((entry >> i & 1) != 0 ? GUEST.charAt(i) : '-');
        return b.append(entry < 0 ? 'N' : '-').toString();
    }

    /** Of an entry in the tables that the processor walks: present (M: the mark of a device), writable, user, accessed, dirty, global, no fetches. */
    static String spte(long e) {
        StringBuilder b = new StringBuilder();
        bit(b, e, Spte.isMmio(e) ? Spte.MMIO : Spte.P, Spte.isMmio(e) ? 'M' : 'P');
        bit(b, e, Spte.W, 'W');
        bit(b, e, Spte.U, 'U');
        bit(b, e, Spte.A, 'A');
        bit(b, e, Spte.D, 'D');
        bit(b, e, Spte.G, 'G');
        return b.append(e < 0 ? 'N' : '-').toString();
    }

    private static void bit(StringBuilder b, long e, long mask, char letter) {
        b.append((e & mask) != 0 ? letter : '-');
    }

    /** Rights: read always, write, execute. */
    static String rights(boolean read, boolean write, boolean execute) {
        return (read ? "r" : "-") + (write ? "w" : "-") + (execute ? "x" : "-");
    }
}
