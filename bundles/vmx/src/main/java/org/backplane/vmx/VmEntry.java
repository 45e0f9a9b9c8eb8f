package org.backplane.vmx;

import java.util.Map;
import org.backplane.kvm.spi.cpu.CpuBackend;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.Emulator;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.exit.ExitReasons;
import org.backplane.kvm.spi.exit.VmExit;
import org.backplane.vmx.realmode.RealModeUnit;

/**
 * VM entry (SDM 3C chapter 26): the checks of controls, host and guest state, MSR loading, the injection of an event, the exits that may follow at
 * once, and the engine's run until an exit.
 *
 * <p><b>An exit handled in place</b> ends with the entry after it. Of that only the guest-state checks can matter, and only when the handler may have
 * changed what they look at ({@link #handleAndReenter}). A control that wants more done at every entry or exit keeps all exits out of place
 * ({@link Vmcs#exitsInPlace}).
 *
 * <p><b>Leaving because of a request</b> from outside is exit 1, as of the interrupt that would have brought the request to a processor.
 *
 * <p><b>Real mode.</b> Without unrestricted guest the processor cannot enter with PE=0, nor in the moments after PE was set while segments still hold what
 * real mode left, nor under EPT with PG=0. {@link RealModeUnit} finds another way; while that is virtual-8086 code, or an identity map, {@code
 * CpuState} holds the processor's view inside of {@link #enter} only, and every call out of the backend is made with the guest's.
 *
 * <p><b>Threading.</b> The vCPU's thread.
 */
final class VmEntry {
    private static final int PAGE_FAULT_BIT = 1 << 14;

    /** Type "other event" of the interruption information: a pending monitor trap (SDM 3C 26.5.2). */
    private static final int TYPE_OTHER = 7 << 8;

    private final VcpuContext v;
    private final CpuState s;
    private final Vmcs vmcs;
    private final VmExits exits;
    private final RealModeUnit realMode;
    private final Emulator emulator;
    private final MsrAreas msrs;
    private final PreemptionTimer timer;
    private long entries, failedEntries, injections;

    /** The guest lowered its virtual task priority below the threshold: exit 43 follows the instruction. */
    private boolean belowThreshold;

    VmEntry(VcpuContext v, Vmcs vmcs, VmExits exits, RealModeUnit realMode, Emulator emulator) {
        this.v = v;
        this.s = v.state;
        this.vmcs = vmcs;
        this.exits = exits;
        this.realMode = realMode;
        this.emulator = emulator;
        this.msrs = new MsrAreas(v, vmcs, exits.core);
        this.timer = new PreemptionTimer(v, vmcs, exits.core);
    }

    /** {@link CpuBackend#enter}. */
    int enter(long budget, boolean exact) {
        VmExit e = v.exit;
        e.instructionError = 0;
        e.failedCheck = null;
        exits.leaveReason = CpuBackend.NO_EXIT;
        try {
            int way = realMode.begin();
            if (s.injectInfo < 0 && realMode.injectsByHand()) {
                prepareEngine();
                int end = realMode.inject();
                if (end != RealModeUnit.DELIVERED) return byHand(end);
                way = realMode.choose();
            }
            if (way == RealModeUnit.EMULATED) return emulate(budget);
            realMode.enter();
            vmcs.hidePaging(realMode.hidesPaging());
            return enterGuest(budget, exact);
        } finally {
            realMode.toGuest();
        }
    }

    /** The guest is in a state that the processor does not take. */
    private int emulate(long budget) {
        prepareEngine();
        return byHand(realMode.emulate(budget));
    }

    /** The reason with which what {@link RealModeUnit} did itself leaves the guest; it may be no exit yet, one, or none. */
    private int byHand(int end) {
        return switch (end) {
            case RealModeUnit.TRIPLE_FAULT -> taken(ExitReasons.TRIPLE_FAULT);
            case RealModeUnit.LEFT -> exits.leaveReason;
            case CpuBackend.NO_EXIT -> end;
            default -> taken(end);
        };
    }

