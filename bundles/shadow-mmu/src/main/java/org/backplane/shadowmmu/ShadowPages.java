package org.backplane.shadowmmu;

import java.util.Arrays;
import org.backplane.kvm.spi.mmu.FrameTable;
import org.backplane.kvm.spi.mmu.Spte;
import org.backplane.kvm.spi.mmu.VmMemory;

/**
 * All shadow pages of a VM: the hash by guest frame and role, the parents, the reverse map, write protection of guest page tables, and
 * the reclaim of pages from the tail of the LRU list.
 *
 * <p><b>Guarantees</b> (the audit of the tests checks them after every operation):
 * <ul>
 * <li>the reverse map holds exactly the present leaf SPTEs;
 * <li>no SPTE maps a shadowed guest page table writable;
 * <li>every present upper SPTE is a parent of the page it points at, and the other way round.
 * </ul>
 *
 * <p><b>The TLB.</b> An SPTE may only lose W, or vanish, if no TLB entry goes on writing behind our back once its frame is a shadowed
 * table. A write tag exists only for an SPTE whose D bit the processor has set. So whoever clears such an SPTE reports it to {@link Tlb}.
 *
 * <p>Pages are identified by <em>frame</em>, not by GFN: two GFNs that are the same memory (A20, slot aliases) are one table.
 */
final class ShadowPages {
    /** What must happen to the processors' TLBs. */
    interface Tlb {
        /** Write tags of a frame must go before the guest runs on. */
        void dropWriters(long frame);

        /** A leaf SPTE with its D bit set vanished because the guest changed its entry: the guest will flush, maybe late. */
        void writerVanished(boolean global);

        /** Everything must be flushed before the guest runs on. */
        void flush();
    }

    /** Reclaim begins when fewer pages than this are free: a fault takes 3 at most, a new root 4. */
    private static final int FEW_FREE = 5;

    /** Reclaim ends when so many are free, or an eighth of a small budget. */
    private static final int ENOUGH_FREE = 25;

    private static final int BUCKETS = 4096;

    private final VmMemory memory;
    private final FrameTable frames;
    private final Tlb tlb;
    private final int limit, enoughFree;
    private final ShadowPage[] hash = new ShadowPage[BUCKETS];
    private ShadowPage[] byFrame = new ShadowPage[1024];
    private ShadowPage newest, oldest;
    final Rmap rmap = new Rmap();

    int inUse;
    long created, reused, zapped, reclaimed;

    ShadowPages(VmMemory memory, int limit, Tlb tlb) {
        this.memory = memory;
        this.frames = memory.frames();
        this.limit = limit;
        enoughFree = Math.clamp(limit / 8, FEW_FREE, ENOUGH_FREE);
        this.tlb = tlb;
    }

    /** The identity of a guest page: its frame; for a page without memory a negative number made of the GFN. */
    long key(long gfn) {
        long frame = memory.frame(gfn);
        return frame != 0 ? frame : ~gfn;
    }

    private static int bucket(long key) {
        return (int) (key ^ key >>> 12) & BUCKETS - 1;
    }

    /** The shadow page in a frame, null for a frame that holds none. */
    ShadowPage at(long frame) {
        return frame < byFrame.length ? byFrame[(int) frame] : null;
    }

    long entry(ShadowPage p, int index) {
        return frames.entry(p.frame, index);
    }

    int limit() {
        return limit;
    }

    // ---- look-up ----

    /** Is this guest page a page table that is shadowed? */
    boolean shadowed(long key) {
        return firstTable(key) != null;
    }

    /** The first shadow page of a guest table, or null; direct pages are not meant. */
    ShadowPage firstTable(long key) {
        return table(hash[bucket(key)], key);
    }

    ShadowPage nextTable(ShadowPage p) {
        return table(p.hashNext, p.key);
    }

    private static ShadowPage table(ShadowPage p, long key) {
        while (p != null && (p.key != key || p.direct())) p = p.hashNext;
        return p;
    }

