package org.backplane.kvm.core.vm;

import static org.backplane.kvm.spi.cpu.Intercepts.DONE;
import static org.backplane.kvm.spi.cpu.Intercepts.EXIT;
import static org.backplane.kvm.spi.cpu.Intercepts.FAULT;
import static org.backplane.kvm.spi.cpu.Intercepts.RETRY;

import org.backplane.kvm.api.KvmRun.Exit;
import org.backplane.kvm.core.cpu.ControlRegisters;
import org.backplane.kvm.core.cpu.Msrs;
import org.backplane.kvm.core.exit.ExitObserver;
import org.backplane.kvm.core.exit.IoBus;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.Emulator;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.SoftTlb;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.exit.ExitDispatcher;
import org.backplane.kvm.spi.exit.ExitHandler;
import org.backplane.kvm.spi.exit.ExitReasons;
import org.backplane.kvm.spi.exit.VmExit;
import org.backplane.kvm.spi.mmu.Mmu;

/**
 * The exit-dispatch bus at one vCPU: ports and MMIO go to cards, everything else to the handlers of the core, by reason; a foreign
 * {@link ExitHandler} is asked first, in place.
 *
 * <p>The same handlers serve fast exits (called by the backend from inside the guest) and slow ones (called by the run loop after {@code
 * enter} returned); they answer in the terms of {@code Intercepts}. What a fast exit cannot do in place (emulate an
 * instruction, halt, leave) answers EXIT and is done by {@link #handleSlow}.
 */
final class VcpuExits implements ExitDispatcher {
    private static final int PAGE_FAULT_VECTOR = 14;
    private static final int DEBUG = 1;
    private static final int UNDEFINED_OPCODE = 6;
    private static final int STACK_FAULT = 12, GENERAL_PROTECTION = 13;
    private static final long DR6_BD = 1 << 13, DR7_GD = 1 << 13;

    private final KvmVcpu vcpu;
    private final KvmVm vm;
    private final IoBus bus;
    private VcpuContext v;
    private Msrs msrs;
    private ControlRegisters control;
    private UserExit user;
    private EmulationOps ops;

    /** The MMU's verdict on the fault of this exit, when the instruction could not be emulated in place. */
    private Mmu.Fault verdict;

    /** What an observer wants who took the exit that is being left with; PASS if none did. */
    private ExitHandler.Result taken = ExitHandler.Result.PASS;

    /** Who was shown the exit that is being handled and waits for its end, or null. */
    private ExitObserver watching;

    /** Instruction count and page at which a page table was last un-shadowed because its writer could not be emulated. */
    private long unshadowedAt = -1, unshadowedGfn;

    VcpuExits(KvmVcpu vcpu, KvmVm vm) {
        this.vcpu = vcpu;
        this.vm = vm;
        this.bus = vm.bus();
    }

    /** The parts of the vCPU that exist only after the context that this object is given to. */
    void connect(VcpuContext context, ControlRegisters control, Msrs msrs, UserExit user) {
        this.v = context;
        this.control = control;
        this.msrs = msrs;
        this.user = user;
        this.ops = new EmulationOps(this, vm, msrs);
    }

    @Override
    public boolean observed(int reason) {
        return vm.observed(reason);
    }

    @Override
    public boolean passes(VcpuContext v) {
        watching = vm.observer(v.exit.reason);
        if (watching != null) watching.came(v);
        taken = vm.askForeignHandlers(v);
        return taken == ExitHandler.Result.PASS;
    }

    /** A fast exit has been served: it is over for who was shown it. */
    private int done() {
        if (watching != null) {
            ExitObserver o = watching;
            watching = null;
            o.handled(v);
        }
        return DONE;
    }

    /** The caller of {@code Vcpu.run} gets the access, or has answered it. */
    private int byCaller(int answer) {
        return answer == EXIT ? EXIT : done();
    }

    /** The thread that handled an exit is lost, and the exit comes again. */
    void abandon() {
        ExitObserver o = watching;
        watching = null;
        taken = ExitHandler.Result.PASS;
        verdict = null;
        if (o != null) o.handled(v);
    }

    // ---- ports and MMIO ----

