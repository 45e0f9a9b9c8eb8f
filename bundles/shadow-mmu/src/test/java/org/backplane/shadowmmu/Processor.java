package org.backplane.shadowmmu;

import org.backplane.kvm.spi.cpu.SoftTlb;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.mmu.Mmu;
import org.backplane.kvm.spi.mmu.Spte;
import org.backplane.kvm.testing.TestMemory;

/** The paging unit as far as the MMU can see it: walks the shadow, sets A and D, fills the TLB, faults until the access succeeds. */
final class Processor {
    static final int READ = 0, WRITE = 2, USER = 4, FETCH = 16;

    private final TestMemory memory;
    private final VcpuContext v;
    private final Mmu mmu;

    /** Page faults that the last access took. */
    int faults;

    Processor(TestMemory memory, VcpuContext v, Mmu mmu) {
        this.memory = memory;
        this.v = v;
        this.mmu = mmu;
    }

    /** Does an access: FIXED when it goes through the shadow, else what the MMU answered. */
    Mmu.Fault access(long gva, int access) {
        for (faults = 0; ; faults++) {
            if (faults > 4) throw new AssertionError(String.format("gva %x access %x: no progress", gva, access));
            long e = leaf(gva);
            boolean present = Spte.present(e);
            if (present && allowed(e, access)) {
                touch(gva, e, access);
                return Mmu.Fault.FIXED;
            }
            if (Spte.isMmio(e) && allowed(e, access)) {
                v.gpa = Spte.frame(e) << 12 | gva & 0xfff;
                return Mmu.Fault.MMIO;
            }
            Mmu.Fault f = mmu.fault(v, gva, access | (present ? 1 : 0));
            if (f != Mmu.Fault.FIXED) return f;
        }
    }

    private static boolean allowed(long e, int access) {
        return (e & access & 6) == (access & 6) && ((access & FETCH) == 0 || e >= 0);
    }

    /** The leaf entry for a gva, 0 if there is none. */
    long leaf(long gva) {
        long table = leafTable(gva);
        return table == 0 ? 0 : memory.frames().entry(table, Spte.index(gva, 1));
    }

    private long leafTable(long gva) {
        long e = v.root != 0 ? v.root << 12 | 1 : v.paeRoot[(int) (gva >>> 30) & 3];
        for (int level = v.root != 0 ? 4 : 2; level > 1; level--) {
            if (!Spte.present(e)) return 0;
            e = memory.frames().entry(Spte.frame(e), Spte.index(gva, level));
        }
        return Spte.present(e) ? Spte.frame(e) : 0;
    }

    private void touch(long gva, long e, int access) {
        long bits = (access & WRITE) != 0 ? Spte.A | Spte.D : Spte.A;
        memory.frames().setEntry(leafTable(gva), Spte.index(gva, 1), e | bits);
        boolean write = (e & Spte.W) != 0 && ((e | bits) & Spte.D) != 0;
        int half = (access & USER) != 0 ? SoftTlb.USER : SoftTlb.SUPERVISOR;
        v.tlb.fill(half, gva, memory.frames().host(Spte.frame(e)), true, write, e >= 0, (e & Spte.G) != 0);
    }
}
