package org.backplane.vmx;

import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.exit.ExitDispatcher;
import org.backplane.kvm.spi.exit.ExitReasons;

/** Instructions without operands that a handler needs, the TSC and MSRs. */
final class InstructionExits {
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

    private final VcpuContext v;
    private final Vmcs vmcs;
    private final VmExits exits;
    private final VmEntry entry;
    private final ExitDispatcher core;

    InstructionExits(VmxVcpu x) {
        this.v = x.v;
        this.vmcs = x.vmcs;
        this.exits = x.exits;
        this.entry = x.entry;
        this.core = x.exits.core;
    }

    int cpuid() {
        return exits.exit(ExitReasons.CPUID, 0);
    }

    int rdtsc() {
        if ((vmcs.primary & Controls.RDTSC_EXITING) != 0) return exits.exit(ExitReasons.RDTSC, 0);
        v.ioValue = core.tsc(v) + ((vmcs.primary & Controls.TSC_OFFSETTING) != 0 ? vmcs.tscOffset : 0);
        return Intercepts.DONE;
    }

    int rdmsr(int index) {
        return exits.exit(ExitReasons.RDMSR, 0);
    }

    int wrmsr(int index, long value) {
        return entry.exitAndReenter(ExitReasons.WRMSR, 0, value);
    }

    int instruction(int reason) {
        boolean controlled =
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
        return controlled ? exits.exit(reason, 0) : Intercepts.DONE;
    }

    private boolean secondary(int control) {
        return vmcs.primary < 0 && (vmcs.secondary & control) != 0;
    }
}
