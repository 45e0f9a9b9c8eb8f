package org.backplane.directmmu;

import java.util.LinkedHashMap;
import java.util.Map;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.mmu.GuestWalk;
import org.backplane.kvm.spi.mmu.Mmu;
import org.backplane.kvm.spi.mmu.MmuContext;
import org.backplane.kvm.spi.mmu.MmuView;
import org.backplane.kvm.spi.mmu.Spte;
import org.backplane.kvm.spi.mmu.VmMemory;

/**
 * Two-dimensional paging: one table for the VM from gpa to frame, filled page by page when the processor misses. The guest's
 * own tables are the processor's affair; nothing is write-protected for their sake.
 *
 * <p>A page is writable at once, unless its slot is read-only or logs dirty pages: then it becomes writable with the first write, which is
 * also what marks it dirty. A write to a read-only slot is answered {@link Fault#MMIO}, like one outside of all slots.
 *
 * <p><b>Stale translations.</b> Nothing here depends on the guest's tables, so nothing here goes stale when the guest changes them. What a guest
 * may still see of an old entry is in the processor's TLB, as on the hardware (SDM 3A 4.10.2.3): a translation that was once in force may be used until
 * INVLPG of its page (of any part of it, for a large page), a page fault at it, a load of CR3 unless it is global, or a change of CR0.PG,
 * CR4.PGE, CR4.PAE or of any bit that changes what an entry means. Never longer, and never a mixture of an old entry and a new one. None of these
 * is a VM exit for this MMU's sake: they happen in the processor's paging unit.
 *
 * <p><b>What flushes the TLB from here</b> is a change of gpa to frame: slots that change, and a page that loses W for the dirty log.
 *
 * <p><b>Threading.</b> As {@link Mmu} says: calls of one VM are serialized.
 */
final class DirectMmu implements Mmu {
    private static final int WRITE = 2;

    private final MmuContext context;
    private final VmMemory memory;
    private final EptTables tables;
    private final GuestWalk walk = new GuestWalk();
    private final GuestWalk.Memory guestMemory;
    private long faultsFixed, faultsMmio, zaps;

    DirectMmu(MmuContext context) {
        this.context = context;
        memory = context.memory();
        tables = new EptTables(memory.frames());
        guestMemory = GuestWalk.over(memory);
    }

    @Override
    public Kind kind() {
        return Kind.TWO_DIMENSIONAL;
    }

    @Override
    public void setRoot(VcpuContext v) {
        v.root = tables.root;
    }

    @Override
    public Fault fault(VcpuContext v, long gpa, int errorCode) {
        long gfn = gpa >>> 12;
        long frame = memory.frame(gfn);
        boolean write = (errorCode & WRITE) != 0;
        if (frame == 0) {
            tables.setLeaf(gpa, Spte.of(gfn, Spte.MMIO | Spte.W | Spte.U));
        } else if (!memory.readOnly(gfn)) {
            boolean logged = memory.dirtyLogged(gfn);
            if (logged && write) memory.markDirty(gfn);
            tables.setLeaf(gpa, Spte.of(frame, Spte.P | Spte.U | (write || !logged ? Spte.W : 0)));
            faultsFixed++;
            return Fault.FIXED;
        } else if (!write) {
            tables.setLeaf(gpa, Spte.of(frame, Spte.P | Spte.U));
            faultsFixed++;
            return Fault.FIXED;
        }
        v.gpa = gpa;
        faultsMmio++;
        return Fault.MMIO;
    }

    /** Nothing: the guest's translations live in the processor's TLB only. */
    @Override
    public void invlpg(VcpuContext v, long gva) {}

    /** Nothing: no copy of the guest's tables is kept. */
    @Override
    public void guestPteWritten(long gpa, int size) {}

    @Override
    public long gvaToGpa(VcpuContext v, long gva, int access) {
        if (walk.walk(v, guestMemory, gva, access, (access & PROBE) == 0) == GuestWalk.OK) return walk.gpa;
        v.faultError = walk.errorCode;
        return -1;
    }

    @Override
    public void slotsChanged() {
        zaps++;
        tables.clear();
        context.flushRemoteTlbs();
    }

    @Override
    public void writeProtect(VmMemory.Slot slot) {
        if (tables.writeProtect(slot.gfn(), slot.pages())) context.flushRemoteTlbs();
    }

    @Override
    public MmuView view() {
        return new EptView(memory, tables);
    }

    @Override
    public Map<String, Long> counters() {
        Map<String, Long> c = new LinkedHashMap<>();
        c.put("pf_fixed", faultsFixed);
        c.put("pf_mmio", faultsMmio);
        c.put("zap_all", zaps);
        return c;
    }

    @Override
    public void close() {
        tables.close();
    }
}
