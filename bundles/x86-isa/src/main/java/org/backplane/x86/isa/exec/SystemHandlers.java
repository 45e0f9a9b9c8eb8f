package org.backplane.x86.isa.exec;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.exit.ExitReasons;
import org.backplane.x86.isa.Insn;
import org.backplane.x86.isa.InstructionInformation;

/** Control and debug registers, MSRs, descriptor tables, SYSENTER and the other system instructions. */
final class SystemHandlers {
    private SystemHandlers() {}

    // ---- control registers ----

    static void movControl(Cpu c, Insn i) {
        c.privileged();
        c.sync();
        c.v.operandGpr = i.kind0 == Insn.CR ? i.number1 : i.number0;
        if (i.kind0 == Insn.CR) {
            c.answer(c.calls.writeCr(c.v, i.number0, c.get(i, 1)));
            c.updateMode();
        } else {
            c.answer(c.calls.readCr(c.v, i.number1));
            c.put(i, 0, c.v.ioValue);
        }
    }

    static void clts(Cpu c, Insn i) {
        c.privileged();
        c.sync();
        c.answer(c.calls.clts(c.v));
    }

    static void lmsw(Cpu c, Insn i) {
        c.privileged();
        c.v.operandGva = i.kind0 == Insn.MEM ? c.address(i, 2, false) : -1;
        int value = (int) c.get(i, 0);
        c.sync();
        c.answer(c.calls.lmsw(c.v, value));
        c.updateMode();
    }

    static void smsw(Cpu c, Insn i) {
        if (i.kind0 == Insn.MEM) c.linear(i.segment, c.effective(i), 2, true);
        c.sync();
        c.answer(c.calls.readCr(c.v, 0));
        c.put(i, 0, c.v.ioValue);
    }

    // ---- debug registers (SDM 3B 17.2) ----

    static void movDebug(Cpu c, Insn i) {
        boolean writes = i.kind0 == Insn.DR;
        int dr = writes ? i.number0 : i.number1;
        boolean exitFirst = c.v.movDrExits && !c.emulatesOne();
        if (!exitFirst) dr = accessible(c, dr);
        c.sync();
        c.v.operandGpr = writes ? i.number1 : i.number0;
        if (writes) {
            c.answer(c.calls.writeDr(c.v, dr, c.get(i, 1)));
            c.updateMode();
        } else {
            c.answer(c.calls.readDr(c.v, dr));
            c.put(i, 0, c.v.ioValue);
        }
    }

    /** The faults of an access to a debug register; answers the number with the aliases 4 and 5 resolved. */
    private static int accessible(Cpu c, int dr) {
        CpuState s = c.s;
        boolean alias = dr == 4 || dr == 5;
        if (alias && (s.cr4 & CpuState.CR4_DE) != 0) throw c.undefined();
        c.privileged();
        if ((s.dr[7] & DebugRegisters.GD) != 0) {
            s.pendingDebug |= DebugRegisters.BD;
            throw c.fault(Cpu.DB, Cpu.NO_ERROR);
        }
        return alias ? dr + 2 : dr;
    }

    // ---- MSRs, time, identification ----

    private static void edxEax(Cpu c, long value) {
        c.gpr[CpuState.RAX] = value & 0xffffffffL;
        c.gpr[CpuState.RDX] = value >>> 32;
    }

    static void rdmsr(Cpu c, Insn i) {
        c.privileged();
        c.sync();
        c.answer(c.calls.rdmsr(c.v, (int) c.gpr[CpuState.RCX]));
        edxEax(c, c.v.ioValue);
    }

    static void wrmsr(Cpu c, Insn i) {
        c.privileged();
        c.sync();
        long value = c.gpr[CpuState.RDX] << 32 | c.gpr[CpuState.RAX] & 0xffffffffL;
        c.answer(c.calls.wrmsr(c.v, (int) c.gpr[CpuState.RCX], value));
        c.updateMode();
    }

    static void rdtsc(Cpu c, Insn i) {
        if (c.s.cpl > 0 && c.s.protectedMode() && (c.s.cr4 & CpuState.CR4_TSD) != 0) throw c.fault(Cpu.GP, 0);
        c.sync();
        c.answer(c.calls.rdtsc(c.v));
        edxEax(c, c.v.ioValue);
    }

