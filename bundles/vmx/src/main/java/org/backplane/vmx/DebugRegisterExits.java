package org.backplane.vmx;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.exit.ExitReasons;

/**
 * MOV to and from debug registers. Where it exits, the engine has checked nothing yet (SDM 3C 25.1.3), and the register number may be 4 or 5; that
 * is the handler's affair.
 */
final class DebugRegisterExits {
    private static final int GENERAL_PROTECTION = 13;

    private final VcpuContext v;
    private final CpuState s;
    private final Vmcs vmcs;
    private final VmExits exits;
    private final VmEntry entry;

    DebugRegisterExits(VmxVcpu x) {
        this.v = x.v;
        this.s = x.v.state;
        this.vmcs = x.vmcs;
        this.exits = x.exits;
        this.entry = x.entry;
    }

    int readDr(int dr) {
        if ((vmcs.primary & Controls.MOV_DR) != 0) return exits.exit(ExitReasons.DR_ACCESS, dr | 1 << 4 | v.operandGpr << 8);
        v.ioValue = s.dr[dr];
        return Intercepts.DONE;
    }

    int writeDr(int dr, long value) {
        if ((vmcs.primary & Controls.MOV_DR) != 0) {
            return entry.exitAndReenter(ExitReasons.DR_ACCESS, dr | v.operandGpr << 8, value);
        }
        if (dr >= 6 && value >>> 32 != 0) return v.fault(GENERAL_PROTECTION, 0);
        s.dr[dr] = switch (dr) {
            case 6 -> value & 0xe00f | 0xffff0ff0L;
            case 7 -> value & 0xffff2fffL | 0x400;
            default -> value;
        };
        return Intercepts.DONE;
    }
}
