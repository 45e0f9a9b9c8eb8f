package org.backplane.vmx;

import org.backplane.kvm.spi.cpu.CpuBackend;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.Emulator;
import org.backplane.kvm.spi.cpu.HostMemory;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.SoftTlb;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.exit.ExitDispatcher;
import org.backplane.kvm.spi.exit.ExitReasons;
import org.backplane.kvm.spi.exit.VmExit;
import org.backplane.kvm.spi.mmu.GuestWalk;
import org.backplane.kvm.spi.mmu.Mmu;

/**
 * One virtual processor with VT-x: VM entry with its checks and event injection, the engine's run in VMX non-root operation, and VM
 * exits as the controls in the {@link Vmcs} order them.
 *
 * <p><b>Exits.</b> Every exit is counted by its reason. It is <em>fast</em> when the core's handler can serve it in place, called from within
 * the intercept with the guest's state complete; or <em>slow</em>: the record stays in {@code v.exit} and {@link #enter} returns
 * the reason. The slow way is taken when the handler answers EXIT, or an observer took the exit. The guest cannot tell them apart. Who
 * observes a reason is shown every exit of it, before it is handled.
 *
 * <p><b>CR2.</b> For a #PF exit the handler sets CR2 before it answers FAULT; a #PF that does not exit gets its CR2 from the paging
 * unit, as in the hardware.
 *
 * <p><b>Real mode in shadow mode.</b> Without unrestricted guest the hardware cannot enter with PE=0, nor in the moments after PE was set
 * while segments still hold what real mode left. The engine then runs on the shadow tables all the same (the MMU has them map gva = gpa); such
 * entries are told apart by the counter {@code realmode_entries}.
 *
 * <p><b>Threading.</b> The vCPU's thread; counters may be read by others, late.
 */
final class VmxVcpu implements Intercepts {
    private static final int GENERAL_PROTECTION = 13;

    /** Reasons whose instructions exit whatever the controls say (SDM 3C 25.1.2): CPUID INVD VMX-instructions INVEPT INVVPID XSETBV. */
    private static final long UNCONDITIONAL = 1L << ExitReasons.CPUID
            | 1L << ExitReasons.INVD
            | 1L << ExitReasons.VMCALL
            | 1L << ExitReasons.VMCLEAR
            | 1L << ExitReasons.VMLAUNCH
            | 1L << ExitReasons.VMPTRLD
            | 1L << ExitReasons.VMPTRST
            | 1L << ExitReasons.VMREAD
            | 1L << ExitReasons.VMRESUME
            | 1L << ExitReasons.VMWRITE
            | 1L << ExitReasons.VMXOFF
            | 1L << ExitReasons.VMXON
            | 1L << ExitReasons.INVEPT
            | 1L << ExitReasons.INVVPID
            | 1L << ExitReasons.XSETBV;

    /** Access types in the exit qualification of CR accesses (SDM 3C table 27-3). */
    private static final int Q_FROM_CR = 1 << 4, Q_CLTS = 2 << 4, Q_LMSW = 3 << 4;

    /** CR0 bits that a MOV which does not exit changes, if the host does not own them. */
    private static final long CR0_WRITABLE = CpuState.CR0_MP | CpuState.CR0_EM | CpuState.CR0_TS | CpuState.CR0_AM;

    final VcpuContext v;
    final Vmcs vmcs;
    private final CpuState s;
    private final ExitDispatcher exits;
    private final Emulator emulator;
    private final Mmu mmu;
    private final long[] counts = new long[ExitReasons.COUNT];
    private PagingUnit paging;
    private long entries, failedEntries, realModeEntries, injections;

    /** Reason of the exit that made an intercept answer EXIT, or {@link CpuBackend#NO_EXIT}. */
    private int leaveReason = CpuBackend.NO_EXIT;

    /** The exception that the engine is about to raise is injected, so that it does not exit again. */
    private boolean injected;

    VmxVcpu(VcpuContext v, Emulator emulator, Mmu mmu) {
        this.v = v;
        this.s = v.state;
        this.exits = v.exits;
        this.emulator = emulator;
        this.mmu = mmu;
        this.vmcs = new Vmcs(v);
    }

    /** Makes the VMCS and the paging unit for the way the MMU works now. */
    void mmuChanged() {
        boolean shadow = mmu.kind() == Mmu.Kind.SHADOW;
        vmcs.setUp(mmu.kind());
        paging = shadow ? new ShadowPaging(this) : new TwoDimensionalPaging(this);
    }

    // ---- VM entry ----

