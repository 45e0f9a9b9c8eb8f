package org.backplane.vmx;

import java.util.Map;
import org.backplane.kvm.spi.cpu.CpuBackend;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.Emulator;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.exit.ExitReasons;
import org.backplane.kvm.spi.exit.VmExit;

/**
 * VM entry (SDM 3C chapter 26): the checks of controls, host and guest state, the injection of an event, and the engine's run until an exit.
 *
 * <p><b>Real mode in shadow mode.</b> Without unrestricted guest the hardware cannot enter with PE=0, nor in the moments after PE was set
 * while segments still hold what real mode left. The engine then runs on the shadow tables all the same (the MMU has them map gva = gpa); such
 * entries are told apart by the counter {@code realmode_entries}.
 */
final class VmEntry {
    private final VcpuContext v;
    private final CpuState s;
    private final Vmcs vmcs;
    private final VmExits exits;
    private final Emulator emulator;
    private long entries, failedEntries, realModeEntries, injections;

    VmEntry(VcpuContext v, Vmcs vmcs, VmExits exits, Emulator emulator) {
        this.v = v;
        this.s = v.state;
        this.vmcs = vmcs;
        this.exits = exits;
        this.emulator = emulator;
    }

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
        exits.leaveReason = CpuBackend.NO_EXIT;
        if (s.injectInfo < 0 && !inject()) return exits.leaveReason;
        return emulator.run(v, budget, exact) == Emulator.EXITED ? exits.leaveReason : CpuBackend.NO_EXIT;
    }

    /** An exit whose handler may have changed what VM entry checks. */
    int exitAndReenter(int reason, long qualification, long value) {
        exits.record(reason, qualification);
        v.exit.value = value;
        int answer = exits.dispatch(reason);
        return answer == Intercepts.EXIT || guestStateValid() ? answer : Intercepts.EXIT;
    }

    /** Checks the guest state; when it is invalid, exit 33 is recorded. */
    private boolean guestStateValid() {
        String broken = EntryChecks.broken(s, v.guestPdpte);
        if (broken == null) return true;
        failedEntries++;
        exits.count(ExitReasons.INVALID_GUEST_STATE);
        exits.record(ExitReasons.INVALID_GUEST_STATE | ExitReasons.ENTRY_FAILURE, 0);
        v.exit.failedCheck = broken;
        exits.leave(v.exit.reason);
        return false;
    }

    /** Delivers the event of the VM-entry interruption information (SDM 3C 26.5). False if that met an exit. */
    private boolean inject() {
        int info = s.injectInfo;
        s.injectInfo = 0;
        s.activity = CpuState.ACTIVE;
        injections++;
        v.insnLength = 0;
        if (emulator.deliver(v, info, s.injectError, s.injectLength) != Intercepts.DONE) return false;
        s.blocking &= ~(CpuState.BLOCKING_STI | CpuState.BLOCKING_MOV_SS);
        if ((info & CpuState.INFO_TYPE) == CpuState.TYPE_NMI) s.blocking |= CpuState.BLOCKING_NMI;
        return true;
    }

    void addCounters(Map<String, Long> c) {
        c.merge("entries", entries, Long::sum);
        c.merge("entries_failed", failedEntries, Long::sum);
        c.merge("realmode_entries", realModeEntries, Long::sum);
        c.merge("injections", injections, Long::sum);
    }
}