    @Override
    public int portIn(VcpuContext v, int port, int size) {
        if (!vm.host().servesExits() && !bus.claimsPort(port)) return byCaller(user.portIn(port, size));
        v.ioValue = bus.portRead(v.id, port, size);
        return done();
    }

    @Override
    public int portOut(VcpuContext v, int port, int size, int value) {
        if (!vm.host().servesExits() && !bus.claimsPort(port)) return byCaller(user.portOut(port, size, value));
        bus.portWrite(v.id, port, size, value);
        return done();
    }

    @Override
    public int mmioRead(VcpuContext v, long gpa, int size) {
        if (vm.memory().frame(gpa >>> 12) != 0) return memoryRead(gpa, size);
        if (!vm.host().servesExits() && !bus.claimsMmio(gpa)) return byCaller(user.mmioRead(gpa, size));
        v.ioValue = bus.mmioRead(v.id, gpa, size);
        return done();
    }

    @Override
    public int mmioWrite(VcpuContext v, long gpa, int size, long value) {
        if (vm.memory().frame(gpa >>> 12) != 0) {
            vm.memory().write(gpa, size, value);
            return done();
        }
        if (!vm.host().servesExits() && !bus.claimsMmio(gpa)) return byCaller(user.mmioWrite(gpa, size, value));
        bus.mmioWrite(v.id, gpa, size, value);
        return done();
    }

    /**
     * What is written to a ROM comes as if it were MMIO, and is dropped behind the one door; a read-modify-write instruction reads it first. What the delivery
     * of an event writes to a shadowed table comes so too.
     */
    private int memoryRead(long gpa, int size) {
        v.ioValue = vm.memory().read(gpa, size);
        return done();
    }

    @Override
    public int rdmsr(VcpuContext v, int index) {
        if (!msrs.read(index)) return v.fault(GENERAL_PROTECTION, 0);
        v.ioValue = msrs.value;
        return DONE;
    }

    @Override
    public int wrmsr(VcpuContext v, int index, long value) {
        return msrs.write(index, value) ? DONE : v.fault(GENERAL_PROTECTION, 0);
    }

    @Override
    public int emulate(VcpuContext v) {
        switch (vm.emulator().emulateOne(v, ops)) {
            case Emulator.CONTINUE:
                return DONE;
            case Emulator.RETRY:
                return user.pending() ? EXIT : DONE;
            case Emulator.PROPAGATE_FAULT:
                inject();
                return user.pending() ? EXIT : FAULT;
            default:
                notEmulated();
                return EXIT;
        }
    }

    @Override
    public long tsc(VcpuContext v) {
        return msrs.tsc();
    }

    // ---- everything else ----

    @Override
    public int handle(VcpuContext v) {
        return watching == null ? dispatch() : watched();
    }

    /** An exit that somebody watches. Accesses that emulation makes on the way are part of it and no exits of their own. */
    private int watched() {
        ExitObserver o = watching;
        watching = null;
        int answer = dispatch();
        if (answer == EXIT) watching = o;
        else o.handled(v);
        return answer;
    }

    private int dispatch() {
        verdict = null;
        return switch (v.exit.reason) {
            case ExitReasons.EXCEPTION_NMI, ExitReasons.EPT_VIOLATION -> memoryFault(v.exit);
            case ExitReasons.CPUID -> cpuid();
            case ExitReasons.CR_ACCESS -> controlRegister(v.exit);
            case ExitReasons.DR_ACCESS -> debugRegister(v.exit);
            case ExitReasons.RDMSR -> rdmsr(v, (int) v.state.gpr[CpuState.RCX]);
            case ExitReasons.WRMSR -> wrmsr(v, (int) v.state.gpr[CpuState.RCX], v.exit.value);
            case ExitReasons.RDTSC -> {
                v.ioValue = msrs.tsc();
                yield DONE;
            }
            case ExitReasons.INVLPG -> {
                vm.mmu().invlpg(v, v.exit.qualification);
                v.tlb.flush(SoftTlb.Flush.ADDRESS, v.state.pcid(), v.exit.qualification);
                yield DONE;
            }
            case ExitReasons.INVD, ExitReasons.WBINVD, ExitReasons.PAUSE, ExitReasons.TASK_SWITCH -> DONE;
            default -> unconditional(v.exit.reason);
        };
    }

