package org.backplane.x86.isa.exec;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.x86.isa.Insn;

/** Decimal adjustment and the flag instructions (SDM 2A: DAA, DAS, AAA, AAS, AAM, AAD, SAHF, LAHF, CLC …). */
final class DecimalHandlers {
    private DecimalHandlers() {}

    private static int al(Cpu c) {
        return (int) c.gpr[CpuState.RAX] & 0xff;
    }

    static void daa(Cpu c, Insn i) {
        int al = al(c);
        boolean af = (al & 0xf) > 9 || c.s.af();
        boolean cf = al > 0x99 || c.s.cf();
        adjusted(c, (af ? al + 6 : al) + (cf ? 0x60 : 0), af, cf);
    }

    static void das(Cpu c, Insn i) {
        int al = al(c);
        boolean af = (al & 0xf) > 9 || c.s.af();
        boolean high = al > 0x99 || c.s.cf();
        boolean cf = high || af && al < 6;
        adjusted(c, (af ? al - 6 : al) - (high ? 0x60 : 0), af, cf);
    }

    private static void adjusted(Cpu c, int al, boolean af, boolean cf) {
        c.setRegister(CpuState.RAX, 1, al);
        Arithmetic.logic(c.s, 1, al);
        decimalCarry(c.s, af, cf);
    }

    private static void decimalCarry(CpuState s, boolean af, boolean cf) {
        // OF, undefined, is cleared: carry into the sign bit equals carry out of it.
        s.flagAux = (af ? CpuState.AUX_AF : 0) | (cf ? CpuState.AUX_CARRY | CpuState.AUX_CARRY_IN : 0);
    }

    static void aaa(Cpu c, Insn i) {
        asciiAdjust(c, 0x106);
    }

    static void aas(Cpu c, Insn i) {
        asciiAdjust(c, -0x106);
    }

    private static void asciiAdjust(Cpu c, int by) {
        boolean adjust = (al(c) & 0xf) > 9 || c.s.af();
        int ax = (int) c.gpr[CpuState.RAX] & 0xffff;
        if (adjust) ax += by;
        c.setRegister(CpuState.RAX, 2, ax & 0xff0f);
        Arithmetic.logic(c.s, 1, ax & 0xf);
        decimalCarry(c.s, adjust, adjust);
    }

    static void aam(Cpu c, Insn i) {
        int base = (int) i.immediate & 0xff;
        if (base == 0) throw c.fault(Cpu.DE, Cpu.NO_ERROR);
        int al = al(c);
        c.setRegister(CpuState.RAX, 2, al / base << 8 | al % base);
        Arithmetic.logic(c.s, 1, al % base);
    }

    static void aad(Cpu c, Insn i) {
        int ax = (int) c.gpr[CpuState.RAX];
        int al = (ax & 0xff) + (ax >> 8 & 0xff) * ((int) i.immediate & 0xff) & 0xff;
        c.setRegister(CpuState.RAX, 2, al);
        Arithmetic.logic(c.s, 1, al);
    }

    static void salc(Cpu c, Insn i) {
        c.setRegister(CpuState.RAX, 1, c.s.cf() ? 0xff : 0);
    }

    static void lahf(Cpu c, Insn i) {
        int f = (int) c.s.rflags() & 0xd5 | 2;
        c.gpr[CpuState.RAX] = c.gpr[CpuState.RAX] & ~0xff00L | f << 8;
    }

    static void sahf(Cpu c, Insn i) {
        int ah = (int) c.gpr[CpuState.RAX] >> 8 & 0xd5;
        c.s.setArithmeticFlags(ah | (c.s.of() ? CpuState.OF : 0));
    }

    static void clc(Cpu c, Insn i) {
        Arithmetic.carry(c.s, false);
    }

    static void stc(Cpu c, Insn i) {
        Arithmetic.carry(c.s, true);
    }

    static void cmc(Cpu c, Insn i) {
        Arithmetic.carry(c.s, !c.s.cf());
    }

    static void cld(Cpu c, Insn i) {
        c.s.rflagsOther &= ~CpuState.DF;
    }

    static void std(Cpu c, Insn i) {
        c.s.rflagsOther |= CpuState.DF;
    }
}
