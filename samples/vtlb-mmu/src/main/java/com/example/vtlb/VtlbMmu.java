package com.example.vtlb;

import java.util.LinkedHashMap;
import java.util.Map;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.mmu.GuestWalk;
import org.backplane.kvm.spi.mmu.Mmu;
import org.backplane.kvm.spi.mmu.MmuContext;
import org.backplane.kvm.spi.mmu.Spte;
import org.backplane.kvm.spi.mmu.VmMemory;

/**
 * A virtual TLB: the oldest and simplest shadow paging there is. The processor walks tables of ours; they are filled from the guest's, page
 * by page, when it faults, and emptied when the guest does what empties a TLB. Nothing is write-protected, so no write to a page table is ever
 * noticed or emulated, and there is no reverse map, no hash and no role. An entry that has gone stale is one that a real TLB might
 * still hold as well: the guest has to say INVLPG or load CR3 before it may count on its change, and then we hear of it.
 *
 * <p>The price is that a process's translations are lost whenever another one runs; shadow-mmu keeps them, and pays with 1,000 more lines.
 *
 * <p><b>Reaction to events</b>
 * <ul>
 * <li><em>#PF:</em> the guest's tables are walked. They forbid the access: it is the guest's fault, which also drops the entry, for so it is on the
 *     hardware. They allow it: one leaf entry is made, with no more rights than they give.
 * <li><em>INVLPG</em> is a VM exit here ({@link #invlpgExits}): the entry goes; all of the 2 MiB if it is part of a large page.
 * <li><em>A load of CR3:</em> everything goes but the entries of global pages. <em>Another change of CR0, CR4 or EFER:</em> everything goes.
 * <li><em>A write to the guest's tables:</em> nothing. That is the point.
 * </ul>
 *
 * <p><b>Dirty.</b> The processor sets A and D in our entries, never in the guest's. So an entry is made writable only by a write, when the guest's D is
 * set, or when it already was; and the walk that makes an entry has set A.
 *
 * <p><b>Threading.</b> As {@link Mmu} says: calls of one VM are serialized.
 */
final class VtlbMmu implements Mmu {
    private static final int WRITE = 2, USER = 4, FETCH = 16;

    /** What makes an address mean something else, besides CR3. */
    private record Mode(long cr0, long cr4, long efer) {
        static Mode of(CpuState s) {
            return new Mode(
                    s.cr0 & (CpuState.CR0_PG | CpuState.CR0_WP),
                    s.cr4 & (CpuState.CR4_PSE | CpuState.CR4_PAE | CpuState.CR4_PGE | CpuState.CR4_SMEP | CpuState.CR4_SMAP),
                    s.efer & (CpuState.EFER_NX | CpuState.EFER_LMA));
        }
    }

    private final MmuContext context;
    private final VmMemory memory;
    private final GuestWalk walk = new GuestWalk();
    private final GuestWalk.Memory guestMemory;
    private final int limit;

    /** By number of the vCPU. */
    private VtlbTables[] tables = {};

    private Mode[] modes = {};
    private long filled, forbidden, devices, invlpgs, switches, flushes, overflows;

    VtlbMmu(MmuContext context, int limit) {
        this.context = context;
        this.limit = limit;
        memory = context.memory();
        guestMemory = GuestWalk.over(memory);
    }

    @Override
    public Kind kind() {
        return Kind.SHADOW;
    }

    @Override
    public boolean invlpgExits() {
        return true;
    }

    // ---- what empties it ----

    @Override
    public void setRoot(VcpuContext v) {
        Mode mode = Mode.of(v.state);
        VtlbTables t = tablesOf(v);
        if (mode.equals(modes[v.id])) {
            switches++;
            t.dropAllButGlobal();
        } else {
            flushes++;
            modes[v.id] = mode;
            t.dropAll();
        }
        boolean four = v.state.longModeActive();
        v.root = four ? t.root() : 0;
        for (int i = 0; i < 4; i++) v.paeRoot[i] = four ? 0 : Spte.of(t.directory(i), Spte.P);
    }

    private VtlbTables tablesOf(VcpuContext v) {
        if (v.id >= tables.length) {
            tables = java.util.Arrays.copyOf(tables, v.id + 1);
            modes = java.util.Arrays.copyOf(modes, v.id + 1);
        }
        if (tables[v.id] == null) tables[v.id] = new VtlbTables(memory.frames(), limit);
        return tables[v.id];
    }

