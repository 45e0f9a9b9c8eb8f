package org.backplane.shadowmmu;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.SoftTlb;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.mmu.FrameTable;
import org.backplane.kvm.spi.mmu.GuestWalk;
import org.backplane.kvm.spi.mmu.Mmu;
import org.backplane.kvm.spi.mmu.MmuContext;
import org.backplane.kvm.spi.mmu.MmuView;
import org.backplane.kvm.spi.mmu.Spte;
import org.backplane.kvm.spi.mmu.VmMemory;

/**
 * KVM's shadow paging of 2007. The processor walks tables from gva to frame that are built, entry by entry, from the guest's own; the guest's
 * tables are write-protected, so that nothing in the shadow outlives what it was made of.
 *
 * <p><b>Reaction to events</b>
 * <ul>
 * <li><em>A page fault:</em> the guest's tables are walked. They forbid the access: the guest gets its #PF. They allow it: the SPTEs
 *     along the way are made. The page is a shadowed table and this is a write: the kernel's is emulated, a user program's
 *     turns the page back into data. No slot: a device.
 * <li><em>A write to a shadowed table</em> ({@link #guestPteWritten}, before it happens): the SPTEs made of the entry go. After three writes in a row to
 *     a table, with no use of it in between, or a write that is not one to a single entry, its shadow goes as a whole and the page becomes writable:
 *     the guest is building, copying or recycling it.
 * <li><em>A load of CR3:</em> the root is looked up by frame and role; the shadow of an address space that ran before is still there.
 * <li><em>INVLPG</em> is no event: the processor drops its TLB entry, and the SPTE was dropped when the guest wrote its entry.
 * </ul>
 *
 * <p><b>Roots.</b> Without paging, with 32-bit and with PAE paging a 3-level shadow: four pages of level 2 in {@code v.paeRoot}. In long mode
 * four levels in {@code v.root}.
 *
 * <p><b>Rights</b> are in leaf SPTEs only: what the guest's upper levels grant is part of the role. W also needs the guest's dirty bit. With
 * CR0.WP=0 a supervisor's write to a read-only page gives W=1, U=0; a later user access turns it back. SMEP and SMAP are the processor's affair, for
 * SPTEs have the guest's U; but such a turned page has not, so that it gets NX under SMEP, and none is made under SMAP.
 *
 * <p><b>Threading.</b> As {@link Mmu} says: calls of one VM are serialized.
 */
final class ShadowMmu implements Mmu, GuestWalk.Memory, ShadowPages.Tlb {
    private static final int PRESENT = 1, WRITE = 2, USER = 4, FETCH = 16;

    private static final long ADDRESS = 0x000f_ffff_ffff_f000L;

    private final MmuContext context;
    private final VmMemory memory;
    private final FrameTable frames;
    private final ShadowPages pages;
    private final GuestWalk walk = new GuestWalk();

    /** The roots in use by vCPU number. */
    private ShadowPage[][] roots = new ShadowPage[0][];

    /** The memory slots that the shadow was made with. */
    private List<VmMemory.Slot> slots;

    /** The walk stores an accessed or dirty bit through the door: not a change that the shadow must know of. */
    private boolean ownWrite;

    /** A dirty leaf SPTE vanished since the last flush of everything (global ones), or since the last load of CR3 (others). */
    private boolean globalWriterVanished, writerVanished;

    private final FloodDetector flood = new FloodDetector();
    private long fixed, guest, emulated, mmio, pteWrites, floods, userUnshadows, rootHits, rootMisses;

    ShadowMmu(MmuContext context, int limit) {
        this.context = context;
        memory = context.memory();
        frames = memory.frames();
        slots = memory.slots();
        pages = new ShadowPages(memory, limit, this);
    }

    ShadowPages pages() {
        return pages;
    }

    @Override
    public Kind kind() {
        return Kind.SHADOW;
    }

    // ---- roots ----

