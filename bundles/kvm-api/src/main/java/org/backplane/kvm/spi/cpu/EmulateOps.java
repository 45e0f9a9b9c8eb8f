package org.backplane.kvm.spi.cpu;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * What {@link Emulator#emulateOne} may do to the world: KVM's {@code x86_emulate_ops}. Given by the core (which goes through
 * {@code mmu.gvaToGpa}, the one door for writes and the exit bus) or by a test.
 *
 * <p>"std" is memory that an instruction touches implicitly: fetches, descriptor tables, the TSS; "emulated" is everything else, the stack
 * too, and may be a device or a shadowed page table. Every method answers {@link Emulator#CONTINUE}, {@link Emulator#UNHANDLEABLE}, {@link
 * Emulator#PROPAGATE_FAULT} (with {@code v.faultVector/faultError} and CR2 set) or {@link Emulator#RETRY}. Values are zero-extended, come in
 * {@link VcpuContext#ioValue}, and have 1, 2, 4 or 8 bytes; an access may cross a page, the implementation splits it.
 *
 * @see Intercepts for the access bits
 */
@ConsumerType
public interface EmulateOps {
    int readStd(VcpuContext v, long gva, int size, int access);

    int writeStd(VcpuContext v, long gva, int size, long value, int access);

    int readEmulated(VcpuContext v, long gva, int size, int access);

    int writeEmulated(VcpuContext v, long gva, int size, long value, int access);

    /** Compares and exchanges atomically; {@link Emulator#CMPXCHG_FAILED} leaves the value found in {@code ioValue}. */
    int cmpxchgEmulated(VcpuContext v, long gva, int size, long expected, long value, int access);

    int portIn(VcpuContext v, int port, int size);

    int portOut(VcpuContext v, int port, int size, int value);

    int readCr(VcpuContext v, int cr);

    int writeCr(VcpuContext v, int cr, long value);

    int readDr(VcpuContext v, int dr);

    int writeDr(VcpuContext v, int dr, long value);

    int rdmsr(VcpuContext v, int index);

    int wrmsr(VcpuContext v, int index, long value);

    int cpuid(VcpuContext v);

    int rdtsc(VcpuContext v);

    int invlpg(VcpuContext v, long gva);

    /** HLT and the others of {@link Intercepts#instruction}. CONTINUE: the instruction is done. */
    int instruction(VcpuContext v, int exitReason);
}
