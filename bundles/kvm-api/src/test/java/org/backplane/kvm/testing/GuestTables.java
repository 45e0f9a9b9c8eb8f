package org.backplane.kvm.testing;

import java.util.Random;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.VcpuContext;

/** Page tables of a guest, as its kernel would make them: in guest memory, written through the one door, from an address upwards. */
public final class GuestTables {
    /** A paging mode. */
    public enum Kind {
        NONE,
        BITS_32,
        PAE,
        LONG
    }

    /** Bits of an entry. */
    public static final long P = 1, W = 2, U = 4, LARGE = 0x80, GLOBAL = 0x100, NX = 1L << 63;

    private static final long ADDRESS = 0x000f_ffff_ffff_f000L;

    private final TestMemory memory;
    private final Kind kind;
    private final long first;
    private long next;

    /** What CR3 holds. */
    public final long root;

    /** Bytes of an entry. */
    public final int entrySize;

    /** Tables without an entry. They are made from {@code gpa} on; the memory there must be zero. */
    public GuestTables(TestMemory memory, Kind kind, long gpa) {
        this.memory = memory;
        this.kind = kind;
        first = root = gpa;
        next = gpa + 4096;
        entrySize = kind == Kind.BITS_32 ? 4 : 8;
        if (kind == Kind.PAE) {
            // The PDPTEs are loaded with CR3, so all four are there from the beginning.
            for (int i = 0; i < 4; i++) memory.write(root + i * 8, 8, take() | P);
        }
    }

    private long take() {
        long page = next;
        next += 4096;
        return page;
    }

    /** Loads CR3 and enters the paging mode. */
    public void enter(TestProcessor cpu, VcpuContext v, long cr0, long cr4) {
        long pae = kind == Kind.PAE || kind == Kind.LONG ? CpuState.CR4_PAE : 0;
        v.state.cr3 = root;
        cpu.setMode(
                kind == Kind.NONE ? cr0 : cr0 | CpuState.CR0_PG,
                cr4 | pae,
                kind == Kind.LONG ? CpuState.EFER_LME | CpuState.EFER_LMA : 0);
    }

    /** Maps a page; the levels above allow everything. Without paging nothing is to be done, so there the two must be the same. */
    public void map(long gva, long gpa, long bits) {
        if (kind != Kind.NONE) setLeaf(gva, 1, gpa | bits);
    }

    /** Maps a page of 4 or 2 MiB. */
    public void mapLarge(long gva, long gpa, long bits) {
        setLeaf(gva, 2, gpa | bits | LARGE);
    }

    /** Writes the entry of a level for an address, and makes the tables on the way to it. */
    public void setLeaf(long gva, int level, long entry) {
        memory.write(leafAt(gva, level), entrySize, entry);
    }

    /** Reads the entry of a level for an address. */
    public long leaf(long gva, int level) {
        return memory.read(leafAt(gva, level), entrySize);
    }

    /** Where the entry of a level for an address is; the tables on the way to it are made. */
    public long leafAt(long gva, int level) {
        long table = root;
        int l = kind == Kind.LONG ? 4 : kind == Kind.PAE ? 3 : 2;
        while (true) {
            long at = table + index(gva, l) * entrySize;
            if (l == level) return at;
            long e = memory.read(at, entrySize);
            if ((e & (P | LARGE)) != P) {
                e = take() | P | W | U;
                memory.write(at, entrySize, e);
            }
            table = e & ADDRESS;
            l--;
        }
    }

    private long index(long gva, int level) {
        if (kind == Kind.BITS_32) return gva >>> 12 + 10 * (level - 1) & 1023;
        return gva >>> 12 + 9 * (level - 1) & (kind == Kind.PAE && level == 3 ? 3 : 511);
    }

    // ---- at random ----

    private static final int TABLES = 8;

    /** Writes an entry into one of the first tables, mostly one that leads to another of them, so that aliases and loops come about. */
    public void randomEntry(Random random) {
        // In PAE mode the page with the PDPTEs stays as it is.
        int table = kind == Kind.PAE ? 1 + random.nextInt(TABLES - 1) : random.nextInt(TABLES);
        long target = switch (random.nextInt(8)) {
            case 0 -> MmuContractTest.ROM;
            case 1 -> MmuContractTest.LOGGED;
            case 2 -> MmuContractTest.DEVICE;
            case 3 -> (long) random.nextInt(32) << 12;
            default -> first + ((kind == Kind.PAE ? 1 : 0) + random.nextInt(TABLES - 1) << 12);
        };
        long e = target | random.nextInt(0x80) | random.nextInt(2) << 8 | P;
        if (random.nextInt(4) != 0) e |= W | U;
        if (random.nextInt(10) == 0) e = e & 0xfff | LARGE;
        if (random.nextInt(10) == 0) e &= ~P;
        memory.write(first + ((long) table << 12) + random.nextInt(4) * entrySize, entrySize, e);
    }

    /** An address whose entries are those that {@link #randomEntry} writes. */
    public long randomAddress(Random random) {
        long gva = random.nextInt(4096);
        int levels = kind == Kind.LONG ? 4 : kind == Kind.PAE ? 3 : 2;
        int bits = kind == Kind.BITS_32 ? 10 : 9;
        for (int l = 0; l < levels; l++) gva |= (long) random.nextInt(4) << 12 + bits * l;
        return gva;
    }
}
