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

    private static final byte LISTED = 1, GLOBAL = 2;

    public final long[] entries = new long[ENTRIES * 8];

    /** The half in use for ordinary accesses: {@link #USER} when CPL is 3, else {@link #SUPERVISOR}. Kept by the engine. */
    public int base;

    /** Counts, for {@code -stats}. */
    public long fills, flushes, pageFlushes;

    /** One byte an entry: is it listed in {@link #used}, does it map a global page. */
    private final byte[] flags = new byte[ENTRIES * 2];

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

    /**
     * Enters a page.
     *
     * @param half {@link #SUPERVISOR} or {@link #USER}
     * @param gva any address in the page
     * @param host host address of the page's first byte
     * @param global the entry survives a flush of non-global entries
     */
    public void fill(int half, long gva, long host, boolean read, boolean write, boolean exec, boolean global) {
        int i = half + slot(gva);
        long tag = gva & PAGE;
        long[] e = entries;
        e[i + READ] = read ? tag : INVALID;
        e[i + WRITE] = write ? tag : INVALID;
        e[i + EXEC] = exec ? tag : INVALID;
        e[i + ADDEND] = host - tag;
        if (debug.active) exposeToDebugger(i, tag);
        fills++;
        byte f = flags[i >> 2];
        if ((f & LISTED) == 0) used[usedCount++] = i;
        flags[i >> 2] = global ? LISTED | GLOBAL : LISTED;
    }

    /** A write tag serves the reads of read-modify-write instructions too. */
    private void exposeToDebugger(int i, long tag) {
        if (debug.breaksIn(tag)) entries[i + EXEC] = INVALID;
        int watched = debug.watchedIn(tag);
        if (watched != 0) entries[i + WRITE] = INVALID;
        if ((watched & DebugControl.READ) != 0) entries[i + READ] = INVALID;
    }

    /** Drops everything, or everything but global pages. */
    public void flush(boolean keepGlobal) {
        flushes++;
        int kept = 0;
        for (int n = 0; n < usedCount; n++) {
            int i = used[n];
            if (keepGlobal && (flags[i >> 2] & GLOBAL) != 0) {
                used[kept++] = i;
            } else {
                invalidate(i);
                flags[i >> 2] = 0;
            }
        }
        usedCount = kept;
    }

    /** Drops the page of a gva in both halves. */
    public void flushPage(long gva) {
        pageFlushes++;
        int s = slot(gva);
        long tag = gva & PAGE;
        if (maps(SUPERVISOR + s, tag)) invalidate(SUPERVISOR + s);
        if (maps(USER + s, tag)) invalidate(USER + s);
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
            if (!read && !write && !exec) continue;
            long gva = entries[i + (read ? READ : write ? WRITE : EXEC)];
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
