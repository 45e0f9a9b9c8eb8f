package org.backplane.shadowmmu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.backplane.kvm.spi.cpu.SoftTlb;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.mmu.GuestWalk;
import org.backplane.kvm.spi.mmu.Mmu;
import org.backplane.kvm.spi.mmu.Spte;
import org.backplane.kvm.testing.TestMemory;

/** The invariants of the shadow (kvm-internals: shadow MMU). */
final class Audit {
    private final TestMemory memory;
    private final VcpuContext v;
    private final ShadowMmu mmu;
    private final ShadowPages pages;
    private final GuestWalk guest = new GuestWalk();
    private final GuestWalk.Memory over;

    /** Leaves that were compared with the guest's tables, so that a test can see that it tests something. */
    long leavesCompared;

    Audit(TestMemory memory, VcpuContext v, ShadowMmu mmu) {
        this.memory = memory;
        this.v = v;
        this.mmu = mmu;
        this.pages = mmu.pages();
        this.over = GuestWalk.over(memory);
    }

    void check() {
        references();
        protection();
        translations();
    }

    /** The rmap is the set of present leaf SPTEs; parents are the present upper SPTEs. */
    private void references() {
        Map<Long, Set<Long>> leaves = new HashMap<>();
        Map<Long, Integer> parents = new HashMap<>();
        int count = 0;
        for (ShadowPage p = pages.newest(); p != null; p = p.lruNext) {
            count++;
            assertEquals(p, pages.at(p.frame));
            for (int i = 0; i < 512; i++) {
                long e = pages.entry(p, i);
                if (!Spte.present(e)) continue;
                if (p.level() == 1) {
                    leaves.computeIfAbsent(Spte.frame(e), f -> new HashSet<>()).add(p.ref(i));
                } else {
                    ShadowPage child = pages.at(Spte.frame(e));
                    assertNotNull(child, "an upper SPTE names a page that is not in use");
                    assertEquals(p.level() - 1, child.level());
                    parents.merge(child.frame, 1, Integer::sum);
                }
            }
        }
        assertEquals(pages.inUse, count);
        for (ShadowPage p = pages.newest(); p != null; p = p.lruNext) {
            assertEquals(parents.getOrDefault(p.frame, 0), p.parentCount(), "parents of " + p);
        }
        for (VmSlotFrames f : VmSlotFrames.of(memory)) {
            for (long frame = f.first(); frame < f.end(); frame++) {
                Set<Long> mapped = new HashSet<>();
                for (long ref = pages.rmap.first(frame); ref != 0; ref = pages.rmap.next()) {
                    assertTrue(mapped.add(ref), "an SPTE is in the rmap twice");
                }
                assertEquals(leaves.getOrDefault(frame, Set.of()), mapped, "rmap of frame " + frame);
            }
        }
    }

    /** No SPTE and no TLB entry lets anyone write a shadowed guest table. */
    private void protection() {
        Set<Long> hosts = new HashSet<>();
        for (ShadowPage p = pages.newest(); p != null; p = p.lruNext) {
            if (p.direct() || p.key < 0) continue;
            hosts.add(memory.frames().host(p.key));
            for (long ref = pages.rmap.first(p.key); ref != 0; ref = pages.rmap.next()) {
                long e = memory.frames().entry(ShadowPage.frameOf(ref), ShadowPage.indexOf(ref));
                assertEquals(0, e & Spte.W, "a shadowed table is mapped writable");
            }
        }
        long[] e = v.tlb.entries;
        for (int i = 0; i < e.length; i += 4) {
            if (e[i + SoftTlb.WRITE] == SoftTlb.INVALID) continue;
            assertFalse(hosts.contains(e[i + SoftTlb.WRITE] + e[i + SoftTlb.ADDEND]), "a TLB entry writes a shadowed table");
        }
    }

    /** Every leaf reached from the active root is what the guest's tables say, and grants no more. */
    private void translations() {
        if (v.root != 0) {
            table(v.root, 4, 0);
            return;
        }
        for (int i = 0; i < 4; i++) {
            if (Spte.present(v.paeRoot[i])) table(Spte.frame(v.paeRoot[i]), 2, (long) i << 30);
        }
    }

    private void table(long frame, int level, long gva) {
        for (int i = 0; i < 512; i++) {
            long e = memory.frames().entry(frame, i);
            long at = gva | (long) i << 12 + 9 * (level - 1);
            if (level == 4) at = at << 16 >> 16;
            if (level > 1) {
                if (Spte.present(e)) table(Spte.frame(e), level - 1, at);
            } else if (Spte.present(e) || Spte.isMmio(e)) {
                leaf(at, e);
            }
        }
    }

    private void leaf(long gva, long e) {
        leavesCompared++;
        String where = String.format("gva %x spte %x", gva, e);
        boolean user = (e & Spte.U) != 0;
        boolean wpQuirk = !user && (e & Spte.W) != 0;
        int access = (user ? Processor.USER : 0) | (e >= 0 ? Processor.FETCH : 0);
        long gpa = mmu.gvaToGpa(v, gva, access | Mmu.PROBE);
        assertTrue(gpa >= 0, where + ": the guest's tables do not allow this");
        if (Spte.present(e)) assertEquals(memory.frame(gpa >>> 12), Spte.frame(e), where);
        else assertEquals(gpa >>> 12, Spte.frame(e), where);
        if ((e & Spte.W) != 0) {
            int write = Processor.WRITE | (user ? Processor.USER : 0) | Mmu.PROBE;
            assertTrue(mmu.gvaToGpa(v, gva, write) >= 0 || wpQuirk, where + ": writable for no reason");
            assertFalse(memory.readOnly(gpa >>> 12), where);
            guest.walk(v, over, gva, Mmu.PROBE, false);
            assertTrue(guest.dirty, where + ": writable though the guest's entry is clean");
        }
    }

    /** Frames of a slot. */
    record VmSlotFrames(long first, long end) {
        static Iterable<VmSlotFrames> of(TestMemory m) {
            return m.slots().stream().map(s -> new VmSlotFrames(s.frame(), s.frame() + s.pages())).toList();
        }
    }
}
