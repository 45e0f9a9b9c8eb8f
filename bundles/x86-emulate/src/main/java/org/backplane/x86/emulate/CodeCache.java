package org.backplane.x86.emulate;

import java.util.Arrays;
import org.backplane.kvm.spi.cpu.SoftTlb;
import org.backplane.kvm.spi.mmu.FrameTable;
import org.backplane.kvm.spi.mmu.VmMemory;

/**
 * All decoded code of a VM, by host page.
 *
 * <p><b>Guarantees.</b> While a block is valid, its bytes in memory are those it was decoded from: its granules are marked in {@link
 * FrameTable#codeMask}, and a marked page has no write tag in the TLB, so that every write comes to {@link #written}
 * first.
 *
 * <p><b>Thread.</b> That of the vCPU; {@link #written} from DMA is called with the vCPU at a boundary.
 */
final class CodeCache {
    /** So many blocks may be built before everything is let go: bounds the heap that old code can hold. */
    static final int CAPACITY = 200_000;

    private final VmMemory memory;
    private int sinceClear;

    /** Open hash table of pages by host address. */
    private CodePage[] pages = new CodePage[1024];

    private int pageCount;

    /** The page asked for last: most questions come in runs. */
    private CodePage recent;

    /** Counters for {@code -stats}. */
    long built, dropped, writes, released;

    CodeCache(VmMemory memory) {
        this.memory = memory;
    }

    private static int hash(long host, int length) {
        return (int) ((host >>> 12) * 0x9e3779b97f4a7c15L >>> 40) & length - 1;
    }

    /** The page at a host address, or null when nothing of it was ever decoded. */
    CodePage page(long host) {
        if (recent != null && recent.host == host) return recent;
        int i = hash(host, pages.length);
        for (CodePage p; (p = pages[i]) != null; i = i + 1 & pages.length - 1) {
            if (p.host == host) {
                recent = p;
                return p;
            }
        }
        return null;
    }

    /** The same, made on demand; null when the address belongs to no frame of guest memory. */
    CodePage pageForCode(long host) {
        CodePage p = page(host);
        if (p != null) return p;
        long frame = frameOf(host);
        if (frame == 0) return null;
        if (pageCount * 2 >= pages.length) grow();
        p = new CodePage(host, frame);
        enter(p);
        pageCount++;
        return p;
    }

    private void enter(CodePage p) {
        int i = hash(p.host, pages.length);
        while (pages[i] != null) i = i + 1 & pages.length - 1;
        pages[i] = p;
    }

    private void grow() {
        CodePage[] old = pages;
        pages = new CodePage[old.length * 2];
        for (CodePage p : old) if (p != null) enter(p);
    }

    private long frameOf(long host) {
        FrameTable frames = memory.frames();
        for (VmMemory.Slot slot : memory.slots()) {
            long page = host - frames.host(slot.frame()) >> 12;
            if (page >= 0 && page < slot.pages() && frames.host(slot.frame() + page) == host) return slot.frame() + page;
        }
        return 0;
    }

    /** Makes room when too much has been built; to be called while no block runs. */
    void trim() {
        if (sinceClear >= CAPACITY) clear();
    }

    /** Registers a block and marks its bytes as code. */
    void add(Block b, CodePage first, CodePage second, SoftTlb tlb) {
        built++;
        sinceClear++;
        int from = b.pageOffset(), to = from + b.bytes - 1;
        mark(b, first, from, Math.min(to, 0xfff), tlb);
        if (second != null) mark(b, second, 0, to - 0x1000, tlb);
    }

    private void mark(Block b, CodePage p, int from, int to, SoftTlb tlb) {
        int before = p.mask;
        p.add(b, from, to);
        if (p.mask != before) memory.frames().setCodeMask(p.frame, p.mask);
        if (before == 0) tlb.dropWriteTags(p.host);
    }

    /**
     * Bytes of a page are about to be written.
     *
     * @return whether a block was dropped
     */
    boolean written(long pageHost, int offset, int length) {
        CodePage p = page(pageHost);
        if (p == null) return false;
        writes++;
        boolean any = p.drop(offset, length);
        if (any) dropped++;
        if (++p.writes >= CodePage.PATIENCE) {
            p.dropAll();
            memory.frames().setCodeMask(p.frame, 0);
            released++;
            return true;
        }
        return any;
    }

    /** Drops everything, and takes all marks away. */
    void clear() {
        for (CodePage p : pages) {
            if (p == null) continue;
            p.dropAll();
            if (memory.frames().host(p.frame) == p.host) memory.frames().setCodeMask(p.frame, 0);
        }
        Arrays.fill(pages, null);
        pageCount = 0;
        sinceClear = 0;
        recent = null;
    }
}
