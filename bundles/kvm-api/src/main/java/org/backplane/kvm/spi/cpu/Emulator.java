package org.backplane.kvm.spi.cpu;

import java.util.Map;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * An instruction emulator: executes guest instructions in bulk as the engine of a software CPU backend, and single ones over
 * {@link EmulateOps} for VM exits. One instance serves all vCPUs of a VM and owns its decoded or translated code.
 *
 * <p><b>Threading.</b> {@link #run}, {@link #emulateOne} and {@link #deliver} are called on the vCPU's thread, by the CPU
 * backend or the core; with several vCPUs concurrently, each with its own context. {@link #codeWritten} comes from the thread that
 * writes, {@link #close} when no vCPU is inside.
 *
 * <p><b>Errors.</b> What a callback throws passes through: a thread that has lost its vCPU (to a device that did not come back) is unwound by an Error, and
 * must not execute another instruction.
 */
@ConsumerType
public interface Emulator extends AutoCloseable {
    /** Why {@link #run} returned. */
    int BUDGET = 0, LEFT = 1, EXITED = 2, HALTED = 3, DEBUG_STOP = 4;

    /** What {@link #emulateOne} answers (the names are those of x86_emulate of 2007). */
    int CONTINUE = 0, UNHANDLEABLE = 1, PROPAGATE_FAULT = 2, RETRY = 3, CMPXCHG_FAILED = 4;

    /**
     * Runs the guest from {@code v.state} through {@code v.tlb} and {@code v.intercepts}.
     *
     * @param budget the most instructions to run; a few more (one basic block) may be run unless {@code exact}
     * @param exact never exceed the budget (instruction-count clock, single step)
     * @return {@link #BUDGET} used up; {@link #LEFT} because {@link VcpuContext#leave} was set; {@link #EXITED} because
     *     an intercept answered EXIT; {@link #HALTED} after a HLT that did not exit (activity is HLT); {@link #DEBUG_STOP}
     *     because {@link VcpuContext#debug} has something to report
     */
    int run(VcpuContext v, long budget, boolean exact);

    /**
     * Delivers an event through the guest's IDT (or IVT), as hardware does at VM entry.
     *
     * @param info interruption information: vector, type, error-code bit, valid bit ({@code CpuState.INFO_*})
     * @param errorCode the error code when the info says there is one
     * @param insnLength instruction length for software events: the return RIP is RIP plus this
     * @return {@link Intercepts#DONE}; or {@link Intercepts#EXIT} when delivery met a VM exit, or {@link VcpuContext#leave} while it is to be tried again; then
     *     {@code state.vectoringInfo} names the event that was being delivered. A fault met in delivery is delivered
     *     in its stead (or as #DF) by the same call.
     */
    int deliver(VcpuContext v, int info, int errorCode, int insnLength);

    /**
     * Emulates the instruction at RIP over the callbacks only: neither TLB nor {@code v.intercepts} is used.
     *
     * @return {@link #CONTINUE}: completed, RIP stepped (a REP instruction: at least one element done);
     *     {@link #PROPAGATE_FAULT}: nothing committed, the fault is in {@code v.faultVector/faultError};
     *     {@link #RETRY}: a callback asked for it, run it again; {@link #UNHANDLEABLE}: a callback or the decoder refused, or the instruction is a hardware task
     *     switch. A single operand is written whole or not at all; an instruction of several (PUSHA, FSAVE) may have written those before
     *     the one that faulted, as the processor may.
     */
    int emulateOne(VcpuContext v, EmulateOps ops);

    /**
     * Memory that was marked as code by this emulator ({@code FrameTable.setCodeMask}) is about to be written through the one door or by
     * another vCPU: drop what was made of it.
     *
     * @param frame host frame number
     * @param offset of the first byte in the page, and {@code length} in bytes
     */
    void codeWritten(long frame, int offset, int length);

    /** Drops everything decoded or translated. */
    void flushCode();

    /** Counters by name for {@code -stats} (blocks decoded, code writes, …), in a stable order. */
    Map<String, Long> counters();

    /** No checked exception. */
    @Override
    void close();
}