    /** The page for a guest frame and role: from the hash, or a new and empty one, for which the guest's table gets write-protected. */
    ShadowPage get(long gfn, int role) {
        long key = key(gfn);
        for (ShadowPage p = hash[bucket(key)]; p != null; p = p.hashNext) {
            if (p.key == key && p.role == role && p.gfn == gfn) {
                reused++;
                touch(p);
                return p;
            }
        }
        return create(key, gfn, role);
    }

    private ShadowPage create(long key, long gfn, int role) {
        boolean table = !Role.direct(role);
        boolean first = table && !shadowed(key);
        ShadowPage p = new ShadowPage(frames.allocate(), key, gfn, role);
        int b = bucket(key);
        p.hashNext = hash[b];
        hash[b] = p;
        if (p.frame >= byFrame.length) byFrame = Arrays.copyOf(byFrame, (int) Math.max(p.frame + 1, byFrame.length * 2L));
        byFrame[(int) p.frame] = p;
        insertNewest(p);
        inUse++;
        created++;
        if (first && key > 0) protect(key);
        return p;
    }

    // ---- write protection ----

    /** Takes W from every SPTE of a frame, and the write tags of the TLBs. */
    private void protect(long frame) {
        clearWriters(frame);
        tlb.dropWriters(frame);
    }

    /** Takes W from every SPTE of a frame; answers whether one of them could have a write tag. */
    boolean clearWriters(long frame) {
        boolean dirty = false;
        for (long ref = rmap.first(frame); ref != 0; ref = rmap.next()) {
            long f = ShadowPage.frameOf(ref);
            int i = ShadowPage.indexOf(ref);
            long e = frames.entry(f, i);
            if ((e & Spte.W) == 0) continue;
            dirty |= (e & Spte.D) != 0;
            frames.setEntry(f, i, e & ~(Spte.W | Spte.D));
        }
        return dirty;
    }

    // ---- entries ----

    /** Puts a leaf SPTE in place: present, an MMIO mark, or 0. */
    void setLeaf(ShadowPage p, int index, long spte) {
        long old = frames.entry(p.frame, index);
        if (old == spte) return;
        boolean sameFrame = Spte.present(old) && Spte.present(spte) && Spte.frame(old) == Spte.frame(spte);
        if (sameFrame) {
            // Rights change; what the processor noted stays, unless W goes.
            if ((old & Spte.W) != 0 && (spte & Spte.W) == 0 && (old & Spte.D) != 0) tlb.dropWriters(Spte.frame(old));
            frames.setEntry(p.frame, index, spte | old & Spte.A | ((spte & Spte.W) != 0 ? old & Spte.D : 0));
            return;
        }
        if (Spte.present(old)) dropLeaf(p, index, old);
        frames.setEntry(p.frame, index, spte);
        if (Spte.present(spte)) rmap.add(Spte.frame(spte), p.ref(index));
    }

    /** Points an upper SPTE at a page. */
    void link(ShadowPage p, int index, ShadowPage child) {
        frames.setEntry(p.frame, index, Spte.of(child.frame, Spte.P | Spte.W | Spte.U));
        child.addParent(p.ref(index));
        p.zapped = false;
    }

    /**
     * Clears an SPTE of any level because the guest's entry is about to change. The guest's own flush makes the change visible; {@link Spte#LARGE}
     * lets one INVLPG of an address in a large page be enough for all of it.
     */
    void drop(ShadowPage p, int index) {
        long e = frames.entry(p.frame, index);
        if (e == 0) return;
        if (p.level() == 1) {
            if (Spte.present(e)) dropLeaf(p, index, e);
        } else {
            at(Spte.frame(e)).removeParent(p.ref(index));
        }
        frames.setEntry(p.frame, index, 0);
    }

    /** Unlinks an upper SPTE whose page has not the role that is needed now. */
    void unlink(ShadowPage p, int index) {
        at(Spte.frame(frames.entry(p.frame, index))).removeParent(p.ref(index));
        frames.setEntry(p.frame, index, 0);
        tlb.flush();
    }

    private void dropLeaf(ShadowPage p, int index, long e) {
        rmap.remove(Spte.frame(e), p.ref(index));
        if ((e & Spte.D) != 0) tlb.writerVanished((e & Spte.G) != 0);
    }

    // ---- zap and reclaim ----

