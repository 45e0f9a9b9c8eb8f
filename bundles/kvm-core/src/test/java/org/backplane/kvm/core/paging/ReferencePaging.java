package org.backplane.kvm.core.paging;

/**
 * Paging as chapter 4 of the SDM, volume 3A, tells it, written for being compared with and not for speed: a processor with MAXPHYADDR 36, PSE-36,
 * NX, 1 GiB pages, SMEP and SMAP. It shares no code with what it checks.
 */
final class ReferencePaging {
    static final int MAXPHYADDR = 36;

    /** Error code of a page fault (4.7). */
    static final int P = 1, W = 2, U = 4, RSVD = 8, I = 16;

    /** Kinds of access: what W, U and I mean in an error code. */
    static final int READ = 0, WRITE = W, USER = U, FETCH = I;

    /**
     * A translation as a TLB may hold it (4.10.2.1, 4.10.2.2).
     *
     * @param page page of the linear address
     * @param frame page of the physical address
     * @param shift log2 of the size of the page it is part of
     */
    record Translation(long page, long frame, int shift, boolean writable, boolean user, boolean noExecute, boolean global, boolean dirty) {
        Translation dirtied() {
            return new Translation(page, frame, shift, writable, user, noExecute, global, true);
        }

        /** Does INVLPG or a fault at this address drop it (4.10.4.1)? */
        boolean covers(long gva) {
            return gva >>> shift == page << 12 >>> shift;
        }
    }

    final ReferenceMemory memory;
    boolean paging, wp, pse, pae, pge, smep, smap, ac, nxe, ia32e;
    long cr3;
    final long[] pdpte = new long[4];

    // The last walk: its entries from the top down, the translation, or why there is none.
    final long[] entryAt = new long[4];
    int entries, entrySize;
    Translation found;
    boolean reserved;

    ReferencePaging(ReferenceMemory memory) {
        this.memory = memory;
    }

    /** Walks the tables. Sets {@link #found}, or leaves it null with {@link #reserved} telling which kind of fault it is. */
    void walk(long gva) {
        entries = 0;
        found = null;
        reserved = false;
        long page = gva >>> 12;
        if (!paging) {
            found = new Translation(page, page, 12, true, true, false, false, true);
            return;
        }
        if (!pae) walk32(gva);
        else if (ia32e) walkLong(gva, 4, cr3 & physical(), -1L);
        else if ((pdpte[(int) (gva >>> 30)] & 1) != 0) walkLong(gva, 2, pdpte[(int) (gva >>> 30)] & physical(), -1L);
    }

    private static long physical() {
        return (1L << MAXPHYADDR) - 1 & ~0xfffL;
    }

    /** 4.3: two levels of 1,024 entries of 32 bits. */
    private void walk32(long gva) {
        entrySize = 4;
        long pde = entry((cr3 & 0xfffff000L) | bits(gva, 31, 22) << 2);
        if ((pde & 1) == 0) return;
        if (pse && (pde & 0x80) != 0) {
            // Table 4-4 with M = 36: bits 16:13 are bits 35:32 of the address, bits 21:17 are reserved.
            reserved = bits(pde, 21, 17) != 0;
            if (!reserved) leaf(gva, bits(pde, 31, 22) << 22 | bits(pde, 16, 13) << 32, 22, pde, pde);
            return;
        }
        long pte = entry((pde & 0xfffff000L) | bits(gva, 21, 12) << 2);
        if ((pte & 1) != 0) leaf(gva, pte & 0xfffff000L, 12, pte, pde & pte);
    }

    /** 4.4.2 and 4.5: levels of 512 entries of 64 bits; {@code rights} has the bits that all entries so far had. */
    private void walkLong(long gva, int level, long table, long rights) {
        entrySize = 8;
        boolean noExecute = false;
        while (true) {
            int low = 12 + 9 * (level - 1);
            long e = entry(table | bits(gva, low + 8, low) << 3);
            if ((e & 1) == 0) return;
            boolean leaf = level == 1 || level < 4 && (e & 0x80) != 0;
            reserved = bits(e, 51, MAXPHYADDR) != 0
                    || !ia32e && bits(e, 62, 52) != 0
                    || !nxe && e < 0
                    || level == 4 && (e & 0x80) != 0
                    || leaf && level > 1 && bits(e, low - 1, 13) != 0;
            if (reserved) return;
            noExecute |= e < 0;
            rights &= e;
            if (leaf) {
                leaf(gva, bits(e, MAXPHYADDR - 1, low) << low, low, e, rights & ~(1L << 63) | (noExecute ? 1L << 63 : 0));
                return;
            }
            table = e & physical();
            level--;
        }
    }

    private long entry(long gpa) {
        entryAt[entries++] = gpa;
        return memory.read(gpa, entrySize);
    }

    private void leaf(long gva, long base, int shift, long e, long rights) {
        long within = (1L << shift) - 1;
        // The D bit of an entry in a ROM cannot be set; whether it is known to be dirty is then the processor's affair.
        boolean dirty = (e & 0x40) != 0 || memory.rom(entryAt[entries - 1]);
        found = new Translation(
                gva >>> 12,
                (base | gva & within) >>> 12,
                shift,
                (rights & 2) != 0,
                (rights & 4) != 0,
                rights < 0,
                pge && (e & 0x100) != 0,
                dirty);
    }

    private static long bits(long value, int high, int low) {
        return value >>> low & (1L << high - low + 1) - 1;
    }

    /** 4.6.1: may this access use the translation? */
    boolean allowed(Translation t, int access) {
        if (!paging) return true;
        boolean write = (access & WRITE) != 0;
        boolean fetch = (access & FETCH) != 0;
        if (fetch && t.noExecute) return false;
        if ((access & USER) != 0) return t.user && (!write || t.writable);
        if (t.user && fetch && smep) return false;
        if (t.user && !fetch && smap && !ac) return false;
        return !write || t.writable || !wp;
    }

    /** 4.7: the error code of the fault that an access takes after {@link #walk}. */
    int errorCode(int access) {
        int code = access & (W | U);
        if (found != null) code |= P;
        if (reserved) code |= P | RSVD;
        if ((access & FETCH) != 0 && (smep || pae && nxe)) code |= I;
        return code;
    }

    /** 4.8: sets A in the entries of the last walk, and D in the leaf for a write. Answers whether anything changed. */
    boolean setAccessed(boolean write) {
        boolean changed = false;
        for (int i = 0; i < entries; i++) {
            long at = entryAt[i];
            long old = memory.read(at, entrySize);
            long now = old | 0x20 | (write && i == entries - 1 ? 0x40 : 0);
            if (now == old || memory.rom(at)) continue;
            memory.write(at, entrySize, now);
            changed = true;
        }
        return changed;
    }
}