    @Override
    public void setRoot(VcpuContext v) {
        pages.makeRoom();
        CpuState s = v.state;
        int mode = Role.mode(s);
        ShadowPage[] old = rootsOf(v);
        ShadowPage[] next = new ShadowPage[4];
        long all = Spte.W | Spte.U;
        switch (Role.guestLevels(mode)) {
            case 0 -> {
                for (int i = 0; i < 4; i++) next[i] = root((long) i << 18, Role.of(mode, 2, 0, true, all));
            }
            case 2 -> {
                long gfn = (s.cr3 & 0xffffffffL) >>> 12;
                for (int i = 0; i < 4; i++) next[i] = root(gfn, Role.of(mode, 2, i, false, all));
            }
            case 3 -> {
                for (int i = 0; i < 4; i++) {
                    long pdpte = v.guestPdpte[i];
                    if ((pdpte & PRESENT) != 0) next[i] = root((pdpte & ADDRESS) >>> 12, Role.of(mode, 2, 0, false, all));
                }
            }
            default -> next[0] = root((s.cr3 & ADDRESS) >>> 12, Role.of(mode, 4, 0, false, all));
        }
        release(old);
        System.arraycopy(next, 0, old, 0, 4);
        boolean four = Role.guestLevels(mode) == 4;
        v.root = four ? next[0].frame : 0;
        for (int i = 0; i < 4; i++) v.paeRoot[i] = four || next[i] == null ? 0 : Spte.of(next[i].frame, Spte.P);
        // The caller flushes what is not global.
        writerVanished = false;
    }

    private ShadowPage root(long gfn, int role) {
        long created = pages.created;
        ShadowPage p = pages.get(gfn, role);
        if (pages.created == created) rootHits++;
        else rootMisses++;
        p.roots++;
        return p;
    }

    private void release(ShadowPage[] old) {
        for (ShadowPage p : old) if (p != null) pages.release(p);
    }

    private ShadowPage[] rootsOf(VcpuContext v) {
        if (v.id >= roots.length) {
            int n = roots.length;
            roots = Arrays.copyOf(roots, v.id + 1);
            for (int i = n; i <= v.id; i++) roots[i] = new ShadowPage[4];
        }
        return roots[v.id];
    }

    // ---- faults ----

    @Override
    public Fault fault(VcpuContext v, long gva, int errorCode) {
        if (walk.walk(v, this, gva, errorCode & (WRITE | USER | FETCH), true) != GuestWalk.OK) {
            v.faultError = walk.errorCode;
            guest++;
            return Fault.GUEST;
        }
        pages.makeRoom();
        ShadowPage p = leafPage(v, gva);
        int index = Spte.index(gva, 1);
        long gfn = walk.gpa >>> 12;
        long key = pages.key(gfn);
        boolean write = (errorCode & WRITE) != 0;
        boolean user = (errorCode & USER) != 0;
        long rights = leafRights(v.state, write, user);
        if (write && user && key > 0 && pages.shadowed(key) && !memory.readOnly(gfn)) {
            // A user program writes to what was a page table: nobody keeps live tables there. Unless it is on the way to itself.
            userUnshadows++;
            pages.zapTables(key);
            pages.makeRoom();
            p = leafPage(v, gva);
        }
        if (key < 0) {
            pages.setLeaf(p, index, Spte.of(gfn, rights | Spte.MMIO));
            return device(v);
        }
        Fault verdict = write && (rights & Spte.W) == 0 ? Fault.EMULATE : Fault.FIXED;
        if ((rights & Spte.W) != 0) {
            if (memory.readOnly(gfn)) {
                rights &= ~Spte.W;
                if (write) verdict = Fault.MMIO;
            } else if (pages.shadowed(key)) {
                rights &= ~Spte.W;
                if (write) verdict = Fault.EMULATE;
            } else if (memory.dirtyLogged(gfn)) {
                if (write) memory.markDirty(gfn);
                else rights &= ~Spte.W;
            }
        }
        if (walk.global) rights |= Spte.G;
        if (walk.level > 1) rights |= Spte.LARGE;
        pages.setLeaf(p, index, Spte.of(key, rights | Spte.P));
        switch (verdict) {
            case FIXED -> fixed++;
            case EMULATE -> emulated++;
            default -> {
                return device(v);
            }
        }
        return verdict;
    }

    private Fault device(VcpuContext v) {
        v.gpa = walk.gpa;
        mmio++;
        return Fault.MMIO;
    }

    /** W, U and NX of the leaf SPTE, from the walk that was just made. */
    private long leafRights(CpuState s, boolean write, boolean user) {
        long rights = walk.rights;
        if (write && !user && (rights & Spte.W) == 0) {
            // Allowed by CR0.WP=0: for supervisors only, as long as no user access comes.
            if ((rights & Spte.U) == 0) return rights | Spte.W;
            // A supervisor page is not what it is for SMEP, so no fetches; nor for SMAP: then the write is emulated.
            if ((s.cr4 & CpuState.CR4_SMAP) != 0) return rights;
            return rights & ~Spte.U | Spte.W | ((s.cr4 & CpuState.CR4_SMEP) != 0 ? Spte.NX : 0);
        }
        return walk.dirty ? rights : rights & ~Spte.W;
    }

