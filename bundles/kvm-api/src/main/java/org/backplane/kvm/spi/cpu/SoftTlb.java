package org.backplane.kvm.spi.cpu;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The software TLB of one vCPU: direct-mapped, two halves (supervisor, user), one line of four longs an entry.
 *
 * <p><b>Who writes.</b> Only the paging unit of the CPU backend calls {@link #fill}; everybody else calls a flush. Only the
 * thread that runs the vCPU touches it (a flush for another vCPU is a request to that vCPU).
 *
 * <p><b>Large pages</b> are entered in parts of 4 KiB, each with the size of the page that it is a part of: {@link Flush#ADDRESS} drops all parts, as INVLPG
 * must (SDM 3A 4.10.4.1).
 *
 * <p><b>PCIDs.</b> An entry has no tag for its address space, so that a flush of one address space drops those of all, which is allowed. Callers name
 * the PCID they mean all the same: with tags they stay as they are, and only {@link #fill} and {@link #flush(Flush, int, long)} change.
 *
 * <p><b>Layout.</b> {@code entries[base + slot*4 + READ|WRITE|EXEC]} hold a tag, {@code + ADDEND} the number that turns a
 * gva into a host address. A tag is the page's gva with its low 12 bits zero; {@link #INVALID} (odd) never matches. A
 * lookup for {@code size} bytes compares with the page of the <em>last</em> byte <em>and</em> relies on the slot of the
 * first, so that an access across a page border misses:
 *
 * <pre>{@code
 * int i = tlb.base + SoftTlb.slot(gva);
 * if (tlb.entries[i + SoftTlb.READ] == ((gva + size - 1) & SoftTlb.PAGE)) {
 *     value = HostMemory.getInt(gva + tlb.entries[i + SoftTlb.ADDEND]);
 * }
 * }</pre>
 *
 * (A page-crossing access looks in the first page's slot for the second page's tag and cannot find it there, because
 * neighbouring pages never share a slot.)
 *
 * <p>A page that holds code, that is clean, that is read-only or that belongs to a shadowed page table has no write tag.
 * MMIO has no entry at all. A page that holds a debugger's break- or watchpoint has no tag for the accesses in question ({@link DebugControl}).
 *
 * <p>The layout is part of the SPI: a change is a new major version of the package.
 */
public final class SoftTlb {
    /** log2 of the number of entries in each half. */
    public static final int BITS = 12;

    public static final int ENTRIES = 1 << BITS;

    /** Offsets in an entry. */
    public static final int READ = 0, WRITE = 1, EXEC = 2, ADDEND = 3;

    /** Mask that leaves the page of an address. */
    public static final long PAGE = ~0xfffL;

    /** A tag that matches nothing. */
    public static final long INVALID = 1;

    /** Value of {@link #base} for supervisor and for user accesses. */
    public static final int SUPERVISOR = 0, USER = ENTRIES * 4;

    /** Size of a small page in bits. */
    private static final int SMALL = 12;

    /** Bits of {@link #flags}; from {@link #SIZE} up the size of the page in bits, less {@link #SMALL}. */
    private static final int LISTED = 1, GLOBAL = 2, SIZE = 2;

    /** What a flush drops: the types of INVPCID (SDM 2A, INVPCID; 3A 4.10.4.1). */
    public enum Flush {
        /** The page at an address of an address space, global or not; of a large page all that is cached. INVLPG, and a page fault. */
        ADDRESS,
        /** All of an address space but global pages: MOV to CR3. */
        CONTEXT,
        /** All of all address spaces but global pages. */
        ALL_BUT_GLOBAL,
        /** Everything. */
        ALL
    }

    public final long[] entries = new long[ENTRIES * 8];

    /** The half in use for ordinary accesses: {@link #USER} when CPL is 3, else {@link #SUPERVISOR}. Kept by the engine. */
    public int base;

    /** Counts, for {@code -stats}. */
    public long fills, flushes, pageFlushes;

    /** One byte an entry: is it listed in {@link #used}, does it map a global page, and how large is the page that it is of. */
    private final byte[] flags = new byte[ENTRIES * 2];

    private final LargePages large = new LargePages();

    /** Offsets of the entries filled since they were last flushed, so that a flush costs what was filled. */
    private final int[] used = new int[ENTRIES * 2];

    private int usedCount;

    /** Pages that a debugger has an eye on get no tag for what it looks for. */
    private final DebugControl debug;

    public SoftTlb() {
        this(new DebugControl());
    }

    SoftTlb(DebugControl debug) {
        this.debug = debug;
        Arrays.fill(entries, INVALID);
    }

    /** Offset of the entry for a gva, to be added to a base. */
    public static int slot(long gva) {
        return ((int) (gva >>> 12) & ENTRIES - 1) << 2;
    }

    /** Enters a page that is not a part of a larger one. */
    public void fill(int half, long gva, long host, boolean read, boolean write, boolean exec, boolean global) {
        fill(half, gva, host, read, write, exec, global, SMALL);
    }

    /**
     * Enters a page of 4 KiB.
     *
     * @param half {@link #SUPERVISOR} or {@link #USER}
     * @param gva any address in the page
     * @param host host address of the page's first byte
     * @param global the entry survives a flush of non-global entries
     * @param pageShift size in bits of the guest's page that it is a part of: 12, 21, 22 or 30; too large is allowed
     */
    public void fill(int half, long gva, long host, boolean read, boolean write, boolean exec, boolean global, int pageShift) {
        int i = half + slot(gva);
        long tag = gva & PAGE;
        long[] e = entries;
        e[i + READ] = read ? tag : INVALID;
        e[i + WRITE] = write ? tag : INVALID;
        e[i + EXEC] = exec ? tag : INVALID;
        e[i + ADDEND] = host - tag;
        if (debug.active) exposeToDebugger(i, tag);
        fills++;
        if ((flags[i >> 2] & LISTED) == 0) used[usedCount++] = i;
        flags[i >> 2] = (byte) ((global ? LISTED | GLOBAL : LISTED) | pageShift - SMALL << SIZE);
        if (pageShift > SMALL) large.mark(gva, pageShift);
    }

    /** A write tag serves the reads of read-modify-write instructions too. */
    private void exposeToDebugger(int i, long tag) {
        if (debug.breaksIn(tag)) entries[i + EXEC] = INVALID;
        int watched = debug.watchedIn(tag);
        if (watched != 0) entries[i + WRITE] = INVALID;
        if ((watched & DebugControl.READ) != 0) entries[i + READ] = INVALID;
    }

    /**
     * Drops what a kind of flush says, and possibly more.
     *
     * @param pcid of the address space that {@link Flush#ADDRESS} and {@link Flush#CONTEXT} are about, see {@link CpuState#pcid}
     * @param gva the address of {@link Flush#ADDRESS}
     */
    public void flush(Flush kind, int pcid, long gva) {
        switch (kind) {
            case ADDRESS -> flushAddress(gva);
            case CONTEXT, ALL_BUT_GLOBAL -> flush(true);
            case ALL -> flush(false);
        }
    }

    /** Drops everything, or everything but global pages, of all address spaces. */
    public void flush(boolean keepGlobal) {
        flushes++;
        large.clear();
        int kept = 0;
        for (int n = 0; n < usedCount; n++) {
            int i = used[n];
            if (keepGlobal && (flags[i >> 2] & GLOBAL) != 0 && page(i) != INVALID) {
                used[kept++] = i;
                if (pageShift(i) > SMALL) large.mark(page(i), pageShift(i));
            } else {
                drop(i);
            }
        }
        usedCount = kept;
    }

    private void flushAddress(long gva) {
        pageFlushes++;
        if (large.marked(gva)) flushLarge(gva);
        int s = slot(gva);
        long tag = gva & PAGE;
        if (maps(SUPERVISOR + s, tag)) invalidate(SUPERVISOR + s);
        if (maps(USER + s, tag)) invalidate(USER + s);
    }

    /** Drops the parts of the large page at an address; the marks are exact again then. */
    private void flushLarge(long gva) {
        large.clear();
        int kept = 0;
        for (int n = 0; n < usedCount; n++) {
            int i = used[n];
            int shift = pageShift(i);
            long page = page(i);
            if (page == INVALID || shift > SMALL && (page ^ gva) >>> shift == 0) {
                drop(i);
                continue;
            }
            used[kept++] = i;
            if (shift > SMALL) large.mark(page, shift);
        }
        usedCount = kept;
    }

    /** Size in bits of the page that an entry is a part of. */
    private int pageShift(int i) {
        return (flags[i >> 2] >> SIZE) + SMALL;
    }

    /** The gva of an entry's page; {@link #INVALID} if it has no tag any more. */
    private long page(int i) {
        long tag = entries[i + READ];
        if (tag == INVALID) tag = entries[i + WRITE];
        return tag != INVALID ? tag : entries[i + EXEC];
    }

    /** The caller takes it off the list. */
    private void drop(int i) {
        invalidate(i);
        flags[i >> 2] = 0;
    }

    /**
     * Takes the write tag from every entry that maps a host page (it now holds code, or its dirty log was read).
     *
     * @param host host address of the page's first byte
     */
    public void dropWriteTags(long host) {
        for (int n = 0; n < usedCount; n++) {
            int i = used[n];
            long tag = entries[i + WRITE];
            if (tag != INVALID && tag + entries[i + ADDEND] == host) entries[i + WRITE] = INVALID;
        }
    }

    /**
     * A page that is cached, for people.
     *
     * @param user in the half for user accesses
     * @param gva linear address of the page
     * @param host host address of its first byte
     */
    public record Entry(boolean user, long gva, long host, boolean read, boolean write, boolean exec, boolean global) {}

    /** All that is cached now, in no order. */
    public List<Entry> contents() {
        List<Entry> all = new ArrayList<>();
        for (int n = 0; n < usedCount; n++) {
            int i = used[n];
            boolean read = entries[i + READ] != INVALID;
            boolean write = entries[i + WRITE] != INVALID;
            boolean exec = entries[i + EXEC] != INVALID;
            long gva = page(i);
            if (gva == INVALID) continue;
            all.add(new Entry(i >= USER, gva, gva + entries[i + ADDEND], read, write, exec, (flags[i >> 2] & GLOBAL) != 0));
        }
        return all;
    }

    private boolean maps(int i, long tag) {
        return entries[i + READ] == tag || entries[i + WRITE] == tag || entries[i + EXEC] == tag;
    }

    private void invalidate(int i) {
        entries[i + READ] = INVALID;
        entries[i + WRITE] = INVALID;
        entries[i + EXEC] = INVALID;
    }
}
