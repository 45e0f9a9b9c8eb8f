package org.backplane.vmx;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.exit.ExitReasons;

/**
 * Accesses to the APIC-access page (SDM 3C 29.4): exit 44, except that with the TPR shadow the task priority register is virtualized. Such a page is
 * never in a TLB.
 */
final class ApicAccess {
    /** Access types of the exit qualification, bits 15:12 (SDM 3C table 27-6). */
    private static final int DATA_READ = 0, DATA_WRITE = 1, FETCH = 2, EVENT = 3;

    private final VcpuContext v;
    private final VmxVcpu x;

    ApicAccess(VmxVcpu x) {
        this.x = x;
        this.v = x.v;
    }

    int read(int offset, int size) {
        if (!virtualized(offset, size)) {
            boolean fetch = (x.paging().mmioAccess & Intercepts.FETCH) != 0;
            return exit(offset, fetch ? FETCH : DATA_READ);
        }
        v.ioValue = x.vmcs.vtpr();
        return Intercepts.DONE;
    }

    int write(int offset, int size, long value) {
        if (!virtualized(offset, size)) return exit(offset, DATA_WRITE);
        x.entry.setTpr((int) value & 0xff);
        return Intercepts.DONE;
    }

    private boolean virtualized(int offset, int size) {
        return (x.vmcs.primary & Controls.TPR_SHADOW) != 0 && offset == Vmcs.VTPR && size <= 4;
    }

    private int exit(int offset, int type) {
        boolean event = (v.state.vectoringInfo & CpuState.INFO_VALID) != 0;
        x.exits.record(ExitReasons.APIC_ACCESS, offset | (event ? EVENT : type) << 12);
        v.exit.gva = x.paging().mmioGva;
        return x.exits.slow(ExitReasons.APIC_ACCESS);
    }
}