    /** {@link CpuBackend#enter}. */
    int enter(long budget, boolean exact) {
        VmExit e = v.exit;
        e.instructionError = 0;
        e.failedCheck = null;
        if (!vmcs.enter()) {
            failedEntries++;
            e.reason = ExitReasons.ENTRY_FAILURE;
            return e.reason;
        }
        if (!guestStateValid()) return e.reason;
        entries++;
        if (!vmcs.unrestrictedGuest() && EntryChecks.needsUnrestrictedGuest(s) != null) realModeEntries++;
        // In shadow mode the paging unit makes the #PF exits itself, so that the engine raises only those of the guest.
        v.exceptionBitmap = vmcs.ept() ? vmcs.exceptionBitmap : vmcs.exceptionBitmap & ~(1 << 14);
        s.vectoringInfo = 0;
        leaveReason = CpuBackend.NO_EXIT;
        if (s.injectInfo < 0 && !inject()) return leaveReason;
        return emulator.run(v, budget, exact) == Emulator.EXITED ? leaveReason : CpuBackend.NO_EXIT;
    }

    /** Checks the guest state; when it is invalid, exit 33 is recorded. */
    private boolean guestStateValid() {
        String broken = EntryChecks.broken(s, v.guestPdpte);
        if (broken == null) return true;
        failedEntries++;
        counts[ExitReasons.INVALID_GUEST_STATE]++;
        record(ExitReasons.INVALID_GUEST_STATE | ExitReasons.ENTRY_FAILURE, 0);
        v.exit.failedCheck = broken;
        leaveReason = v.exit.reason;
        return false;
    }

    /** Delivers the event of the VM-entry interruption information (SDM 3C 26.5). False if that met an exit. */
    private boolean inject() {
        int info = s.injectInfo;
        s.injectInfo = 0;
        s.activity = CpuState.ACTIVE;
        injections++;
        v.insnLength = 0;
        if (emulator.deliver(v, info, s.injectError, s.injectLength) != DONE) return false;
        s.blocking &= ~(CpuState.BLOCKING_STI | CpuState.BLOCKING_MOV_SS);
        if ((info & CpuState.INFO_TYPE) == CpuState.TYPE_NMI) s.blocking |= CpuState.BLOCKING_NMI;
        return true;
    }

    // ---- VM exits ----

    /** Fills the exit information; fields that the reason has beyond that are set by the caller afterwards. */
    void record(int reason, long qualification) {
        VmExit e = v.exit;
        e.reason = reason;
        e.qualification = qualification;
        e.insnLength = v.insnLength;
        e.interruptionInfo = 0;
        e.interruptionError = 0;
        e.gva = 0;
        e.gpa = 0;
        e.value = 0;
    }

    /** The exit just recorded leaves the guest. */
    int leave(int reason) {
        leaveReason = reason;
        return EXIT;
    }

    /** Shows the exit just recorded to those who observe it. False if one of them took it: leave. */
    private boolean passes(int reason) {
        return !exits.observed(reason) || exits.passes(v);
    }

    /** Counts the exit just recorded and has it handled, in place if that can be. */
    int dispatch(int reason) {
        counts[reason]++;
        if (!passes(reason)) return leave(reason);
        int answer = exits.handle(v);
        if (answer == EXIT) return leave(reason);
        if (answer == FAULT) injected = (v.exceptionBitmap >> v.faultVector & 1) != 0;
        return answer;
    }

    private int exit(int reason, long qualification) {
        record(reason, qualification);
        return dispatch(reason);
    }

    /** An exit whose handler may have changed what VM entry checks. */
    private int exitWithChecks(int reason, long qualification, long value) {
        record(reason, qualification);
        v.exit.value = value;
        int answer = dispatch(reason);
        return answer == EXIT || guestStateValid() ? answer : EXIT;
    }

    // ---- memory ----

    @Override
    public long translate(VcpuContext v, long gva, int access) {
        return paging.translate(gva, access);
    }

    @Override
    public int mmioRead(VcpuContext v, long gpa, int size) {
        int reason = vmcs.ept() ? ExitReasons.EPT_VIOLATION : ExitReasons.EXCEPTION_NMI;
        counts[reason]++;
        if (!exits.observed(reason)) {
            int answer = exits.mmioRead(v, gpa, size);
            if (answer == EXIT) paging.recordMmio(gpa, READ);
            return answer == EXIT ? leave(reason) : answer;
        }
        paging.recordMmio(gpa, READ);
        int answer = exits.passes(v) ? exits.mmioRead(v, gpa, size) : EXIT;
        return answer == EXIT ? leave(reason) : answer;
    }

