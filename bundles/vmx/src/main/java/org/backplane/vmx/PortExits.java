package org.backplane.vmx;

import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.exit.ExitDispatcher;
import org.backplane.kvm.spi.exit.ExitReasons;

/** IN, OUT, INS and OUTS: unconditional exiting, or the two I/O bitmaps (SDM 3C 24.6.4, 25.1.3). A port that does not exit is reached all the same. */
final class PortExits {
    private static final int SELECTION = Controls.UNCONDITIONAL_IO | Controls.IO_BITMAPS;

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
        if (!controlled(port, size)) return uncontrolled(core.portIn(v, port, size));
        exits.count(ExitReasons.IO);
        boolean observed = core.observed(ExitReasons.IO);
        if (observed) record(port, size, IN);
        int answer = exits.leavesAtOnce(observed) ? Intercepts.EXIT : core.portIn(v, port, size);
        if (answer != Intercepts.EXIT) return exits.served(answer);
        if (!observed) record(port, size, IN);
        return exits.leave(ExitReasons.IO);
    }

    int portOut(int port, int size, int value) {
        if (!controlled(port, size)) return uncontrolled(core.portOut(v, port, size, value));
        exits.count(ExitReasons.IO);
        boolean observed = core.observed(ExitReasons.IO);
        if (observed) {
            record(port, size, 0);
            v.exit.value = value & 0xffffffffL;
        }
        int answer = exits.leavesAtOnce(observed) ? Intercepts.EXIT : core.portOut(v, port, size, value);
        if (answer != Intercepts.EXIT) return exits.served(answer);
        if (!observed) record(port, size, 0);
        return exits.leave(ExitReasons.IO);
    }

    /** A port that does not exit was reached. */
    private int uncontrolled(int answer) {
        return answer == Intercepts.EXIT ? answer : exits.served(answer);
    }

    private boolean controlled(int port, int size) {
        int selection = vmcs.primary & SELECTION;
        return selection == Controls.UNCONDITIONAL_IO || selection != 0 && inBitmaps(port, size);
    }

    /** With bitmaps unconditional exiting is ignored. An access that wraps around the 64 KiB of ports exits. */
    private boolean inBitmaps(int port, int size) {
        if (port + size > 0x10000) return true;
        for (int p = port; p < port + size; p++) {
            int page = vmcs.pageByte(p < 0x8000 ? VmcsField.IO_BITMAP_A : VmcsField.IO_BITMAP_B, p >> 3 & 0xfff);
            if ((page >> (p & 7) & 1) != 0) return true;
        }
        return false;
    }

    /** Exit qualification of I/O instructions: SDM 3C table 27-5; INS and OUTS have instruction information too (table 27-8). */
    private void record(int port, int size, int in) {
        int form = v.ioString;
        int q = size - 1 | in | (port & 0xffff) << 16;
        if ((form & VcpuContext.STRING) != 0) q |= 1 << 4;
        if ((form & VcpuContext.REP) != 0) q |= 1 << 5;
        if ((form & VcpuContext.IMMEDIATE) != 0) q |= 1 << 6;
        exits.record(ExitReasons.IO, q & 0xffffffffL);
        if ((form & VcpuContext.STRING) != 0) {
            v.exit.gva = v.operandGva;
            v.exit.instructionInformation = (form >> 12 & 3) << 7 | (in == 0 ? (form >> 8 & 7) << 15 : 0);
        }
    }
}