    private int enterGuest(long budget, boolean exact) {
        VmExit e = v.exit;
        if (!vmcs.enter()) {
            failedEntries++;
            e.reason = ExitReasons.ENTRY_FAILURE;
            return e.reason;
        }
        if (!guestStateValid() || !vmcs.exitsInPlace && !msrsLoaded()) return e.reason;
        vmcs.entered();
        entries++;
        prepareEngine();
        int reason = run(budget, exact);
        if (!vmcs.exitsInPlace && reason != CpuBackend.NO_EXIT) leave();
        return reason;
    }

    private void prepareEngine() {
        if (realMode.vm86()) {
            v.exceptionBitmap = vmcs.exceptionBitmap();
        } else {
            v.exceptionBitmap = raisedExceptions();
        }
        v.movDrExits = (vmcs.primary & Controls.MOV_DR) != 0;
        v.monitorTrap = (vmcs.primary & Controls.MONITOR_TRAP_FLAG) != 0;
        exits.inPlace = vmcs.exitsInPlace;
        belowThreshold = false;
        s.vectoringInfo = 0;
    }

    private int raisedExceptions() {
        // In shadow mode the paging unit makes the #PF exits itself, so that the engine raises only those of the guest.
        int bitmap = vmcs.exceptionBitmap & ~PAGE_FAULT_BIT;
        boolean asked = (vmcs.exceptionBitmap & PAGE_FAULT_BIT | vmcs.pageFaultMask | vmcs.pageFaultMatch) != 0;
        return vmcs.ept() && asked ? bitmap | PAGE_FAULT_BIT : bitmap;
    }

    /** What VM exit does beyond the record: SDM 3C 27.3.1 (PAT), 27.4 (MSR-store area), 25.5.1 (timer). */
    private void leave() {
        msrs.store();
        timer.save();
    }

    // ---- checks ----

    /** Handles the exit just recorded; its handler may have changed what VM entry checks. */
    int handleAndReenter(int reason) {
        EntryChecks.saveSingleStep(vmcs);
        int answer = exits.dispatch(reason);
        if (answer == Intercepts.EXIT || realMode.stranded()) return answer;
        realMode.look();
        if (realMode.stranded()) return exits.reenter(answer);
        return guestStateValid() ? answer : Intercepts.EXIT;
    }

    /** An exit with a value to be written, whose handler may have changed what VM entry checks. */
    int exitAndReenter(int reason, long qualification, long value) {
        exits.record(reason, qualification);
        v.exit.value = value;
        return handleAndReenter(reason);
    }

    /** Checks the guest state; when it is invalid, exit 33 is recorded. */
    private boolean guestStateValid() {
        EntryRule broken = vmcs.guestState();
        if (broken == null) return true;
        failed(ExitReasons.INVALID_GUEST_STATE, broken.qualification(), broken.toString());
        return false;
    }

    private boolean msrsLoaded() {
        int bad = msrs.load();
        if (bad == 0) return true;
        failed(ExitReasons.MSR_LOADING, bad, "SDM 26.4: entry " + bad + " of the MSR-load area cannot be loaded");
        return false;
    }

    /** VM entry fails after the checks of controls and host state: a VM exit with bit 31 (SDM 3C 26.8). */
    private void failed(int reason, int qualification, String rule) {
        failedEntries++;
        v.insnLength = 0;
        exits.count(reason);
        exits.record(reason | ExitReasons.ENTRY_FAILURE, qualification);
        v.exit.failedCheck = rule;
        exits.leave(v.exit.reason);
    }

    // ---- run ----

    private int run(long budget, boolean exact) {
        boolean trap = false;
        if (s.injectInfo < 0) {
            trap = v.monitorTrap || (s.injectInfo & CpuState.INFO_TYPE) == TYPE_OTHER;
            if (!inject()) return exits.leaveReason;
        }
        int reason = atEntry(trap);
        if (reason != CpuBackend.NO_EXIT) return reason;
        if ((vmcs.pin & Controls.PIN_PREEMPTION_TIMER) != 0) return runTimed(budget, exact);
        return ended(emulator.run(v, budget, exact));
    }