    @Override
    public int mmioWrite(VcpuContext v, long gpa, int size, long value) {
        int reason = vmcs.ept() ? ExitReasons.EPT_VIOLATION : ExitReasons.EXCEPTION_NMI;
        counts[reason]++;
        if (!exits.observed(reason)) {
            int answer = exits.mmioWrite(v, gpa, size, value);
            if (answer == EXIT) paging.recordMmio(gpa, WRITE);
            return answer == EXIT ? leave(reason) : answer;
        }
        paging.recordMmio(gpa, WRITE);
        v.exit.value = value;
        int answer = exits.passes(v) ? exits.mmioWrite(v, gpa, size, value) : EXIT;
        return answer == EXIT ? leave(reason) : answer;
    }

    @Override
    public int invlpg(VcpuContext v, long gva) {
        if ((vmcs.primary & Controls.INVLPG_EXITING) != 0) {
            record(ExitReasons.INVLPG, gva);
            v.exit.gva = gva;
            return dispatch(ExitReasons.INVLPG);
        }
        paging.invalidate(gva);
        return DONE;
    }

    // ---- ports ----

    @Override
    public int portIn(VcpuContext v, int port, int size) {
        if ((vmcs.primary & Controls.UNCONDITIONAL_IO) == 0) return exits.portIn(v, port, size);
        counts[ExitReasons.IO]++;
        if (!exits.observed(ExitReasons.IO)) {
            int answer = exits.portIn(v, port, size);
            if (answer == EXIT) recordIo(port, size, 1 << 3);
            return answer == EXIT ? leave(ExitReasons.IO) : answer;
        }
        recordIo(port, size, 1 << 3);
        int answer = exits.passes(v) ? exits.portIn(v, port, size) : EXIT;
        return answer == EXIT ? leave(ExitReasons.IO) : answer;
    }

    @Override
    public int portOut(VcpuContext v, int port, int size, int value) {
        if ((vmcs.primary & Controls.UNCONDITIONAL_IO) == 0) return exits.portOut(v, port, size, value);
        counts[ExitReasons.IO]++;
        if (!exits.observed(ExitReasons.IO)) {
            int answer = exits.portOut(v, port, size, value);
            if (answer == EXIT) recordIo(port, size, 0);
            return answer == EXIT ? leave(ExitReasons.IO) : answer;
        }
        recordIo(port, size, 0);
        v.exit.value = value & 0xffffffffL;
        int answer = exits.passes(v) ? exits.portOut(v, port, size, value) : EXIT;
        return answer == EXIT ? leave(ExitReasons.IO) : answer;
    }

    /** Exit qualification of I/O instructions: SDM 3C table 27-5. */
    private void recordIo(int port, int size, int in) {
        int q = size - 1 | in | (port & 0xffff) << 16;
        if ((v.ioString & VcpuContext.STRING) != 0) q |= 1 << 4;
        if ((v.ioString & VcpuContext.REP) != 0) q |= 1 << 5;
        record(ExitReasons.IO, q & 0xffffffffL);
    }

    // ---- instructions ----

    @Override
    public int cpuid(VcpuContext v) {
        return exit(ExitReasons.CPUID, 0);
    }

    @Override
    public int rdtsc(VcpuContext v) {
        if ((vmcs.primary & Controls.RDTSC_EXITING) != 0) return exit(ExitReasons.RDTSC, 0);
        v.ioValue = exits.tsc(v) + ((vmcs.primary & Controls.TSC_OFFSETTING) != 0 ? vmcs.tscOffset : 0);
        return DONE;
    }

    @Override
    public int rdmsr(VcpuContext v, int index) {
        return exit(ExitReasons.RDMSR, 0);
    }

    @Override
    public int wrmsr(VcpuContext v, int index, long value) {
        return exitWithChecks(ExitReasons.WRMSR, 0, value);
    }

    @Override
    public int instruction(VcpuContext v, int reason) {
        boolean exits =
                switch (reason) {
                    case ExitReasons.HLT -> (vmcs.primary & Controls.HLT_EXITING) != 0;
                    case ExitReasons.RDPMC -> (vmcs.primary & Controls.RDPMC_EXITING) != 0;
                    case ExitReasons.MWAIT -> (vmcs.primary & Controls.MWAIT_EXITING) != 0;
                    case ExitReasons.MONITOR -> (vmcs.primary & Controls.MONITOR_EXITING) != 0;
                    case ExitReasons.PAUSE -> (vmcs.primary & Controls.PAUSE_EXITING) != 0;
                    case ExitReasons.GDTR_IDTR, ExitReasons.LDTR_TR -> secondary(Controls.DESCRIPTOR_TABLE);
                    case ExitReasons.WBINVD -> secondary(Controls.WBINVD_EXITING);
                    default -> (UNCONDITIONAL >>> reason & 1) != 0;
                };
        return exits ? exit(reason, 0) : DONE;
    }

