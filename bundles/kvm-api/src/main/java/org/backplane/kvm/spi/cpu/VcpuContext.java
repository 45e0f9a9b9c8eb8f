package org.backplane.kvm.spi.cpu;

import org.backplane.kvm.spi.exit.ExitDispatcher;
import org.backplane.kvm.spi.exit.VmExit;
import org.backplane.kvm.spi.mmu.VmMemory;

/**
 * One vCPU as the cards of the CPU see it: its state, its TLB, and the few cells through which engine, backend, MMU and core
 * talk. Made and owned by the core; nothing here belongs to a card, so that any card can be swapped at a boundary.
 *
 * <p>All fields belong to the thread that runs the vCPU, except {@link #leave}, which anybody may set.
 */
public final class VcpuContext {
    /** Number of the vCPU, from 0. */
    public final int id;

    public final CpuState state = new CpuState();

    /** What a debugger outside of the guest wants; set by the core. */
    public final DebugControl debug = new DebugControl();

    public final SoftTlb tlb = new SoftTlb(debug);
    public final VmExit exit = new VmExit();

    /** The memory of the VM. */
    public final VmMemory memory;

    /** The core's exit dispatch, for backends. */
    public final ExitDispatcher exits;

    /** The active backend's intercepts; set by the backend when it takes the vCPU. */
    public Intercepts intercepts;

    /**
     * Asks the engine to return at the next instruction boundary with {@link Emulator#LEFT}. Set by any thread; cleared
     * only by the core. The engine tests it at least once a basic block and after every answer {@link Intercepts#DONE}.
     */
    public volatile boolean leave;

    /**
     * {@link #leave} was set by the handler of an exit served in place: the engine leaves because of that exit. Otherwise somebody outside asked,
     * which is an external interrupt. Set and cleared by the core.
     */
    public boolean leaveAfterExit;

    /** Bit n: vector n goes to {@link Intercepts#exception} before it is delivered. Set by the backend. */
    public int exceptionBitmap;

    /** The engine must call {@link Intercepts#interruptWindow} (or nmiWindow) at the first boundary where it is open. */
    public boolean interruptWindow, nmiWindow;

    /** The engine must call {@link Intercepts#monitorTrap} after each instruction or delivered event. Set by the backend. */
    public boolean monitorTrap;

    /**
     * MOV to or from a debug register exits: the engine asks {@link Intercepts} before it checks CPL, CR4.DE and DR7.GD, because such an exit comes
     * before these faults (SDM 3C 25.1.3); who handles the exit checks them. Set by the backend.
     */
    public boolean movDrExits;

    /** Guest instructions retired. Exact at a boundary and whenever the engine calls out. */
    public long instructions;

    /** Length in bytes of the instruction that called an intercept. */
    public int insnLength;

    /** For MOV to and from a control or debug register: number of the general register; set by the engine before the intercept. */
    public int operandGpr;

    /**
     * Form of a port access: {@link #STRING} for INS and OUTS, then also {@link #REP}, the segment in bits 10:8 and the address size (0, 1, 2 for
     * 16, 32, 64 bits) in bits 13:12; or {@link #IMMEDIATE} when the port is in the instruction; else 0.
     */
    public int ioString;

    public static final int STRING = 1, REP = 2, IMMEDIATE = 4;

    /** Linear address of the memory operand of INS, OUTS or LMSW; -1 for LMSW of a register. Set by the engine before the intercept. */
    public long operandGva;

    /**
     * For an intercept of VMX instructions and of accesses to descriptor tables: the operands in the format of the VMCS's instruction information
     * (SDM 3C tables 27-9 to 27-13), and the displacement of a memory operand, sign-extended. Set by the engine before the intercept.
     */
    public int instructionInformation;

    public long displacement;

    /** Answer of an intercept that reads. */
    public long ioValue;

    /** Guest physical address of a {@link Intercepts#T_MMIO} answer. */
    public long gpa;

    /** Set by {@link Intercepts#translate} for a write to a page that holds translated or decoded code. */
    public boolean codePage;

    /** Exception for an answer {@link Intercepts#FAULT}; an error code of -1 means that the vector has none. */
    public int faultVector, faultError;

    /** Told of every event that the engine delivers, software interrupts included; {@link EventTrace#NONE} unless somebody looks. */
    public EventTrace trace = EventTrace.NONE;

    // ---- the root of the tables that the processor walks; written by the MMU in setRoot ----

    /** Host frame number of the root table; for {@code SHADOW_PAE} see {@link #paeRoot}. */
    public long root;

    /** The four PAE directory pointers of a 3-level shadow: entries in SPTE format. */
    public final long[] paeRoot = new long[4];

    /** The guest's own PDPTEs, loaded with CR3 in PAE mode (SDM 3A 4.4.1). */
    public final long[] guestPdpte = new long[4];

    public VcpuContext(int id, VmMemory memory, ExitDispatcher exits) {
        this.id = id;
        this.memory = memory;
        this.exits = exits;
    }

    /** Records an exception and answers {@link Intercepts#FAULT}. */
    public int fault(int vector, int errorCode) {
        faultVector = vector;
        faultError = errorCode;
        return Intercepts.FAULT;
    }
}