    @Override
    public void invlpg(VcpuContext v, long gva) {
        invlpgs++;
        drop(v, gva);
    }

    private void drop(VcpuContext v, long gva) {
        if (tablesOf(v).drop(gva)) v.tlb.flush(false);
    }

    @Override
    public void slotsChanged() {
        for (VtlbTables t : tables) if (t != null) t.dropAll();
        context.flushRemoteTlbs();
    }

    /** The log was read: whoever writes must come here again. */
    @Override
    public void writeProtect(VmMemory.Slot slot) {
        for (VtlbTables t : tables) if (t != null) t.protect(slot.frame(), slot.pages());
        context.flushRemoteTlbs();
    }

    // ---- what fills it ----

    @Override
    public Fault fault(VcpuContext v, long gva, int errorCode) {
        if (walk.walk(v, guestMemory, gva, errorCode & (WRITE | USER | FETCH), true) != GuestWalk.OK) {
            forbidden++;
            v.faultError = walk.errorCode;
            drop(v, gva);
            return Fault.GUEST;
        }
        boolean write = (errorCode & WRITE) != 0;
        long rights = rights(v.state, write, (errorCode & USER) != 0);
        boolean shut = write && (rights & Spte.W) == 0;
        long gfn = walk.gpa >>> 12;
        long frame = memory.frame(gfn);
        if (frame == 0) {
            devices++;
            v.gpa = walk.gpa;
            enter(v, gva, Spte.of(gfn, rights | Spte.MMIO));
            return Fault.MMIO;
        }
        boolean rom = memory.readOnly(gfn);
        if (memory.dirtyLogged(gfn)) {
            if (write) memory.markDirty(gfn);
            else rights &= ~Spte.W;
        }
        if (rom) rights &= ~Spte.W;
        if (walk.global) rights |= Spte.G;
        if (walk.level > 1) rights |= Spte.LARGE;
        filled++;
        enter(v, gva, Spte.of(frame, rights | Spte.P));
        if (rom && write) {
            v.gpa = walk.gpa;
            return Fault.MMIO;
        }
        return shut ? Fault.EMULATE : Fault.FIXED;
    }

    /** W, U and NX for the entry of the page that was just walked. */
    private long rights(CpuState s, boolean write, boolean user) {
        long rights = walk.rights;
        if ((rights & Spte.W) != 0) return walk.dirty ? rights : rights & ~Spte.W;
        if (!write || user) return rights;
        // The supervisor writes to a read-only page, for CR0.WP is 0. Our entries know no WP: it becomes a supervisor's page until a user comes.
        // SMEP and SMAP would not know it for a user's page then, so without fetches, and under SMAP not at all: the core emulates the write.
        if ((rights & Spte.U) == 0) return rights | Spte.W;
        if ((s.cr4 & CpuState.CR4_SMAP) != 0) return rights;
        return rights & ~Spte.U | Spte.W | ((s.cr4 & CpuState.CR4_SMEP) != 0 ? Spte.NX : 0);
    }

    private void enter(VcpuContext v, long gva, long entry) {
        if (!tablesOf(v).enter(gva, v.state.longModeActive(), entry)) return;
        overflows++;
        v.tlb.flush(false);
    }

    // ---- what needs no tables ----

    /** A write to guest memory, page tables included: a TLB does not see it either. */
    @Override
    public void guestPteWritten(long gpa, int size) {}

    @Override
    public long gvaToGpa(VcpuContext v, long gva, int access) {
        if (walk.walk(v, guestMemory, gva, access, (access & PROBE) == 0) == GuestWalk.OK) return walk.gpa;
        v.faultError = walk.errorCode;
        return -1;
    }

    @Override
    public Map<String, Long> counters() {
        Map<String, Long> c = new LinkedHashMap<>();
        c.put("pf_fixed", filled);
        c.put("pf_guest", forbidden);
        c.put("pf_mmio", devices);
        c.put("invlpg", invlpgs);
        c.put("cr3_loads", switches);
        c.put("flushes", flushes);
        c.put("overflows", overflows);
        return c;
    }

    @Override
    public void close() {
        for (VtlbTables t : tables) if (t != null) t.close();
        tables = new VtlbTables[0];
    }
}
