package org.backplane.kvm.spi.mmu;

import java.util.Map;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * An MMU strategy: it owns the tables that the processor walks. One instance serves one VM. Its structures are a
 * cache of what the guest's own tables say: they are rebuilt after a swap and never transferred.
 *
 * <p><b>Threading.</b> Called on the thread of the vCPU that is passed, or with all vCPUs at a boundary; with several vCPUs the
 * core serializes the calls of one VM.
 *
 * <p><b>Table formats.</b> See {@link Spte}. The roots are left in {@link VcpuContext#root} and {@link VcpuContext#paeRoot}.
 */
@ConsumerType
public interface Mmu extends AutoCloseable {
    /** How the processor uses the tables. */
    enum Kind {
        /** The tables map gva to hpa; every #PF is a VM exit. */
        SHADOW,
        /** The tables map gpa to hpa (EPT); the processor walks the guest's own tables first. */
        TWO_DIMENSIONAL
    }

    /** What {@link #fault} answers. */
    enum Fault {
        /** The tables now allow the access: run the instruction again. */
        FIXED,
        /** A fault of the guest: inject #PF with {@code v.faultError}; CR2 is the gva. */
        GUEST,
        /** No memory slot: an access to a device at {@code v.gpa}. */
        MMIO,
        /** The instruction must be emulated (a write to a shadowed page table). */
        EMULATE
    }

    Kind kind();

    /**
     * CR3, CR0, CR4 or EFER changed, or the vCPU is new, or {@link #slotsChanged} was called: look the root up again. CR3
     * and, in PAE mode, {@code v.guestPdpte} are set. The caller flushes the TLB.
     */
    void setRoot(VcpuContext v);

    /**
     * The processor could not translate.
     *
     * @param address the gva in shadow mode, the gpa in two-dimensional mode
     * @param errorCode page-fault error code (P, W, U, R, F): in two-dimensional mode with the same bits
     */
    Fault fault(VcpuContext v, long address, int errorCode);

    /** INVLPG, where it exits (see {@link #invlpgExits}) or is emulated. The caller drops the processor's own TLB entry. */
    void invlpg(VcpuContext v, long gva);

    /**
     * Must INVLPG be a VM exit? Not for an MMU whose tables never hold more than the guest's do, because it is told of every write to them; it is
     * the processor's TLB alone that INVLPG is for then. An MMU that keeps old translations, as a TLB does, answers true. The answer is the
     * same as long as the MMU lives.
     */
    default boolean invlpgExits() {
        return false;
    }

    /**
     * The pre-write of the one door: these bytes of guest memory are about to be written, by DMA, an emulated instruction, the
     * loader. If the page holds a shadowed page table, drop what depends on it, before the write.
     */
    void guestPteWritten(long gpa, int size);

    /**
     * Translates as the guest's tables say, with their permissions, for emulated instructions, the debugger and KVM_TRANSLATE.
     *
     * @param access bits of {@code Intercepts}; with {@link #PROBE} nothing is changed (no accessed or dirty bit)
     * @return the gpa, or -1 with {@code v.faultError} set
     */
    long gvaToGpa(VcpuContext v, long gva, int access);

    /** Access bit for {@link #gvaToGpa}: look only. */
    int PROBE = 1 << 30;

    /** Slots were added, moved or removed, or dirty logging was switched: drop all that may refer to them. */
    void slotsChanged();

    /** The dirty log of a slot was read: write-protect its pages again. */
    void writeProtect(VmMemory.Slot slot);

    /** Counters by name for {@code -stats} (pf_fixed, pf_guest, …). */
    Map<String, Long> counters();

    /** A look inside, for people and for audits. */
    default MmuView view() {
        return MmuView.NONE;
    }

    /** Frees all frames. */
    @Override
    void close();
}