    /**
     * Instructions that always exit and of which the guest's CPUID has none, neither VMX nor MONITOR nor XSAVE: #UD. Without a hypercall that anybody
     * knows VMCALL answers as KVM answers an unknown number. EXIT for every other reason.
     */
    int unconditional(int reason) {
        return switch (reason) {
            case ExitReasons.VMCALL -> vmcall();
            case ExitReasons.VMCLEAR, ExitReasons.VMLAUNCH, ExitReasons.VMPTRLD, ExitReasons.VMPTRST, ExitReasons.VMREAD, ExitReasons.VMRESUME,
                    ExitReasons.VMWRITE, ExitReasons.VMXOFF, ExitReasons.VMXON, ExitReasons.INVEPT, ExitReasons.INVVPID, ExitReasons.MONITOR,
                    ExitReasons.MWAIT, ExitReasons.XSETBV -> v.fault(UNDEFINED_OPCODE, -1);
            default -> EXIT;
        };
    }

    /** After {@code enter} returned: serves the exit and tells whoever was shown it. */
    void handleSlow() {
        ExitObserver o = watching;
        watching = null;
        serve();
        if (o != null) o.handled(v);
    }

    /** Handles, unless an observer did, and commits the instruction as the answer says. */
    private void serve() {
        VmExit e = v.exit;
        if ((e.reason & ExitReasons.ENTRY_FAILURE) != 0) {
            user.leave(Exit.FAIL_ENTRY, "VM entry failed: " + e.failedCheck);
            vcpu.kvmRun().hardwareExitReason = e.reason & 0xffffffffL;
            return;
        }
        if (taken != ExitHandler.Result.PASS) {
            if (taken == ExitHandler.Result.SKIP) skip();
            taken = ExitHandler.Result.PASS;
            return;
        }
        switch (e.reason) {
            case ExitReasons.INTERRUPT_WINDOW -> v.interruptWindow = false;
            case ExitReasons.NMI_WINDOW -> v.nmiWindow = false;
            case ExitReasons.HLT -> {
                skip();
                // A trap after HLT comes at once.
                if (v.state.pendingDebug == 0) v.state.activity = CpuState.HLT;
            }
            // The request that made the processor leave is looked at by the run loop.
            case ExitReasons.EXTERNAL_INTERRUPT -> {}
            // The processor carries it out when the instruction or event comes again: the backend does not exit twice for one.
            case ExitReasons.TASK_SWITCH -> {}
            case ExitReasons.TRIPLE_FAULT -> user.leave(Exit.SHUTDOWN, "triple fault");
            case ExitReasons.IO -> {
                if (emulate() == Emulator.UNHANDLEABLE) notEmulated();
            }
            default -> slow(e);
        }
    }

    private void slow(VmExit e) {
        int answer = verdict != null ? EXIT : handle(v);
        switch (answer) {
            case DONE -> {
                // The access of an event's delivery is made when the event comes again; its exit has no instruction.
                if (delivering()) return;
                storeResult(e);
                skip();
            }
            case FAULT -> inject();
            case RETRY -> {}
            default -> {
                if (verdict != null) {
                    verdict = null;
                    if (!unshadow(e.gva)) notEmulated();
                } else if (!user.pending()) {
                    user.leave(Exit.UNKNOWN, "VM exit " + e + " is handled by nobody");
                    vcpu.kvmRun().hardwareExitReason = e.reason;
                }
            }
        }
    }

    /** Emulates the instruction at RIP over the callbacks. */
    private int emulate() {
        int r = vm.emulator().emulateOne(v, ops);
        if (r == Emulator.PROPAGATE_FAULT) inject();
        return r;
    }

    /**
     * What writes a shadowed page table cannot be emulated: stop shadowing that page and try again, once.
     *
     * @return false if that was tried at this instruction and page before
     */
    private boolean unshadow(long gva) {
        long gpa = vm.mmu().gvaToGpa(v, gva, Mmu.PROBE);
        if (gpa < 0 || v.instructions == unshadowedAt && gpa >>> 12 == unshadowedGfn) return false;
        unshadowedAt = v.instructions;
        unshadowedGfn = gpa >>> 12;
        vm.mmu().guestPteWritten(gpa & ~4095L, 4096);
        return true;
    }

