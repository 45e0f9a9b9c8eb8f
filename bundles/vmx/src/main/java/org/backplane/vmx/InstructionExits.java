package org.backplane.vmx;

import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.exit.ExitDispatcher;
import org.backplane.kvm.spi.exit.ExitReasons;

/** Instructions that exit always or when a control says so (SDM 3C 25.1.2, 25.1.3), the TSC with its offset, and MSRs with their bitmaps. */
final class InstructionExits {
    /** Reasons whose instructions exit whatever the controls say: CPUID INVD VMX-instructions INVEPT INVVPID XSETBV. */
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

    /** Reasons with a displacement as their qualification, and instruction information. */
    private static final long WITH_OPERAND = 1L << ExitReasons.VMCLEAR
            | 1L << ExitReasons.VMPTRLD
            | 1L << ExitReasons.VMPTRST
            | 1L << ExitReasons.VMREAD
            | 1L << ExitReasons.VMWRITE
            | 1L << ExitReasons.VMXON
            | 1L << ExitReasons.INVEPT
            | 1L << ExitReasons.INVVPID
            | 1L << ExitReasons.GDTR_IDTR
            | 1L << ExitReasons.LDTR_TR;

    private static final int TSC = 0x10;

    /** MSR bitmaps: reads of MSRs 0 to 1FFF, of C0000000 to C0001FFF 1 KiB further; writes from 2 KiB on (SDM 3C 24.6.9). */
    private static final int MSR_HIGH = 0xc0000000, HIGH_HALF = 0x400, WRITES = 0x800, MSRS = 0x2000;

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
        v.ioValue = core.tsc(v) + offset();
        return Intercepts.DONE;
    }

    private long offset() {
        return (vmcs.primary & Controls.TSC_OFFSETTING) != 0 ? vmcs.tscOffset : 0;
    }

    int rdmsr(int index) {
        if (controlled(index, 0)) return exits.exit(ExitReasons.RDMSR, 0);
        int answer = core.rdmsr(v, index);
        if (index == TSC) v.ioValue += offset();
        return answer;
    }

    int wrmsr(int index, long value) {
        if (controlled(index, WRITES)) return entry.exitAndReenter(ExitReasons.WRMSR, 0, value);
        return core.wrmsr(v, index, value);
    }

    private boolean controlled(int index, int half) {
        if ((vmcs.primary & Controls.MSR_BITMAPS) == 0) return true;
        boolean high = (index & 0xc0000000) == MSR_HIGH;
        int n = high ? index - MSR_HIGH : index;
        if (Integer.compareUnsigned(n, MSRS) >= 0) return true;
        return (vmcs.pageByte(VmcsField.MSR_BITMAPS, half + (high ? HIGH_HALF : 0) + (n >> 3)) >> (n & 7) & 1) != 0;
    }

    int instruction(int reason) {
        boolean controlled =
                switch (reason) {
                    case ExitReasons.HLT -> (vmcs.primary & Controls.HLT_EXITING) != 0;
                    case ExitReasons.RDPMC -> (vmcs.primary & Controls.RDPMC_EXITING) != 0;
                    case ExitReasons.MWAIT -> (vmcs.primary & Controls.MWAIT_EXITING) != 0;
                    case ExitReasons.MONITOR -> (vmcs.primary & Controls.MONITOR_EXITING) != 0;
                    case ExitReasons.PAUSE -> (vmcs.primary & Controls.PAUSE_EXITING) != 0;
                    case ExitReasons.GDTR_IDTR, ExitReasons.LDTR_TR -> (vmcs.activeSecondary() & Controls.DESCRIPTOR_TABLE) != 0;
                    case ExitReasons.WBINVD -> (vmcs.activeSecondary() & Controls.WBINVD_EXITING) != 0;
                    default -> (UNCONDITIONAL >>> reason & 1) != 0;
                };
        if (!controlled) return Intercepts.DONE;
        boolean operand = (WITH_OPERAND >>> reason & 1) != 0;
        exits.record(reason, operand ? v.displacement : 0);
        if (operand) v.exit.instructionInformation = v.instructionInformation;
        return exits.dispatch(reason);
    }
}