    private boolean secondary(int control) {
        return vmcs.primary < 0 && (vmcs.secondary & control) != 0;
    }

    // ---- control and debug registers ----

    @Override
    public int readCr(VcpuContext v, int cr) {
        switch (cr) {
            case 0 -> v.ioValue = s.cr0;
            case 2 -> v.ioValue = s.cr2;
            case 3 -> {
                if ((vmcs.primary & Controls.CR3_STORE) != 0) {
                    return exit(ExitReasons.CR_ACCESS, 3 | Q_FROM_CR | operandRegister() << 8);
                }
                v.ioValue = s.cr3;
            }
            case 4 -> v.ioValue = s.cr4;
            default -> {
                if ((vmcs.primary & Controls.CR8_STORE) != 0) {
                    return exit(ExitReasons.CR_ACCESS, 8 | Q_FROM_CR | operandRegister() << 8);
                }
                v.ioValue = s.cr8;
            }
        }
        return DONE;
    }

    /** MOV to CR: an exit where the control or the guest/host mask says so (SDM 3C 25.1.3), else what the processor does. */
    @Override
    public int writeCr(VcpuContext v, int cr, long value) {
        boolean exits =
                switch (cr) {
                    case 0 -> ((value ^ s.cr0) & vmcs.cr0Mask) != 0;
                    case 3 -> (vmcs.primary & Controls.CR3_LOAD) != 0 && !cr3Target(value);
                    case 4 -> ((value ^ s.cr4) & vmcs.cr4Mask) != 0;
                    case 8 -> (vmcs.primary & Controls.CR8_LOAD) != 0;
                    default -> false;
                };
        if (exits) return exitWithChecks(ExitReasons.CR_ACCESS, cr | operandRegister() << 8, value);
        switch (cr) {
            case 0 -> {
                if (value >>> 32 != 0) return v.fault(GENERAL_PROTECTION, 0);
                s.cr0 = s.cr0 & ~CR0_WRITABLE | value & CR0_WRITABLE;
            }
            case 2 -> s.cr2 = value;
            case 3 -> {
                return loadCr3(value);
            }
            case 4 -> s.cr4 = value;
            default -> {
                if ((value & ~15L) != 0) return v.fault(GENERAL_PROTECTION, 0);
                s.cr8 = value;
            }
        }
        return DONE;
    }

    private boolean cr3Target(long value) {
        long count = VmcsField.CR3_TARGET_COUNT.get(vmcs);
        for (int i = 0; i < count; i++) {
            if (vmcs.stored[VmcsField.CR3_TARGET_VALUE0.ordinal() + i] == value) return true;
        }
        return false;
    }

    /** A load of CR3 that does not exit: the guest's own tables change under EPT. */
    private int loadCr3(long value) {
        boolean ia32e = s.longModeActive();
        if (value >>> (ia32e ? GuestWalk.PHYSICAL_BITS : 32) != 0) return v.fault(GENERAL_PROTECTION, 0);
        boolean pae = s.paging() && (s.cr4 & CpuState.CR4_PAE) != 0 && !ia32e;
        if (pae && !GuestWalk.loadPdptes(v.memory, value, v.guestPdpte)) return v.fault(GENERAL_PROTECTION, 0);
        s.cr3 = value;
        v.tlb.flush((s.cr4 & CpuState.CR4_PGE) != 0);
        return DONE;
    }

    @Override
    public int clts(VcpuContext v) {
        if ((vmcs.cr0Mask & CpuState.CR0_TS) != 0) {
            if ((s.cr0 & CpuState.CR0_TS) == 0) return DONE;
            return exitWithChecks(ExitReasons.CR_ACCESS, Q_CLTS, 0);
        }
        s.cr0 &= ~CpuState.CR0_TS;
        return DONE;
    }

    /** LMSW writes MP, EM and TS, and can set PE but not clear it. */
    @Override
    public int lmsw(VcpuContext v, int value) {
        long bits = value & 0xe | s.cr0 & CpuState.CR0_PE | value & CpuState.CR0_PE;
        long cr0 = s.cr0 & ~0xfL | bits;
        if (((cr0 ^ s.cr0) & vmcs.cr0Mask) != 0) {
            return exitWithChecks(ExitReasons.CR_ACCESS, Q_LMSW | (value & 0xffffL) << 16, value);
        }
        s.cr0 = cr0;
        return DONE;
    }