    /**
     * Empties a page, takes it out of all tables, and frees it, unless it is the root of a vCPU: then it stays, empty and protected, and
     * {@link #release} frees it if it was not used again.
     */
    void zap(ShadowPage p) {
        zapped++;
        int level = p.level();
        for (int i = 0; i < 512; i++) {
            long e = frames.entry(p.frame, i);
            if (e == 0) continue;
            if (Spte.present(e)) {
                if (level == 1) rmap.remove(Spte.frame(e), p.ref(i));
                else at(Spte.frame(e)).removeParent(p.ref(i));
            }
            frames.setEntry(p.frame, i, 0);
        }
        for (long ref = p.anyParent(); ref != ShadowPage.NONE; ref = p.anyParent()) {
            frames.setEntry(ShadowPage.frameOf(ref), ShadowPage.indexOf(ref), 0);
            p.removeParent(ref);
        }
        if (p.roots == 0) free(p);
        else p.zapped = true;
        tlb.flush();
    }

    /** A vCPU uses this root no more. */
    void release(ShadowPage root) {
        if (--root.roots == 0 && root.zapped) free(root);
    }

    /** Zaps every shadow of a guest table. */
    void zapTables(long key) {
        ShadowPage p = firstTable(key);
        while (p != null) {
            ShadowPage next = nextTable(p);
            zap(p);
            p = next;
        }
    }

    /** Makes sure that a fault can take the few pages it may need. */
    void makeRoom() {
        if (limit - inUse >= FEW_FREE) return;
        ShadowPage p = oldest;
        while (p != null && limit - inUse < enoughFree) {
            ShadowPage newer = p.lruPrevious;
            if (p.roots == 0) {
                reclaimed++;
                zap(p);
            }
            p = newer;
        }
    }

    /** Drops all leaves that map the frames of a slot. */
    void dropMappings(long first, long count) {
        for (long frame = first; frame < first + count; frame++) {
            for (long ref = rmap.first(frame); ref != 0; ref = rmap.first(frame)) {
                frames.setEntry(ShadowPage.frameOf(ref), ShadowPage.indexOf(ref), 0);
                rmap.remove(frame, ref);
            }
        }
    }

    /** Zaps the shadow of guest pages that are not the memory any more that they were, and drops the marks of devices where there is memory now. */
    void dropMoved() {
        ShadowPage next;
        for (ShadowPage p = newest; p != null; p = next) {
            next = p.lruNext;
            if (p.key != key(p.gfn)) zap(p);
            else if (p.level() == 1) dropMarks(p);
        }
    }

    private void dropMarks(ShadowPage p) {
        for (int i = 0; i < 512; i++) {
            long e = frames.entry(p.frame, i);
            if (Spte.isMmio(e) && memory.frame(Spte.frame(e)) != 0) frames.setEntry(p.frame, i, 0);
        }
    }

    /** Frees every page. No root may be in use any more. */
    void clear() {
        while (oldest != null) free(oldest);
        rmap.clear();
    }

    private void free(ShadowPage p) {
        int b = bucket(p.key);
        if (hash[b] == p) {
            hash[b] = p.hashNext;
        } else {
            ShadowPage q = hash[b];
            while (q.hashNext != p) q = q.hashNext;
            q.hashNext = p.hashNext;
        }
        remove(p);
        byFrame[(int) p.frame] = null;
        frames.free(p.frame);
        inUse--;
    }

    // ---- the LRU list ----

    private void touch(ShadowPage p) {
        if (p == newest) return;
        remove(p);
        insertNewest(p);
    }

    private void insertNewest(ShadowPage p) {
        p.lruPrevious = null;
        p.lruNext = newest;
        if (newest != null) newest.lruPrevious = p;
        else oldest = p;
        newest = p;
    }

    private void remove(ShadowPage p) {
        if (p.lruPrevious != null) p.lruPrevious.lruNext = p.lruNext;
        else newest = p.lruNext;
        if (p.lruNext != null) p.lruNext.lruPrevious = p.lruPrevious;
        else oldest = p.lruPrevious;
        p.lruPrevious = p.lruNext = null;
    }

    /** The pages from the newest on, by {@code lruNext}, for audits. */
    ShadowPage newest() {
        return newest;
    }
}
