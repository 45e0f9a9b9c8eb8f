package org.backplane.kvm.spi.cpu;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * What the engine asks of the rest of the processor: the paging unit, and every instruction or event that a CPU backend
 * may turn into a VM exit. Implemented by the CPU backend, called by the emulator on the vCPU's thread.
 *
 * <p><b>State at a call.</b> {@link VcpuContext#state} is complete as of the start of the current instruction (RIP points
 * at it, nothing of it is committed, except elements of a REP string instruction that are already done and committed),
 * {@link VcpuContext#insnLength} is its length and {@link VcpuContext#instructions} counts what retired before it.
 *
 * <p><b>Answers.</b>
 * <ul>
 * <li>{@link #DONE}: go on; a value that was asked for is in {@link VcpuContext#ioValue}. For an instruction the
 *     engine now completes it and steps RIP. It tests {@link VcpuContext#leave} before the next instruction.
 * <li>{@link #RETRY}: start the same instruction again; state may have changed (a page was mapped, a register set).
 * <li>{@link #FAULT}: raise {@link VcpuContext#faultVector} with {@link VcpuContext#faultError} in the guest.
 * <li>{@link #EXIT}: leave {@link Emulator#run} now with {@link Emulator#EXITED}; the instruction is not completed.
 * </ul>
 * An instruction that a call answered with EXIT or RETRY must be restartable. RETRY goes on at {@code state.rip}, which
 * may have moved: an intercept may have emulated the instruction meanwhile, with {@link Emulator#emulateOne} called from
 * within {@link Emulator#run} of the same vCPU, so the engine keeps nothing of the instruction over a call that answers RETRY.
 */
@ConsumerType
public interface Intercepts {
    int DONE = 0, RETRY = 1, FAULT = 2, EXIT = 3;

    /** Negative answers of {@link #translate}. */
    long T_RETRY = -1, T_FAULT = -2, T_EXIT = -3, T_MMIO = -4;

    /** Kinds of access, a bit set like a page-fault error code: bit 1 write, bit 2 user, bit 4 fetch (SDM 3A 4.7). */
    int READ = 0, WRITE = 2, USER = 4, FETCH = 16;

    /**
     * Translates after a TLB miss, and fills the TLB where the page may be cached.
     *
     * @param gva linear address of one byte; an access that crosses a page is asked for page by page
     * @param access {@link #READ}, {@link #WRITE} or {@link #FETCH}, with {@link #USER} for an access with user rights
     *     (CPL 3 and not an implicit supervisor access)
     * @return the host address of the byte; or {@link #T_MMIO} with {@link VcpuContext#gpa} set; or {@link #T_FAULT},
     *     with CR2 already set; or {@link #T_EXIT}; or {@link #T_RETRY}
     */
    long translate(VcpuContext v, long gva, int access);

    /** Reads a device at {@code gpa}; the value, zero-extended, comes in {@link VcpuContext#ioValue}. Size 1, 2, 4 or 8. */
    int mmioRead(VcpuContext v, long gpa, int size);

    /** Writes a device. With DONE the write has happened. */
    int mmioWrite(VcpuContext v, long gpa, int size, long value);

    /** IN and INS; privilege was checked. For INS/OUTS {@link VcpuContext#ioString} tells the form. Size 1, 2 or 4. */
    int portIn(VcpuContext v, int port, int size);

    /** OUT and OUTS. */
    int portOut(VcpuContext v, int port, int size, int value);

    /** CPUID: with DONE the four registers are set. */
    int cpuid(VcpuContext v);

    /** RDTSC; the value comes in {@link VcpuContext#ioValue}. */
    int rdtsc(VcpuContext v);

    /** RDMSR; the value comes in {@link VcpuContext#ioValue}. */
    int rdmsr(VcpuContext v, int index);

    int wrmsr(VcpuContext v, int index, long value);

    /** MOV from CR0, 2, 3, 4, 8 and SMSW; the value comes in {@link VcpuContext#ioValue}. */
    int readCr(VcpuContext v, int cr);

    /** MOV to CR. With DONE the register and all that depends on it is set. */
    int writeCr(VcpuContext v, int cr, long value);

    /** CLTS. */
    int clts(VcpuContext v);

    /** LMSW: the low four bits of {@code value}. */
    int lmsw(VcpuContext v, int value);

    /**
     * MOV from a debug register; the value comes in {@link VcpuContext#ioValue}. DR4 and DR5 are already resolved, unless {@link
     * VcpuContext#movDrExits} is set.
     */
    int readDr(VcpuContext v, int dr);

    int writeDr(VcpuContext v, int dr, long value);

    int invlpg(VcpuContext v, long gva);

    /**
     * An instruction that has no operands to hand over and may exit: the basic exit reason names it (12 HLT, 13 INVD,
     * 15 RDPMC, 18 VMCALL to 27 VMXON, 36 MWAIT, 39 MONITOR, 40 PAUSE, 46/47 descriptor tables, 54 WBINVD …). DONE means that it does
     * not exit: the engine does what the instruction does; after HLT {@code activity} is HLT and run returns.
     */
    int instruction(VcpuContext v, int exitReason);

    /**
     * An exception is about to be delivered and its bit in {@link VcpuContext#exceptionBitmap} is set. DONE: deliver it.
     * For #PF (vector 14) {@code address} is the linear address; CR2 holds it already where the paging unit decided on the fault, and only then. For #DB
     * (vector 1) it is the causes in the format of DR6, which are not yet in DR6.
     */
    int exception(VcpuContext v, int vector, int errorCode, long address);

    /**
     * INT3, INTO (vectors 3 and 4) or INT1 (vector 1) is about to raise its exception, and the bit of that in {@link VcpuContext#exceptionBitmap} is
     * set. DONE: deliver it.
     */
    int softwareException(VcpuContext v, int vector);

    /** An instruction was executed or an event delivered and {@link VcpuContext#monitorTrap} is set; the guest is at a boundary. Always EXIT. */
    int monitorTrap(VcpuContext v);

    /** The guest is at a boundary where an interrupt can be taken and {@link VcpuContext#interruptWindow} is set. */
    int interruptWindow(VcpuContext v);

    /** The same for {@link VcpuContext#nmiWindow}. */
    int nmiWindow(VcpuContext v);

    /**
     * A hardware task switch begins. DONE: the engine carries it out.
     *
     * @param source 0 CALL, 1 IRET, 2 JMP, 3 task gate in the IDT (SDM 3C 27.2.1)
     */
    int taskSwitch(VcpuContext v, int selector, int source);

    /** Delivery of #DF failed. Always EXIT. */
    int tripleFault(VcpuContext v);
}