    /** No performance counter exists: after the privilege check any number is out of range. */
    static void rdpmc(Cpu c, Insn i) {
        if (c.s.cpl > 0 && (c.s.cr4 & CpuState.CR4_PCE) == 0) throw c.fault(Cpu.GP, 0);
        c.instruction(ExitReasons.RDPMC);
        throw c.fault(Cpu.GP, 0);
    }

    static void cpuid(Cpu c, Insn i) {
        c.sync();
        c.answer(c.calls.cpuid(c.v));
    }

    // ---- descriptor tables ----

    /** An exit of these comes before the faults of the memory operand (SDM 3C 25.1.1). */
    private static void tableExit(Cpu c, Insn i, int reason) {
        c.v.instructionInformation = InstructionInformation.ofTable(i);
        c.v.displacement = i.displacement;
        c.instruction(reason);
    }

    static void storeTable(Cpu c, Insn i) {
        boolean gdt = i.regField() == 0;
        tableExit(c, i, ExitReasons.GDTR_IDTR);
        long off = c.effective(i);
        c.linear(i.segment, off, 6, true);
        CpuState s = c.s;
        c.writeSegment(i.segment, off, 2, gdt ? s.gdtLimit : s.idtLimit);
        c.writeSegment(i.segment, Cpu.wrap(off + 2, i.addressSize), 4, gdt ? s.gdtBase : s.idtBase);
    }

    static void loadTable(Cpu c, Insn i) {
        c.privileged();
        tableExit(c, i, ExitReasons.GDTR_IDTR);
        boolean gdt = i.regField() == 2;
        long off = c.effective(i);
        int limit = (int) c.readSegment(i.segment, off, 2);
        long base = c.readSegment(i.segment, Cpu.wrap(off + 2, i.addressSize), 4);
        if (i.operandSize == 2) base &= 0xffffff;
        if (gdt) {
            c.s.gdtBase = base;
            c.s.gdtLimit = limit;
        } else {
            c.s.idtBase = base;
            c.s.idtLimit = limit;
        }
    }

    static void storeSelector(Cpu c, Insn i) {
        Segments.protectedOnly(c);
        tableExit(c, i, ExitReasons.LDTR_TR);
        c.put(i, 0, c.s.segSel[i.regField() == 0 ? CpuState.LDTR : CpuState.TR]);
    }

    static void lldt(Cpu c, Insn i) {
        Segments.protectedOnly(c);
        c.privileged();
        tableExit(c, i, ExitReasons.LDTR_TR);
        int selector = (int) c.get(i, 0);
        CpuState s = c.s;
        if (Segments.isNull(selector)) {
            Segments.setNull(s, CpuState.LDTR, selector);
            return;
        }
        if ((selector & 4) != 0) throw c.selectorFault(Cpu.GP, selector);
        long d = Segments.descriptor(c, selector, Cpu.GP);
        int ar = Segments.rights(d);
        if ((ar & 0x1f) != Segments.LDT) throw c.selectorFault(Cpu.GP, selector);
        if (!Segments.present(ar)) throw c.selectorFault(Cpu.NP, selector);
        Segments.set(s, CpuState.LDTR, selector, d);
    }

    static void ltr(Cpu c, Insn i) {
        Segments.protectedOnly(c);
        c.privileged();
        tableExit(c, i, ExitReasons.LDTR_TR);
        int selector = (int) c.get(i, 0);
        if (Segments.isNull(selector)) throw c.fault(Cpu.GP, 0);
        if ((selector & 4) != 0) throw c.selectorFault(Cpu.GP, selector);
        long d = Segments.descriptor(c, selector, Cpu.GP);
        int ar = Segments.rights(d), type = ar & 0x1f;
        if (type != Segments.TSS16 && type != Segments.TSS32) throw c.selectorFault(Cpu.GP, selector);
        if (!Segments.present(ar)) throw c.selectorFault(Cpu.NP, selector);
        c.writeSystem(Segments.address(c.s, selector) + 5, 1, ar & 0xff | 2);
        Segments.set(c.s, CpuState.TR, selector, d | 2L << 40);
    }

    // ---- caches and TLB ----

    static void invlpg(Cpu c, Insn i) {
        c.privileged();
        long gva = c.s.segBase[i.segment] + c.effective(i) & 0xffffffffL;
        c.sync();
        c.answer(c.calls.invlpg(c.v, gva));
    }