    /** Makes the shadow pages from the root to level 1 for a walk that succeeded. */
    private ShadowPage leafPage(VcpuContext v, long gva) {
        ShadowPage p = rootFor(v, gva);
        flood.used(p);
        int mode = p.role;
        long rights = Spte.W | Spte.U;
        for (int level = p.level(); level > 1; level--) {
            boolean direct = level <= walk.level || walk.levels == 0;
            if (walk.levels != 0 && level >= walk.level) {
                long e = walk.pte[level];
                rights = rights & e | (rights | e) & Spte.NX;
            }
            long gfn;
            int quadrant = 0;
            if (direct) {
                // What is left of a large page below this level, linear; the leaf's rights, D and G hold for all of it. A clean page is not the
                // same as a read-only one, in which CR0.WP=0 may make entries writable.
                gfn = walk.gpa >>> 12 & -(1L << 9 * (level - 1));
            } else {
                gfn = (walk.pte[level] & (walk.levels == 2 ? 0xfffff000L : ADDRESS)) >>> 12;
                if (walk.levels == 2) quadrant = Role.quadrant(gva, level - 1);
            }
            int role = Role.of(mode, level - 1, quadrant, direct, rights);
            if (direct) role |= (walk.dirty ? 0 : Role.CLEAN) | (walk.global ? Role.GLOBAL : 0);
            p = child(p, Spte.index(gva, level), gfn, role);
            flood.used(p);
        }
        return p;
    }

    private ShadowPage child(ShadowPage p, int index, long gfn, int role) {
        long e = pages.entry(p, index);
        if (Spte.present(e)) {
            ShadowPage c = pages.at(Spte.frame(e));
            if (c.role == role && c.key == pages.key(gfn)) return c;
            // The guest's entry got its dirty bit, or the registers changed what it means.
            pages.unlink(p, index);
        }
        ShadowPage c = pages.get(gfn, role);
        pages.link(p, index, c);
        return c;
    }

    private ShadowPage rootFor(VcpuContext v, long gva) {
        ShadowPage[] r = rootsOf(v);
        return walk.levels == 4 ? r[0] : r[(int) (gva >>> 30) & 3];
    }

    // ---- writes to guest tables ----

    @Override
    public void guestPteWritten(long gpa, int size) {
        if (ownWrite) return;
        long key = pages.key(gpa >>> 12);
        ShadowPage p = key > 0 ? pages.firstTable(key) : null;
        if (p == null) return;
        pteWrites++;
        boolean zap = flood.written(key);
        for (; p != null && !zap; p = pages.nextTable(p)) {
            if (!oneEntry(p, gpa, size)) zap = true;
            else if (covers(p, (int) gpa & 0xfff)) dropEntry(p, (int) gpa & 0xfff);
        }
        if (zap) {
            floods++;
            pages.zapTables(key);
        }
    }

    private static int entryShift(ShadowPage p) {
        return Role.guestLevels(p.role) == 2 ? 2 : 3;
    }

    private static boolean oneEntry(ShadowPage p, long gpa, int size) {
        int shift = entryShift(p);
        return gpa >>> shift == gpa + size - 1 >>> shift;
    }

    /** Is the guest's entry at an offset of its table in the quadrant of this page? */
    private static boolean covers(ShadowPage p, int offset) {
        return entryShift(p) == 3 || offset >> (p.level() == 1 ? 11 : 10) == Role.quadrant(p.role);
    }

    /** Drops the SPTEs made of the guest's entry at an offset of its table. */
    private void dropEntry(ShadowPage p, int offset) {
        if (entryShift(p) == 3) {
            pages.drop(p, offset >> 3);
        } else if (p.level() == 1) {
            pages.drop(p, offset >> 2 & 511);
        } else {
            // A guest entry maps 4 MiB: two SPTEs of 2 MiB.
            pages.drop(p, (offset >> 2 & 255) * 2);
            pages.drop(p, (offset >> 2 & 255) * 2 + 1);
        }
    }

    // ---- the guest's own tables ----

