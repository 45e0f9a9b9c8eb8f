package org.backplane.vmx;

import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.exit.ExitDispatcher;
import org.backplane.kvm.spi.exit.ExitReasons;

/**
 * Accesses to devices, and INVLPG. A device access is a #PF exit in shadow mode and an EPT violation in two-dimensional mode; the APIC-access
 * page has a way of its own.
 */
final class MemoryExits {
    private final VmxVcpu x;
    private final VcpuContext v;
    private final Vmcs vmcs;
    private final VmExits exits;
    private final ApicAccess apic;
    private final ExitDispatcher core;

    MemoryExits(VmxVcpu x) {
        this.x = x;
        this.v = x.v;
        this.vmcs = x.vmcs;
        this.exits = x.exits;
        this.apic = new ApicAccess(x);
        this.core = x.exits.core;
    }

    int mmioRead(long gpa, int size) {
        if (x.paging().apicAccess) return apic.read((int) gpa & 0xfff, size);
        if (x.paging().exitMade) return afterExit(core.mmioRead(v, gpa, size));
        int reason = vmcs.ept() ? ExitReasons.EPT_VIOLATION : ExitReasons.EXCEPTION_NMI;
        exits.count(reason);
        boolean observed = core.observed(reason);
        if (observed) x.paging().recordMmio(gpa, Intercepts.READ);
        int answer = exits.leavesAtOnce(observed) ? Intercepts.EXIT : core.mmioRead(v, gpa, size);
        if (answer != Intercepts.EXIT) return exits.served(answer);
        if (!observed) x.paging().recordMmio(gpa, Intercepts.READ);
        return exits.leave(reason);
    }

    int mmioWrite(long gpa, int size, long value) {
        if (x.paging().apicAccess) return apic.write((int) gpa & 0xfff, size, value);
        if (x.paging().exitMade) return afterExit(core.mmioWrite(v, gpa, size, value));
        int reason = vmcs.ept() ? ExitReasons.EPT_VIOLATION : ExitReasons.EXCEPTION_NMI;
        exits.count(reason);
        boolean observed = core.observed(reason);
        if (observed) {
            x.paging().recordMmio(gpa, Intercepts.WRITE);
            v.exit.value = value;
        }
        int answer = exits.leavesAtOnce(observed) ? Intercepts.EXIT : core.mmioWrite(v, gpa, size, value);
        if (answer != Intercepts.EXIT) return exits.served(answer);
        if (!observed) x.paging().recordMmio(gpa, Intercepts.WRITE);
        return exits.leave(reason);
    }

    /** The access that an event's delivery makes after its exit, which is on record. */
    private int afterExit(int answer) {
        return answer == Intercepts.EXIT ? exits.leave(v.exit.reason) : exits.served(answer);
    }

    int invlpg(long gva) {
        if ((vmcs.primary & Controls.INVLPG_EXITING) != 0) {
            exits.record(ExitReasons.INVLPG, gva);
            v.exit.gva = gva;
            int answer = exits.dispatch(ExitReasons.INVLPG);
            // The handler has told the MMU; all parts of a large page go.
            if (answer == Intercepts.DONE) x.paging().invalidate(gva);
            return answer;
        }
        x.paging().invalidate(gva);
        return Intercepts.DONE;
    }
}
