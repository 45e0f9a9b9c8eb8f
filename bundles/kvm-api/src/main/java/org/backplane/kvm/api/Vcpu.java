package org.backplane.kvm.api;

import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A virtual CPU, what the vCPU file descriptor is.
 *
 * <p><b>Threading.</b> One thread at a time; {@link #run} executes on the calling thread and a second caller gets EBUSY. Only {@link #kick}, {@link
 * #interrupt} and {@link #nmi} may be called by anybody at any time. vCPUs of one VM on several threads take turns in {@link #run}, see {@link Vm}.
 */
@ProviderType
public interface Vcpu {
    int id();

    /**
     * KVM_RUN: runs the guest until an exit.
     *
     * @return the shared page, the same object as {@link #kvmRun}
     * @throws KvmException EBUSY if another thread is inside, or if the call comes from inside a run of the same VM
     */
    KvmRun run();

    /** The shared page. The same object for the life of the vCPU. */
    KvmRun kvmRun();

    /** KVM_GET_REGS. */
    KvmRegs getRegs();

    /** KVM_SET_REGS. */
    void setRegs(KvmRegs regs);

    KvmSregs getSregs();

    /** KVM_SET_SREGS: reloads the PDPTRs in PAE mode; resets the MMU only if cr0, cr3, cr4 or efer changed. */
    void setSregs(KvmSregs sregs);

    /**
     * KVM_GET_MSRS.
     *
     * @return the values read, as many as were readable before the first that is not
     * @throws KvmException E2BIG for 256 or more
     */
    List<Long> getMsrs(List<Integer> indices);

    /** KVM_SET_MSRS: returns how many were set, stopping at the first failure. E2BIG for 256 or more. */
    int setMsrs(List<MsrEntry> entries);

    KvmFpu getFpu();

    void setFpu(KvmFpu fpu);

    /** KVM_SET_CPUID. Masked with what the emulator can execute when the guest reads it. */
    void setCpuid(List<CpuidEntry> entries);

    /**
     * KVM_DEBUG_GUEST: replaces the break- and watchpoints, and asks for single steps; {@link GuestDebug#OFF} takes all back. What is hit ends
     * {@link #run} with DEBUG. The guest notices nothing. Where an instruction ends {@code run} for another reason too (IO, MMIO), that comes first
     * and DEBUG with the next {@code run}.
     */
    void debugGuest(GuestDebug debug);

    /** KVM_TRANSLATE: the gpa of a linear address and what the tables allow. */
    Translation translate(long linearAddress);

    /**
     * KVM_INTERRUPT: queues an external interrupt; the vector is delivered at the next entry that can take it.
     *
     * @throws KvmException EINVAL unless 0 &lt;= irq &lt; 256
     */
    void interrupt(int irq);

    /** Queues a non-maskable interrupt. */
    void nmi();

    /** Ends a {@link #run} in progress, or the next one, with INTR, as a signal does. */
    void kick();

    /** @param valid the page is present; then {@code physicalAddress}, writeable and usermode count */
    record Translation(long linearAddress, long physicalAddress, boolean valid, boolean writeable, boolean usermode) {}

    record MsrEntry(int index, long data) {}

    record CpuidEntry(int function, int eax, int ebx, int ecx, int edx) {}
}
