package org.backplane.kvm.core.vm;

import static org.backplane.kvm.spi.cpu.CpuState.*;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.backplane.kvm.api.GuestDebug;
import org.backplane.kvm.api.KvmException;
import org.backplane.kvm.api.KvmException.Errno;
import org.backplane.kvm.api.KvmFpu;
import org.backplane.kvm.api.KvmRegs;
import org.backplane.kvm.api.KvmRun;
import org.backplane.kvm.api.KvmRun.Exit;
import org.backplane.kvm.api.KvmSregs;
import org.backplane.kvm.api.Vcpu;
import org.backplane.kvm.core.cpu.ControlRegisters;
import org.backplane.kvm.core.cpu.Cpuid;
import org.backplane.kvm.core.cpu.Msrs;
import org.backplane.kvm.core.cpu.RegisterFiles;
import org.backplane.kvm.spi.cpu.CpuBackend;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.mmu.Mmu;

/**
 * A vCPU and its run loop: inject what waits, enter the guest, dispatch the exit, until something must go to the caller.
 *
 * <p><b>Threading.</b> {@link #run} and everything it calls belong to one thread at a time, the owner; register calls from another thread
 * while the vCPU runs are refused with EBUSY. Of a VM's vCPUs one at a time is inside its {@link GuestGate}; the others wait for their turn, which comes
 * behind one {@code enter} of the backend. Calls that touch what vCPUs share (the MMU, a TLB that others flush) go through the gate, too. {@link #kick}, {@link
 * #interrupt}, {@link #leaveGuest} and {@link #requestTlbFlush} come from anywhere.
 */
public final class KvmVcpu implements Vcpu {
    private static final int NMI_VECTOR = 2;

    private final KvmVm vm;
    private final VcpuContext v;
    private final KvmRun run = new KvmRun();
    private final VcpuExits exits;
    private final ControlRegisters control;
    private final Msrs msrs;
    private final Cpuid cpuid = new Cpuid();
    private final UserExit user;
    private final GuestDebugging debugging;
    private final AtomicReference<Thread> owner = new AtomicReference<>();
    private final GuestGate gate;
    private final long[] queuedInterrupts = new long[4];
    private volatile boolean kicked;
    private volatile boolean flushRequested;
    private volatile boolean nmiRequested;

    KvmVcpu(int id, KvmVm vm) {
        this.vm = vm;
        gate = vm.gate();
        exits = new VcpuExits(this, vm);
        v = new VcpuContext(id, vm.memory(), vm.auditor().active() ? new AuditedExits(exits, vm.auditor()) : exits);
        control = new ControlRegisters(v);
        msrs = new Msrs(v.state, control, cpuid, () -> vm.host().tscNanos());
        user = new UserExit(v, run);
        debugging = new GuestDebugging(v, run);
        exits.connect(v, control, msrs, user);
        v.state.reset();
    }

    /** The vCPU as the cards see it. */
    public VcpuContext context() {
        return v;
    }

    ControlRegisters control() {
        return control;
    }

    Cpuid cpuid() {
        return cpuid;
    }

    /** RESET: architectural state, MSRs, queued events; then the MMU starts anew. */
    public void reset() {
        v.state.reset();
        msrs.reset();
        synchronized (queuedInterrupts) {
            java.util.Arrays.fill(queuedInterrupts, 0);
        }
        nmiRequested = false;
        v.interruptWindow = v.nmiWindow = false;
        if (vm.cards().present()) control.newContext();
    }

    /** {@link #context}'s state was changed from outside: what depends on it is looked up again. */
    public void stateChanged() {
        control.reloadPdptes();
        if (vm.cards().present()) control.newContext();
    }

    /** No access is half done, so that the state is all there is: a card may be swapped or the vCPU saved. */
    public boolean atBoundary() {
        return user.idle();
    }

    // ---- run ----

    @Override
    public int id() {
        return v.id;
    }

    @Override
    public KvmRun kvmRun() {
        return run;
    }

    @Override
    public KvmRun run() {
        if (gate.holds()) throw new KvmException(Errno.EBUSY, "the call comes from inside KVM_RUN of a vCPU of this VM");
        if (!owner.compareAndSet(null, Thread.currentThread())) {
            throw new KvmException(Errno.EBUSY, "vCPU " + v.id + " is running");
        }
        gate.enter();
        try {
            user.complete();
            if (!user.pending()) loop();
            v.leave = false;
            run.ifFlag = v.state.interruptsEnabled();
            run.readyForInterruptInjection = canInterrupt() && !anyQueued() && user.idle();
            run.cr8 = v.state.cr8;
            run.apicBase = msrs.apicBase();
            return run;
        } finally {
            // A thread from which the vCPU was taken has nothing to give back.
            if (owner.get() == Thread.currentThread()) leave();
        }
    }