    /** Delivers the event of the VM-entry interruption information (SDM 3C 26.5). False if that met an exit. */
    private boolean inject() {
        int info = s.injectInfo;
        s.injectInfo = 0;
        if ((info & CpuState.INFO_TYPE) == TYPE_OTHER) return true;
        s.activity = CpuState.ACTIVE;
        injections++;
        v.insnLength = 0;
        if (emulator.deliver(v, info, s.injectError, s.injectLength) != Intercepts.DONE) return false;
        s.blocking &= ~(CpuState.BLOCKING_STI | CpuState.BLOCKING_MOV_SS);
        if ((info & CpuState.INFO_TYPE) == CpuState.TYPE_NMI) s.blocking |= CpuState.BLOCKING_NMI;
        return true;
    }

    /**
     * Exits before the first instruction, in the order of their priority: a monitor trap after an injected event (SDM 3C 26.6.8), the virtual task
     * priority (26.6.7), and windows, which end HLT (26.6.5, 26.6.6) where the engine would not run at all.
     */
    private int atEntry(boolean trap) {
        if (trap) return taken(ExitReasons.MONITOR_TRAP_FLAG);
        if ((vmcs.primary & Controls.TPR_SHADOW) != 0 && threshold() > vmcs.vtpr() >> 4) return taken(ExitReasons.TPR_BELOW_THRESHOLD);
        if (s.activity == CpuState.ACTIVE || s.pendingDebug != 0) return CpuBackend.NO_EXIT;
        boolean nmi = (s.blocking & (CpuState.BLOCKING_NMI | CpuState.BLOCKING_MOV_SS)) == 0 && s.activity != CpuState.WAIT_FOR_SIPI;
        if (v.nmiWindow && nmi) return taken(ExitReasons.NMI_WINDOW);
        if (v.interruptWindow && s.activity == CpuState.HLT && s.interruptible()) return taken(ExitReasons.INTERRUPT_WINDOW);
        return CpuBackend.NO_EXIT;
    }

    /** An exit that no instruction causes. */
    private int taken(int reason) {
        v.insnLength = 0;
        exits.record(reason, 0);
        exits.slow(reason);
        return reason;
    }

    /** The engine runs in slices, between which the timer is looked at. It expires at a boundary, after its time by less than a slice. */
    private int runTimed(long budget, boolean exact) {
        timer.start();
        long left = budget;
        while (!timer.expired()) {
            long before = v.instructions;
            int result = emulator.run(v, Math.min(left, PreemptionTimer.SLICE), exact);
            left -= v.instructions - before;
            if (result != Emulator.BUDGET || left <= 0 || belowThreshold) return ended(result);
        }
        return taken(ExitReasons.PREEMPTION_TIMER);
    }

    /** The reason of the exit that ended the engine's run. */
    private int ended(int result) {
        EntryChecks.saveSingleStep(vmcs);
        if (result == Emulator.EXITED) return exits.leaveReason;
        if (belowThreshold) return taken(ExitReasons.TPR_BELOW_THRESHOLD);
        boolean interrupt = result == Emulator.LEFT && !v.leaveAfterExit && (vmcs.pin & Controls.PIN_EXTERNAL_INTERRUPT) != 0;
        return interrupt ? taken(ExitReasons.EXTERNAL_INTERRUPT) : CpuBackend.NO_EXIT;
    }

    // ---- virtual task priority ----

    private long threshold() {
        return VmcsField.TPR_THRESHOLD.get(vmcs) & 15;
    }

    /** TPR virtualization after a write of VTPR (SDM 3C 29.1.2): below the threshold exit 43 comes after the instruction. */
    void setTpr(int value) {
        vmcs.setVtpr(value);
        if (value >> 4 >= threshold()) return;
        belowThreshold = true;
        v.leaveAfterExit = true;
        v.leave = true;
    }

    void addCounters(Map<String, Long> c) {
        c.merge("entries", entries, Long::sum);
        c.merge("entries_failed", failedEntries, Long::sum);
        c.merge("injections", injections, Long::sum);
    }
}