    @Override
    public long gvaToGpa(VcpuContext v, long gva, int access) {
        if (walk.walk(v, this, gva, access, (access & PROBE) == 0) == GuestWalk.OK) return walk.gpa;
        v.faultError = walk.errorCode;
        return -1;
    }

    @Override
    public long host(long gpa) {
        return memory.host(gpa);
    }

    /** Accessed and dirty bits do not change what the shadow was made of: the page stays shadowed. */
    @Override
    public long hostForUpdate(long gpa) {
        long host = memory.host(gpa);
        long gfn = gpa >>> 12;
        if (host == 0 || memory.readOnly(gfn)) return 0;
        if (frames.codeMask(memory.frame(gfn)) == 0) {
            // All that the door would do.
            if (memory.dirtyLogged(gfn)) memory.markDirty(gfn);
            return host;
        }
        ownWrite = true;
        memory.beforeWrite(gpa, 1);
        ownWrite = false;
        return host;
    }

    // ---- other events ----

    /** Where INVLPG exits: drops the leaf. */
    @Override
    public void invlpg(VcpuContext v, long gva) {
        ShadowPage[] r = rootsOf(v);
        ShadowPage p = v.root != 0 ? r[0] : r[(int) (gva >>> 30) & 3];
        while (p != null && p.level() > 1) {
            long e = pages.entry(p, Spte.index(gva, p.level()));
            p = Spte.present(e) ? pages.at(Spte.frame(e)) : null;
        }
        if (p != null) pages.drop(p, Spte.index(gva, 1));
        v.tlb.flush(SoftTlb.Flush.ADDRESS, v.state.pcid(), gva);
    }

    /**
     * A slot that came, went, moved or changed its flags: the mappings of the pages it had go, by the reverse map, and the shadow of what is other memory
     * now. When the slots are the same, what a gpa means has changed otherwise (A20, an alias): everything goes.
     */
    @Override
    public void slotsChanged() {
        List<VmMemory.Slot> now = memory.slots();
        if (now.equals(slots)) {
            forgetEverything();
        } else {
            for (VmMemory.Slot s : slots) if (!now.contains(s)) pages.dropMappings(s.frame(), s.pages());
            pages.dropMoved();
        }
        slots = now;
        flush();
        for (VcpuContext v : context.vcpus()) setRoot(v);
    }

    private void forgetEverything() {
        for (ShadowPage[] r : roots) {
            release(r);
            Arrays.fill(r, null);
        }
        pages.clear();
    }

    @Override
    public void writeProtect(VmMemory.Slot slot) {
        boolean any = false;
        for (long f = slot.frame(); f < slot.frame() + slot.pages(); f++) any |= pages.clearWriters(f);
        if (any || writerVanished || globalWriterVanished) flush();
    }

    // ---- TLBs ----

    @Override
    public void dropWriters(long frame) {
        List<VcpuContext> vcpus = context.vcpus();
        if (vcpus.size() != 1) {
            flush();
            return;
        }
        vcpus.get(0).tlb.dropWriteTags(frames.host(frame));
    }

    @Override
    public void writerVanished(boolean global) {
        if (global) globalWriterVanished = true;
        else writerVanished = true;
    }

    @Override
    public void flush() {
        globalWriterVanished = writerVanished = false;
        context.flushRemoteTlbs();
    }

    // ---- the rest ----

    @Override
    public Map<String, Long> counters() {
        Map<String, Long> c = new LinkedHashMap<>();
        c.put("pf_fixed", fixed);
        c.put("pf_guest", guest);
        c.put("pf_emulate", emulated);
        c.put("pf_mmio", mmio);
        c.put("mmu_pte_write", pteWrites);
        c.put("mmu_flooded", floods);
        c.put("mmu_user_unshadow", userUnshadows);
        c.put("mmu_shadow_created", pages.created);
        c.put("mmu_shadow_reused", pages.reused);
        c.put("mmu_shadow_zapped", pages.zapped);
        c.put("mmu_recycled", pages.reclaimed);
        c.put("root_cache_hit", rootHits);
        c.put("root_cache_miss", rootMisses);
        c.put("shadow_pages", (long) pages.inUse);
        c.put("shadow_pages_limit", (long) pages.limit());
        return c;
    }

    @Override
    public MmuView view() {
        return new ShadowView(context, pages, flood);
    }

    @Override
    public void close() {
        for (ShadowPage[] r : roots) release(r);
        roots = new ShadowPage[0][];
        pages.clear();
    }
}