    private void leave() {
        gate.exit();
        owner.set(null);
    }

    /**
     * Takes the vCPU from a thread that is inside a device's code and does not come back ({@link Tenure}). The state is that of before the instruction or
     * event in which it called, as the engine shows it there; {@link #run} executes it again.
     *
     * <p>What the instruction has done already it does twice then: the parts of a split access that were made, and the carry flag that ADC and SBB on device
     * memory have set. INS, OUTS and string moves go on with the element that was not done.
     */
    public void takeOver() {
        exits.abandon();
        if (owner.get() != null) leave();
    }

    private void loop() {
        VmHost host = vm.host();
        while (true) {
            // Clear first, test afterwards: a request that comes in between sets it again.
            v.leave = false;
            v.leaveAfterExit = false;
            if (gate.wanted()) gate.giveWay();
            if (!vm.cpuPresent()) throw new KvmException(Errno.ENODEV, "the VM has no CPU cards, or is closed");
            if (debugging.report()) return;
            if (kicked) {
                kicked = false;
                run.exitReason = Exit.INTR;
                return;
            }
            if (flushRequested) {
                flushRequested = false;
                v.tlb.flush(false);
            }
            host.boundary();
            EventInjection.requeue(v.state);
            if (user.replying() || debugging.holdsInterrupts()) v.interruptWindow = v.nmiWindow = false;
            else injectInterrupts(host);
            if (v.state.activity == HLT && wakes(v.state)) v.state.activity = ACTIVE;
            if (v.state.activity == HLT) {
                if (!host.servesExits()) {
                    v.state.activity = ACTIVE;
                    run.exitReason = Exit.HLT;
                    return;
                }
                if (!kicked) host.idle();
                continue;
            }
            if (run.requestInterruptWindow && canInterrupt() && !anyQueued() && !user.replying()) {
                run.exitReason = Exit.IRQ_WINDOW_OPEN;
                return;
            }
            long budget = host.instructionBudget();
            int reason = vm.backend().enter(v, budget, host.exactBudget());
            if (reason != CpuBackend.NO_EXIT) {
                exits.handleSlow();
                vm.auditor().exit();
            }
            if (user.pending()) return;
        }
    }

    /** An event that HLT does not wait for is there: one to inject, or a debug trap of the HLT itself. */
    private static boolean wakes(CpuState s) {
        return (s.injectInfo & INFO_VALID) != 0 || debugTrapDue(s);
    }

    /** A debug trap that comes before any interrupt (SDM 3A table 6-2). */
    private static boolean debugTrapDue(CpuState s) {
        return s.pendingDebug != 0 && (s.blocking & BLOCKING_MOV_SS) == 0;
    }

    /** Injects the NMI or interrupt whose turn it is; whatever has to wait asks for a window. */
    private void injectInterrupts(VmHost host) {
        CpuState s = v.state;
        if (nmiRequested) {
            nmiRequested = false;
            s.nmiPending = true;
        }
        boolean taken = (s.injectInfo & INFO_VALID) != 0 || debugTrapDue(s);
        if (s.nmiPending && !taken && (s.blocking & (BLOCKING_NMI | BLOCKING_MOV_SS)) == 0) {
            s.nmiPending = false;
            EventInjection.interrupt(s, TYPE_NMI, NMI_VECTOR);
            taken = true;
        }
        v.nmiWindow = s.nmiPending;
        if (!host.interruptPending(v.id) && !anyQueued()) {
            v.interruptWindow = run.requestInterruptWindow;
            return;
        }
        if (taken || !s.interruptible()) {
            v.interruptWindow = true;
            return;
        }
        int vector = host.interruptPending(v.id) ? host.acknowledgeInterrupt(v.id) : takeQueued();
        if (vector >= 0) EventInjection.interrupt(s, TYPE_EXTERNAL, vector);
        v.interruptWindow = run.requestInterruptWindow || anyQueued() || host.interruptPending(v.id);
    }

    private boolean canInterrupt() {
        return v.state.interruptible() && (v.state.injectInfo & INFO_VALID) == 0;
    }

    private boolean anyQueued() {
        synchronized (queuedInterrupts) {
            return (queuedInterrupts[0] | queuedInterrupts[1] | queuedInterrupts[2] | queuedInterrupts[3]) != 0;
        }
    }

    /** The highest vector first, as KVM of 2007 takes them. */
    private int takeQueued() {
        synchronized (queuedInterrupts) {
            for (int w = 3; w >= 0; w--) {
                if (queuedInterrupts[w] == 0) continue;
                int bit = 63 - Long.numberOfLeadingZeros(queuedInterrupts[w]);
                queuedInterrupts[w] &= ~(1L << bit);
                return w * 64 + bit;
            }
        }
        throw new IllegalStateException("no interrupt is queued");
    }

