package org.backplane.board.machine;

import java.util.ArrayList;
import java.util.List;
import org.backplane.board.api.GuestMapping;
import org.backplane.board.api.PageWalk.GuestEntry;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.mmu.GuestWalk;
import org.backplane.kvm.spi.mmu.Spte;
import org.backplane.kvm.spi.mmu.VmMemory;

/**
 * The guest's own page tables, for people: one walk, or all that they map. Sets no accessed bit.
 *
 * <p><b>Threading.</b> With the vCPU at a boundary.
 */
final class GuestTables {
    private static final long PRESENT = 1, LARGE = 1 << 7;

    private final VcpuContext v;
    private final GuestWalk.Memory memory;
    private final GuestWalk walk = new GuestWalk();

    GuestTables(VmMemory memory, VcpuContext v) {
        this.v = v;
        this.memory = GuestWalk.over(memory);
    }

    /** Walks an address; the result is in {@link #last} until the next call. True if it is mapped. */
    boolean walk(long gva) {
        return walk.walk(v, memory, gva, 0, false) == GuestWalk.OK;
    }

    GuestWalk last() {
        return walk;
    }

    /** The entries of the last walk, from the top to the last that was read. */
    List<GuestEntry> entries() {
        List<GuestEntry> entries = new ArrayList<>();
        for (int level = walk.levels; level >= 1; level--) {
            entries.add(new GuestEntry(level, walk.pteGpa[level], walk.pte[level]));
            if (ends(level)) break;
        }
        return entries;
    }

    /** Does the entry that was read at this level end a walk? */
    private boolean ends(int level) {
        long e = walk.pte[level];
        if ((e & PRESENT) == 0 || level == 1) return true;
        boolean mayBeLarge = level == 2 || level == 3 && walk.levels == 4;
        boolean enabled = walk.levels != 2 || (v.state.cr4 & CpuState.CR4_PSE) != 0;
        return mayBeLarge && enabled && (e & LARGE) != 0;
    }

    /** All that is mapped; neighbours with the same rights are one. */
    List<GuestMapping> mappings() {
        List<GuestMapping> all = new ArrayList<>();
        if (!v.state.paging()) return all;
        boolean wide = v.state.longModeActive();
        long end = wide ? 1L << 48 : 1L << 32;
        GuestMapping last = null;
        for (long at = 0; at < end; ) {
            // In 4-level paging addresses are canonical: bit 47 goes on upwards.
            long gva = wide ? at << 16 >> 16 : at;
            boolean mapped = walk(gva);
            long size = mapped ? 1L << walk.pageShift : unmapped();
            if (mapped) {
                GuestMapping m = mapping(gva, size);
                if (last != null && joins(last, m)) {
                    last = new GuestMapping(last.gva(), last.size() + size, last.gpa(), m.writable(), m.user(), m.noExecute(), m.global());
                } else {
                    if (last != null) all.add(last);
                    last = m;
                }
            }
            at += size;
        }
        if (last != null) all.add(last);
        return all;
    }

    private GuestMapping mapping(long gva, long size) {
        boolean writable = (walk.rights & Spte.W) != 0;
        return new GuestMapping(gva, size, walk.gpa, writable, (walk.rights & Spte.U) != 0, walk.rights < 0, walk.global);
    }

    private static boolean joins(GuestMapping a, GuestMapping b) {
        return a.gva() + a.size() == b.gva()
                && a.writable() == b.writable()
                && a.user() == b.user()
                && a.noExecute() == b.noExecute()
                && a.global() == b.global();
    }

    /** How much is not mapped because of the entry at which the last walk ended. */
    private long unmapped() {
        int level = walk.levels;
        while (!ends(level)) level--;
        return walk.levels == 2 && level == 2 ? 1 << 22 : 1L << 12 + 9 * (level - 1);
    }
}