    @Override
    public int readDr(VcpuContext v, int dr) {
        if ((vmcs.primary & Controls.MOV_DR) != 0) return exit(ExitReasons.DR_ACCESS, dr | 1 << 4 | operandRegister() << 8);
        v.ioValue = s.dr[dr];
        return DONE;
    }

    @Override
    public int writeDr(VcpuContext v, int dr, long value) {
        if ((vmcs.primary & Controls.MOV_DR) != 0) {
            return exitWithChecks(ExitReasons.DR_ACCESS, dr | operandRegister() << 8, value);
        }
        if (dr >= 6 && value >>> 32 != 0) return v.fault(GENERAL_PROTECTION, 0);
        s.dr[dr] = switch (dr) {
            case 6 -> value & 0xe00f | 0xffff0ff0L;
            case 7 -> value & 0xffff2fffL | 0x400;
            default -> value;
        };
        return DONE;
    }

    /**
     * The general register of the MOV CR or MOV DR at RIP, 0 to 15: bits 2:0 of its last byte, with REX.B from the byte before the opcode
     * in 64-bit mode.
     */
    private long operandRegister() {
        long last = s.linearRip() + v.insnLength - 1;
        int register = codeByte(last) & 7;
        if (v.insnLength > 3 && s.codeBits() == 64) {
            int rex = codeByte(last - 3);
            if ((rex & 0xf1) == 0x41) register |= 8;
        }
        return register;
    }

    /** A byte of the instruction that is being executed: it was just fetched. 0 if it is not there any more. */
    private int codeByte(long gva) {
        long[] e = v.tlb.entries;
        int i = v.tlb.base + SoftTlb.slot(gva);
        if (e[i + SoftTlb.EXEC] == (gva & SoftTlb.PAGE)) return HostMemory.getByte(gva + e[i + SoftTlb.ADDEND]) & 0xff;
        long gpa = mmu.gvaToGpa(v, gva, FETCH | (s.cpl == 3 ? USER : 0) | Mmu.PROBE);
        long host = gpa < 0 ? 0 : v.memory.host(gpa);
        return host == 0 ? 0 : HostMemory.getByte(host) & 0xff;
    }

    // ---- events ----

    @Override
    public int exception(VcpuContext v, int vector, int errorCode, long address) {
        if (injected) {
            injected = false;
            return DONE;
        }
        boolean code = errorCode != -1 && vector >= 8;
        record(ExitReasons.EXCEPTION_NMI, vector == 14 ? address : 0);
        v.exit.gva = address;
        v.exit.interruptionInfo =
                CpuState.INFO_VALID | CpuState.TYPE_HARDWARE_EXCEPTION | (code ? CpuState.INFO_ERROR_CODE : 0) | vector;
        v.exit.interruptionError = code ? errorCode : 0;
        counts[ExitReasons.EXCEPTION_NMI]++;
        passes(ExitReasons.EXCEPTION_NMI);
        return leave(ExitReasons.EXCEPTION_NMI);
    }

    @Override
    public int interruptWindow(VcpuContext v) {
        return window(ExitReasons.INTERRUPT_WINDOW);
    }

    @Override
    public int nmiWindow(VcpuContext v) {
        return window(ExitReasons.NMI_WINDOW);
    }

    /** A window exit is always slow: the event is delivered by the next entry. */
    private int window(int reason) {
        counts[reason]++;
        record(reason, 0);
        v.exit.insnLength = 0;
        passes(reason);
        return leave(reason);
    }

    @Override
    public int taskSwitch(VcpuContext v, int selector, int source) {
        return exit(ExitReasons.TASK_SWITCH, selector & 0xffffL | (long) source << 30);
    }

    @Override
    public int tripleFault(VcpuContext v) {
        counts[ExitReasons.TRIPLE_FAULT]++;
        record(ExitReasons.TRIPLE_FAULT, 0);
        passes(ExitReasons.TRIPLE_FAULT);
        return leave(ExitReasons.TRIPLE_FAULT);
    }

    // ---- counters ----

    long exitCount(int reason) {
        return counts[reason];
    }

    void addCounters(java.util.Map<String, Long> c) {
        c.merge("entries", entries, Long::sum);
        c.merge("entries_failed", failedEntries, Long::sum);
        c.merge("realmode_entries", realModeEntries, Long::sum);
        c.merge("injections", injections, Long::sum);
    }
}