    private void notEmulated() {
        if (!user.pending()) user.leave(Exit.INTERNAL_ERROR, "the instruction cannot be emulated");
    }

    private void inject() {
        if (!EventInjection.exception(v.state, v.faultVector, v.faultError)) {
            user.leave(Exit.SHUTDOWN, "triple fault");
        }
    }

    private void skip() {
        CpuState s = v.state;
        long next = s.rip + v.exit.insnLength;
        s.rip = s.codeBits() == 64 ? next : next & 0xffffffffL;
        s.blocking &= ~(CpuState.BLOCKING_STI | CpuState.BLOCKING_MOV_SS);
        if ((s.rflagsOther & CpuState.TF) != 0) s.pendingDebug |= 1 << 14;
        v.instructions++;
        v.debug.completed();
    }

    /** What the engine does with an answer of a fast exit: the value of a read goes to its registers. */
    private void storeResult(VmExit e) {
        CpuState s = v.state;
        switch (e.reason) {
            case ExitReasons.CR_ACCESS -> {
                if ((e.qualification >> 4 & 3) == 1) s.gpr[(int) (e.qualification >> 8) & 15] = v.ioValue;
            }
            case ExitReasons.DR_ACCESS -> {
                if ((e.qualification >> 4 & 1) == 1) s.gpr[(int) (e.qualification >> 8) & 15] = v.ioValue;
            }
            case ExitReasons.RDMSR, ExitReasons.RDTSC -> {
                s.gpr[CpuState.RAX] = v.ioValue & 0xffffffffL;
                s.gpr[CpuState.RDX] = v.ioValue >>> 32;
            }
            default -> {}
        }
    }

    private int memoryFault(VmExit e) {
        boolean shadow = e.reason == ExitReasons.EXCEPTION_NMI;
        if (shadow && (e.interruptionInfo & 0xff) != PAGE_FAULT_VECTOR) return traps(e) ? emulateTrapped() : reflect(e);
        Mmu.Fault f = shadow
                ? vm.mmu().fault(v, e.gva, e.interruptionError)
                : vm.mmu().fault(v, e.gpa, (int) e.qualification);
        return switch (f) {
            case FIXED -> RETRY;
            case GUEST -> {
                v.state.cr2 = e.gva;
                yield v.fault(PAGE_FAULT_VECTOR, v.faultError);
            }
            case EMULATE, MMIO -> delivering() ? madeByDelivery(e, shadow) : emulateInPlace(f);
        };
    }

    /**
     * A write to a ROM or to a shadowed page table, or an access to a device, by the processor that delivers an event. The instruction at RIP is not its
     * cause and must not be emulated: the delivery itself makes the access, as one to a device.
     */
    private int madeByDelivery(VmExit e, boolean shadow) {
        v.gpa = shadow ? vm.mmu().gvaToGpa(v, e.gva, Mmu.PROBE | e.interruptionError & (Intercepts.WRITE | Intercepts.USER)) : e.gpa;
        return DONE;
    }

    /** An exception that nobody asked for goes back to the guest; of a debug exception DR6 is still to be written (SDM 3C 27.1). */
    private int reflect(VmExit e) {
        int vector = e.interruptionInfo & 0xff;
        if (vector == DEBUG) v.state.dr[6] = v.state.dr[6] & ~0xfL | e.qualification;
        return v.fault(vector, e.interruptionError);
    }

    /**
     * Real mode as virtual-8086 code traps where the two differ, with #GP or #SS and error code 0; and INT3, INTO and INT1 go through the IVT. Then the
     * instruction is emulated; anything else is the guest's own exception.
     */
    private boolean traps(VmExit e) {
        if (v.state.protectedMode()) return false;
        int vector = e.interruptionInfo & 0xff;
        boolean software = (e.interruptionInfo & CpuState.INFO_TYPE) > CpuState.TYPE_SOFTWARE_INTERRUPT;
        return software || (vector == GENERAL_PROTECTION || vector == STACK_FAULT) && e.interruptionError == 0;
    }

