package org.backplane.x86.isa.exec;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.x86.isa.Insn;

/** Near transfers of control. Far ones are in {@link FarTransfer}. */
final class FlowHandlers {
    private FlowHandlers() {}

    private static void relative(Cpu c, Insn i) {
        c.jump(c.nextRip() + i.immediate, i.operandSize);
    }

    static void jcc(Cpu c, Insn i) {
        if (Arithmetic.condition(c.s, i.opcodeByte & 15)) relative(c, i);
        else c.step();
    }

    static void jmp(Cpu c, Insn i) {
        if (i.kind0 == Insn.REL) relative(c, i);
        else c.jump(c.get(i, 0), i.operandSize);
    }

    static void call(Cpu c, Insn i) {
        int size = i.operandSize;
        long target = Cpu.wrap(i.kind0 == Insn.REL ? c.nextRip() + i.immediate : c.get(i, 0), size);
        c.checkCodeLimit(target);
        c.push(size, c.nextRip());
        c.s.rip = target;
    }

    static void ret(Cpu c, Insn i) {
        int size = i.operandSize;
        long sp = c.gpr[CpuState.RSP];
        long target = c.stackRead(sp, size);
        c.checkCodeLimit(target);
        c.setSp(sp + size + (i.immediate & 0xffff));
        c.s.rip = target;
    }

    static void loop(Cpu c, Insn i) {
        long count = Cpu.wrap(c.gpr[CpuState.RCX] - 1, i.addressSize);
        boolean taken = count != 0
                && switch (i.mnemonic()) {
                    case LOOPE -> c.s.zf();
                    case LOOPNE -> !c.s.zf();
                    default -> true;
                };
        if (taken) relative(c, i);
        else c.step();
        c.setRegister(CpuState.RCX, i.addressSize, count);
    }

    static void jcxz(Cpu c, Insn i) {
        if (Cpu.wrap(c.gpr[CpuState.RCX], i.addressSize) == 0) relative(c, i);
        else c.step();
    }

    static void bound(Cpu c, Insn i) {
        int size = i.operandSize, shift = 64 - 8 * size;
        long off = c.effective(i);
        long low = c.readSegment(i.segment, off, size) << shift >> shift;
        long high = c.readSegment(i.segment, Cpu.wrap(off + size, i.addressSize), size) << shift >> shift;
        long x = c.get(i, 0) << shift >> shift;
        if (x < low || x > high) throw c.fault(Cpu.BR, Cpu.NO_ERROR);
    }

    static void undefined(Cpu c, Insn i) {
        throw c.undefined();
    }

    static void tooLong(Cpu c, Insn i) {
        throw c.fault(Cpu.GP, 0);
    }
}