    // ---- requests from anywhere ----

    @Override
    public void kick() {
        kicked = true;
        v.leave = true;
        vm.host().wake();
    }

    @Override
    public void interrupt(int irq) {
        if (irq < 0 || irq > 255) throw new KvmException(Errno.EINVAL, "interrupt vector " + irq);
        synchronized (queuedInterrupts) {
            queuedInterrupts[irq >> 6] |= 1L << (irq & 63);
        }
        v.leave = true;
        vm.host().wake();
    }

    @Override
    public void nmi() {
        nmiRequested = true;
        v.leave = true;
        vm.host().wake();
    }

    /** Has the vCPU come out of the guest as far as the gate; it goes on by itself, without a return from {@link #run}. */
    void leaveGuest() {
        v.leave = true;
        vm.host().wake();
    }

    /** The TLB must be empty before the guest runs on. */
    void requestTlbFlush() {
        if (owner.get() == Thread.currentThread() || owner.get() == null) {
            v.tlb.flush(false);
        } else {
            flushRequested = true;
            v.leave = true;
        }
    }

    // ---- registers ----

    @Override
    public KvmRegs getRegs() {
        checkIdle();
        return RegisterFiles.regs(v.state);
    }

    @Override
    public void setRegs(KvmRegs regs) {
        checkIdle();
        RegisterFiles.setRegs(v.state, regs);
    }

    @Override
    public KvmSregs getSregs() {
        checkIdle();
        KvmSregs r = RegisterFiles.sregs(v.state, msrs.apicBase());
        synchronized (queuedInterrupts) {
            System.arraycopy(queuedInterrupts, 0, r.interruptBitmap, 0, 4);
        }
        return r;
    }

    @Override
    public void setSregs(KvmSregs r) {
        checkIdle();
        vm.exclusively(() -> {
            takeSregs(r);
            return null;
        });
    }

    private void takeSregs(KvmSregs r) {
        CpuState s = v.state;
        boolean reset = s.cr0 != r.cr0 || s.cr3 != r.cr3 || s.cr4 != r.cr4 || s.efer != r.efer;
        RegisterFiles.setSregs(s, r);
        msrs.setApicBase(r.apicBase);
        synchronized (queuedInterrupts) {
            System.arraycopy(r.interruptBitmap, 0, queuedInterrupts, 0, 4);
        }
        control.reloadPdptes();
        if (reset) control.newContext();
    }

    @Override
    public List<Long> getMsrs(List<Integer> indices) {
        checkIdle();
        checkCount(indices.size());
        List<Long> values = new ArrayList<>();
        for (int i : indices) {
            if (!msrs.read(i)) break;
            values.add(msrs.value);
        }
        return values;
    }

    @Override
    public int setMsrs(List<MsrEntry> entries) {
        checkIdle();
        checkCount(entries.size());
        int done = 0;
        for (MsrEntry e : entries) {
            if (!msrs.write(e.index(), e.data())) break;
            done++;
        }
        return done;
    }

    private static void checkCount(int n) {
        if (n >= 256) throw new KvmException(Errno.E2BIG, n + " MSRs in one call");
    }

    @Override
    public KvmFpu getFpu() {
        checkIdle();
        return RegisterFiles.fpu(v.state);
    }

    @Override
    public void setFpu(KvmFpu fpu) {
        checkIdle();
        RegisterFiles.setFpu(v.state, fpu);
    }

    @Override
    public void setCpuid(List<CpuidEntry> entries) {
        checkIdle();
        cpuid.set(entries);
    }

    @Override
    public void debugGuest(GuestDebug debug) {
        checkIdle();
        vm.exclusively(() -> {
            debugging.set(debug);
            return null;
        });
    }

    @Override
    public Translation translate(long linearAddress) {
        checkIdle();
        return vm.exclusively(() -> lookUp(linearAddress));
    }

    private Translation lookUp(long linearAddress) {
        Mmu mmu = vm.mmu();
        long gpa = mmu.gvaToGpa(v, linearAddress, Mmu.PROBE);
        if (gpa < 0) return new Translation(linearAddress, 0, false, false, false);
        boolean write = mmu.gvaToGpa(v, linearAddress, Mmu.PROBE | Intercepts.WRITE) >= 0;
        boolean userMode = mmu.gvaToGpa(v, linearAddress, Mmu.PROBE | Intercepts.USER) >= 0;
        return new Translation(linearAddress, gpa, true, write, userMode);
    }

    private void checkIdle() {
        Thread t = owner.get();
        if (t != null && t != Thread.currentThread()) {
            throw new KvmException(Errno.EBUSY, "vCPU " + v.id + " is running");
        }
    }
}
