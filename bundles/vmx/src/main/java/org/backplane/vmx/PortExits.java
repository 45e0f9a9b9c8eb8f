package org.backplane.vmx;

import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.exit.ExitDispatcher;
import org.backplane.kvm.spi.exit.ExitReasons;

/** IN, OUT, INS and OUTS. */
final class PortExits {
    /** The exit qualification's direction bit. */
    private static final int IN = 1 << 3;

    private final VcpuContext v;
    private final Vmcs vmcs;
    private final VmExits exits;
    private final ExitDispatcher core;

    PortExits(VmxVcpu x) {
        this.v = x.v;
        this.vmcs = x.vmcs;
        this.exits = x.exits;
        this.core = x.exits.core;
    }

    int portIn(int port, int size) {
        if ((vmcs.primary & Controls.UNCONDITIONAL_IO) == 0) return core.portIn(v, port, size);
        exits.count(ExitReasons.IO);
        boolean observed = core.observed(ExitReasons.IO);
        if (observed) record(port, size, IN);
        int answer = observed && !core.passes(v) ? Intercepts.EXIT : core.portIn(v, port, size);
        if (answer != Intercepts.EXIT) return answer;
        if (!observed) record(port, size, IN);
        return exits.leave(ExitReasons.IO);
    }

    int portOut(int port, int size, int value) {
        if ((vmcs.primary & Controls.UNCONDITIONAL_IO) == 0) return core.portOut(v, port, size, value);
        exits.count(ExitReasons.IO);
        boolean observed = core.observed(ExitReasons.IO);
        if (observed) {
            record(port, size, 0);
            v.exit.value = value & 0xffffffffL;
        }
        int answer = observed && !core.passes(v) ? Intercepts.EXIT : core.portOut(v, port, size, value);
        if (answer != Intercepts.EXIT) return answer;
        if (!observed) record(port, size, 0);
        return exits.leave(ExitReasons.IO);
    }

    /** Exit qualification of I/O instructions: SDM 3C table 27-5. */
    private void record(int port, int size, int in) {
        int q = size - 1 | in | (port & 0xffff) << 16;
        if ((v.ioString & VcpuContext.STRING) != 0) q |= 1 << 4;
        if ((v.ioString & VcpuContext.REP) != 0) q |= 1 << 5;
        exits.record(ExitReasons.IO, q & 0xffffffffL);
    }
}
