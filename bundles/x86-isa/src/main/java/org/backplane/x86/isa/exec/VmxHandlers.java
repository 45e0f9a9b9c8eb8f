package org.backplane.x86.isa.exec;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.exit.ExitReasons;
import org.backplane.x86.isa.Insn;
import org.backplane.x86.isa.InstructionInformation;

/**
 * The VMX instructions as a guest executes them (SDM 3C chapter 30): #UD where the mode has none, else a VM exit before the privilege check. What
 * they do in VMX root operation is the CPU backend's affair, so after the intercept nothing is left to do here.
 */
final class VmxHandlers {
    private VmxHandlers() {}

    /** VMCALL exits in every mode. */
    static void vmcall(Cpu c, Insn i) {
        c.instruction(ExitReasons.VMCALL);
    }

    static void withoutOperands(Cpu c, Insn i) {
        checkMode(c);
        c.instruction(reason(i));
    }

    /** Those with a memory operand, or with one that may be memory. */
    static void withMemory(Cpu c, Insn i) {
        checkMode(c);
        c.v.instructionInformation = InstructionInformation.of(i);
        c.v.displacement = i.displacement;
        c.instruction(reason(i));
    }

    private static void checkMode(Cpu c) {
        CpuState s = c.s;
        boolean compatibility = s.longModeActive() && (s.segAr[CpuState.CS] & CpuState.AR_L) == 0;
        if (s.realOrVm86() || compatibility) throw c.undefined();
    }

    private static int reason(Insn i) {
        return switch (i.mnemonic()) {
            case VMCLEAR -> ExitReasons.VMCLEAR;
            case VMLAUNCH -> ExitReasons.VMLAUNCH;
            case VMPTRLD -> ExitReasons.VMPTRLD;
            case VMPTRST -> ExitReasons.VMPTRST;
            case VMREAD -> ExitReasons.VMREAD;
            case VMRESUME -> ExitReasons.VMRESUME;
            case VMWRITE -> ExitReasons.VMWRITE;
            case VMXOFF -> ExitReasons.VMXOFF;
            case VMXON -> ExitReasons.VMXON;
            case INVEPT -> ExitReasons.INVEPT;
            case INVVPID -> ExitReasons.INVVPID;
            default -> throw new IllegalStateException("no VMX instruction: " + i.mnemonic());
        };
    }
}