    static void invd(Cpu c, Insn i) {
        c.privileged();
        c.instruction(ExitReasons.INVD);
    }

    static void wbinvd(Cpu c, Insn i) {
        c.privileged();
        c.instruction(ExitReasons.WBINVD);
    }

    // ---- interrupts and idling ----

    static void hlt(Cpu c, Insn i) {
        c.privileged();
        c.instruction(ExitReasons.HLT);
        c.s.activity = CpuState.HLT;
    }

    /** #UD above CPL 0 (SDM 2B). Nothing is monitored: MWAIT may end its wait at any time, and does so at once. */
    static void monitor(Cpu c, Insn i) {
        if (c.s.cpl != 0) throw c.undefined();
        c.instruction(ExitReasons.MONITOR);
        if ((int) c.gpr[CpuState.RCX] != 0) throw c.fault(Cpu.GP, 0);
        int segment = i.segmentPrefix >= 0 ? i.segmentPrefix : CpuState.DS;
        c.readSegment(segment, Cpu.wrap(c.gpr[CpuState.RAX], i.addressSize), 1);
    }

    static void mwait(Cpu c, Insn i) {
        if (c.s.cpl != 0) throw c.undefined();
        c.instruction(ExitReasons.MWAIT);
        if ((c.gpr[CpuState.RCX] & ~1) != 0) throw c.fault(Cpu.GP, 0);
    }

    /** No CPU here has XSAVE, so that CR4.OSXSAVE is set by a host only, and XSETBV then always exits. */
    static void xsetbv(Cpu c, Insn i) {
        if ((c.s.cr4 & CpuState.CR4_OSXSAVE) == 0) throw c.undefined();
        c.privileged();
        c.instruction(ExitReasons.XSETBV);
    }

    static void pause(Cpu c, Insn i) {
        c.instruction(ExitReasons.PAUSE);
    }

    private static void checkInterruptFlag(Cpu c) {
        CpuState s = c.s;
        if (s.protectedMode() && s.cpl > c.iopl()) throw c.fault(Cpu.GP, 0);
    }

    static void cli(Cpu c, Insn i) {
        checkInterruptFlag(c);
        c.s.rflagsOther &= ~CpuState.IF;
    }

    static void sti(Cpu c, Insn i) {
        checkInterruptFlag(c);
        if ((c.s.rflagsOther & CpuState.IF) == 0) c.s.blocking |= CpuState.BLOCKING_STI;
        c.s.rflagsOther |= CpuState.IF;
    }

    // ---- SYSENTER and SYSEXIT (SDM 2B) ----

    static void sysenter(Cpu c, Insn i) {
        CpuState s = c.s;
        if (!s.protectedMode() || (s.sysenterCs & 0xfffc) == 0) throw c.fault(Cpu.GP, 0);
        int cs = (int) s.sysenterCs & 0xfffc;
        s.rflagsOther &= ~(CpuState.VM | CpuState.IF);
        s.cpl = 0;
        flat(s, CpuState.CS, cs, 0xc09b);
        flat(s, CpuState.SS, cs + 8, 0xc093);
        s.gpr[CpuState.RSP] = s.sysenterEsp & 0xffffffffL;
        s.rip = s.sysenterEip & 0xffffffffL;
        c.updateMode();
    }

    static void sysexit(Cpu c, Insn i) {
        CpuState s = c.s;
        if (!s.protectedMode() || (s.sysenterCs & 0xfffc) == 0 || s.cpl != 0) throw c.fault(Cpu.GP, 0);
        int cs = (int) s.sysenterCs & 0xfffc;
        s.cpl = 3;
        flat(s, CpuState.CS, cs + 16 | 3, 0xc0fb);
        flat(s, CpuState.SS, cs + 24 | 3, 0xc0f3);
        s.gpr[CpuState.RSP] = s.gpr[CpuState.RCX] & 0xffffffffL;
        s.rip = s.gpr[CpuState.RDX] & 0xffffffffL;
        c.updateMode();
    }

    private static void flat(CpuState s, int seg, int selector, int ar) {
        s.segSel[seg] = selector & 0xffff;
        s.segBase[seg] = 0;
        s.segLimit[seg] = 0xffffffffL;
        s.segAr[seg] = ar;
    }
}
