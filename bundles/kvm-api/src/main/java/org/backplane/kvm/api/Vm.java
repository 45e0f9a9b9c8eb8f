package org.backplane.kvm.api;

import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A virtual machine: memory slots and vCPUs, what the VM file descriptor is.
 *
 * <p><b>Threading.</b> Any thread; calls that change memory take all vCPUs out of the guest first and wait for it. They must not be made
 * from inside {@link Vcpu#run} of the same VM.
 *
 * <p><b>Several vCPUs</b> may each run on a thread of its own, as with KVM. The result is right, and not parallel yet: one vCPU of a VM executes at a
 * time, for a stretch of some 100,000 instructions while others wait, which take their turns in order. To the guest it is a machine whose processors are slow.
 */
@ProviderType
public interface Vm extends AutoCloseable {
    /** Memory-region flag: log dirty pages. */
    int MEM_LOG_DIRTY_PAGES = 1;

    /** Memory-region flag: the guest's writes go nowhere (a ROM). Later than 2007 and handy. */
    int MEM_READONLY = 2;

    int MAX_SLOTS = 64;

    /** Most vCPUs of a VM. */
    int MAX_VCPUS = 16;

    /**
     * KVM_SET_MEMORY_REGION: creates, moves, changes the flags of, or (size 0) removes a slot. The memory is allocated by the VM
     * and zeroed.
     *
     * @throws KvmException EINVAL for an address or size that is not page-aligned, wraps around, or changes the size of a live slot,
     *     or a slot number out of range; EEXIST for an overlap; ENOMEM when the memory cannot be reserved
     */
    void setMemoryRegion(int slot, int flags, long guestPhysAddr, long memorySize);

    /** KVM_SET_USER_MEMORY_REGION: the same with memory of the caller's: native, page-aligned, alive until the slot is gone. It
     * may be (in) the memory of another slot, but not overlap it in part only (EINVAL). */
    void setUserMemoryRegion(int slot, int flags, long guestPhysAddr, MemorySegment memory);

    /** Number of memory aliases. */
    int MAX_ALIASES = 4;

    /**
     * KVM_SET_MEMORY_ALIAS: lets a range of guest-physical addresses mean another range, as the VGA window at A0000 means video memory. An alias goes
     * before a slot at the same addresses; where no slot holds the target it is a hole. Size 0 takes the alias away.
     *
     * @param alias number, below {@link #MAX_ALIASES}
     * @param flags none is known: 0
     * @throws KvmException EINVAL for a number out of range, an address or size that is not page-aligned, a range that wraps around, or a flag
     */
    void setMemoryAlias(int alias, int flags, long guestPhysAddr, long memorySize, long targetPhysAddr);

    /**
     * The guest's memory from GPA 0 to the end of the slot that starts there: a segment whose offset is the GPA, as a caller of 2007
     * mapped the VM's descriptor. Writes through it are not tracked (no code is dropped, no shadow, no dirty log): use it before the
     * guest runs, and {@link #writeMemory} later.
     */
    MemorySegment map();

    /** Writes guest memory through the one door. */
    void writeMemory(long gpa, byte[] bytes);

    /** Reads guest memory; addresses without a slot are an error (EFAULT). */
    byte[] readMemory(long gpa, int length);

    /** KVM_GET_DIRTY_LOG: bit n for page n of the slot written since the last call. ENOENT if the slot does not log. */
    BitSet getDirtyLog(int slot);

    /**
     * KVM_CREATE_VCPU.
     *
     * @throws KvmException EEXIST for an id that exists, EINVAL for one out of range
     */
    Vcpu createVcpu(int id);

    /** KVM_CREATE_IRQCHIP is the board's affair; a VM made here has no interrupt controller: use {@link Vcpu#interrupt}. */
    @Override
    void close();
}
