package org.backplane.kvm.core.memory;

import org.backplane.kvm.api.Vm;
import org.backplane.kvm.spi.cpu.RealModePages;

/**
 * The pages behind {@link RealModePages}: a private memory slot beyond those that a caller of the KVM API has, read-only for the guest, in the hole below
 * the ROM under 4 GiB. The firmware's memory map does not report them as memory.
 *
 * <p>The processor must find them whichever way the A20 gate stands; so a second slot shows the same pages where they are looked up while bit 20
 * of every address is 0.
 */
public final class ReservedPages {
    private static final int SLOT = Vm.MAX_SLOTS, SLOT_WITHOUT_A20 = SLOT + 1;
    private static final int PAGE = 4096, TSS_PAGES = 3;
    private static final long A20 = 1 << 20;

    /** A page-directory entry for 4 MiB: present, writable, user, accessed, dirty, large (SDM 3A table 4-4). */
    private static final int DIRECTORY_ENTRY = 0xe7;

    private static final int IO_MAP_OFFSET = 0x66, IO_MAP = 0x88;

    private ReservedPages() {}

    /** Puts the pages in their place. False if they were there. */
    public static boolean map(GuestMemory memory) {
        RealModePages pages = RealModePages.STANDARD;
        for (var s : memory.slots()) if (s.id() == SLOT) return false;
        long size = (1 + TSS_PAGES) * (long) PAGE;
        memory.setReserved(SLOT, pages.identityMap(), size, null);
        memory.setReserved(SLOT_WITHOUT_A20, pages.identityMap() & ~A20, size, memory.memory(SLOT));
        byte[] map = identityMap();
        memory.write(pages.identityMap(), map, 0, map.length);
        byte[] tss = tss();
        memory.write(pages.tss(), tss, 0, tss.length);
        return true;
    }

    /** 1,024 entries of 4 MiB: every linear address is its own physical address. */
    static byte[] identityMap() {
        byte[] map = new byte[PAGE];
        for (int i = 0; i < 1024; i++) {
            long entry = (long) i << 22 | DIRECTORY_ENTRY;
            for (int b = 0; b < 4; b++) map[4 * i + b] = (byte) (entry >> 8 * b);
        }
        return map;
    }

    static byte[] tss() {
        byte[] tss = new byte[TSS_PAGES * PAGE];
        tss[IO_MAP_OFFSET] = (byte) IO_MAP;
        tss[RealModePages.TSS_LIMIT] = (byte) 0xff;
        return tss;
    }
}