    private int emulateTrapped() {
        return switch (vm.emulator().emulateOne(v, ops)) {
            case Emulator.CONTINUE -> RETRY;
            case Emulator.RETRY -> user.pending() ? EXIT : RETRY;
            case Emulator.PROPAGATE_FAULT -> FAULT;
            default -> {
                notEmulated();
                yield EXIT;
            }
        };
    }

    /** The processor is in the middle of an event's delivery. */
    private boolean delivering() {
        return (v.state.vectoringInfo & CpuState.INFO_VALID) != 0;
    }

    /**
     * A write to a shadowed page table, or an access to a device that the processor could not see as one. The engine is in the middle of
     * {@code run}; {@code emulateOne} leaves it alone, and RETRY lets it go on behind the instruction.
     */
    private int emulateInPlace(Mmu.Fault f) {
        return switch (vm.emulator().emulateOne(v, ops)) {
            case Emulator.CONTINUE -> RETRY;
            case Emulator.RETRY -> user.pending() ? EXIT : RETRY;
            case Emulator.PROPAGATE_FAULT -> FAULT;
            default -> {
                verdict = f;
                yield EXIT;
            }
        };
    }

    int cpuid() {
        vcpu.cpuid().execute(v.state, vm.cpuFeatures());
        return DONE;
    }

    /** Exit qualification of CR accesses: SDM 3C table 27-3. */
    private int controlRegister(VmExit e) {
        int cr = (int) e.qualification & 15;
        return switch ((int) (e.qualification >> 4) & 3) {
            case 0 -> writeCr(cr, e.value);
            case 1 -> readCr(cr);
            case 2 -> writeCr(0, v.state.cr0 & ~CpuState.CR0_TS);
            default -> {
                // LMSW sets PE but cannot clear it.
                long msw = e.qualification >>> 16 & 15 | v.state.cr0 & CpuState.CR0_PE;
                yield writeCr(0, v.state.cr0 & ~15L | msw);
            }
        };
    }

    int readCr(int cr) {
        CpuState s = v.state;
        v.ioValue = switch (cr) {
            case 0 -> s.cr0;
            case 2 -> s.cr2;
            case 3 -> s.cr3;
            case 4 -> s.cr4;
            default -> s.cr8;
        };
        return DONE;
    }

    int writeCr(int cr, long value) {
        boolean done = switch (cr) {
            case 0 -> control.setCr0(value);
            case 2 -> {
                v.state.cr2 = value;
                yield true;
            }
            case 3 -> control.setCr3(value);
            case 4 -> control.setCr4(value);
            default -> control.setCr8(value);
        };
        return done ? DONE : v.fault(GENERAL_PROTECTION, 0);
    }

    /**
     * Exit qualification of DR accesses: bits 2:0 number, bit 4 direction (1 = from DR), bits 11:8 register. The exit comes before the faults of the
     * instruction (SDM 3C 25.1.3), so they are raised here.
     */
    private int debugRegister(VmExit e) {
        CpuState s = v.state;
        int dr = (int) e.qualification & 7;
        if (dr == 4 || dr == 5) {
            if ((s.cr4 & CpuState.CR4_DE) != 0) return v.fault(UNDEFINED_OPCODE, -1);
            dr += 2;
        }
        if (s.cpl != 0) return v.fault(GENERAL_PROTECTION, 0);
        if ((s.dr[7] & DR7_GD) != 0) {
            s.dr[7] &= ~DR7_GD;
            s.dr[6] |= DR6_BD;
            return v.fault(DEBUG, -1);
        }
        return (e.qualification >> 4 & 1) == 1 ? readDr(dr) : writeDr(dr, e.value);
    }

    int readDr(int dr) {
        v.ioValue = v.state.dr[dr];
        return DONE;
    }

    int writeDr(int dr, long value) {
        if (dr >= 6 && value >>> 32 != 0) return v.fault(GENERAL_PROTECTION, 0);
        v.state.dr[dr] = switch (dr) {
            case 6 -> value & 0xe00fL | 0xffff0ff0L;
            case 7 -> value & 0xffff2fffL | 0x400;
            default -> value;
        };
        return DONE;
    }

    /** No hypercall is known: KVM_ENOSYS, as KVM answers an unknown number. */
    private int vmcall() {
        v.state.gpr[CpuState.RAX] = -1000L & 0xffffffffL;
        return DONE;
    }
}
