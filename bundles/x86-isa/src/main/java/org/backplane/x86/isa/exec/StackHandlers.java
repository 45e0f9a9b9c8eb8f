package org.backplane.x86.isa.exec;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.x86.isa.Insn;

/** PUSH, POP, ENTER, LEAVE, PUSHA, POPA, PUSHF, POPF. */
final class StackHandlers {
    private StackHandlers() {}

    static void push(Cpu c, Insn i) {
        long value = i.kind0 == Insn.IMM ? i.immediate : c.get(i, 0);
        if (i.kind0 == Insn.SEG && i.operandSize > 2) {
            // Current processors write only the selector's 16 bits and move the pointer by the operand size.
            long sp = c.gpr[CpuState.RSP] - i.operandSize;
            c.stackWrite(sp, 2, value);
            c.setSp(sp);
            return;
        }
        c.push(i.operandSize, value);
    }

    static void pop(Cpu c, Insn i) {
        int size = i.operandSize;
        long sp = c.gpr[CpuState.RSP];
        switch (i.kind0) {
            case Insn.SEG -> {
                int selector = (int) c.stackRead(sp, 2);
                // The new SS does not change the width of this instruction's own pointer.
                long mask = c.stackMask();
                Segments.load(c, i.number0, selector);
                c.gpr[CpuState.RSP] = sp & ~mask | sp + size & mask;
                if (i.number0 == CpuState.SS) c.s.blocking |= CpuState.BLOCKING_MOV_SS;
            }
            case Insn.MEM -> {
                // An address that uses (E)SP uses its value after the pop (SDM 2B: POP).
                long value = c.stackRead(sp, size);
                c.setSp(sp + size);
                boolean stored = false;
                try {
                    c.put(i, 0, value);
                    stored = true;
                } finally {
                    if (!stored) c.gpr[CpuState.RSP] = sp;
                }
            }
            default -> {
                long value = c.pop(size);
                c.put(i, 0, value);
            }
        }
    }

    static void pusha(Cpu c, Insn i) {
        int size = i.operandSize;
        long sp = c.gpr[CpuState.RSP];
        for (int r = 0; r < 8; r++) c.stackWrite(sp - (r + 1L) * size, size, c.gpr[r]);
        c.setSp(sp - 8L * size);
    }

    static void popa(Cpu c, Insn i) {
        int size = i.operandSize;
        long sp = c.gpr[CpuState.RSP];
        long di = c.stackRead(sp, size), si = c.stackRead(sp + size, size), bp = c.stackRead(sp + 2L * size, size);
        long bx = c.stackRead(sp + 4L * size, size), dx = c.stackRead(sp + 5L * size, size);
        long cx = c.stackRead(sp + 6L * size, size), ax = c.stackRead(sp + 7L * size, size);
        c.setRegister(CpuState.RDI, size, di);
        c.setRegister(CpuState.RSI, size, si);
        c.setRegister(CpuState.RBP, size, bp);
        c.setRegister(CpuState.RBX, size, bx);
        c.setRegister(CpuState.RDX, size, dx);
        c.setRegister(CpuState.RCX, size, cx);
        c.setRegister(CpuState.RAX, size, ax);
        c.setSp(sp + 8L * size);
    }

    static void enter(Cpu c, Insn i) {
        int size = i.operandSize, level = i.immediate2 & 31;
        long allocate = i.immediate & 0xffff;
        long sp = c.gpr[CpuState.RSP], bp = c.gpr[CpuState.RBP];
        sp -= size;
        c.stackWrite(sp, size, bp);
        long frame = sp;
        for (int n = 1; n < level; n++) {
            sp -= size;
            c.stackWrite(sp, size, c.stackRead(bp - (long) n * size, size));
        }
        if (level > 0) {
            sp -= size;
            c.stackWrite(sp, size, frame);
        }
        sp -= allocate;
        // The stack must be writable down to its new top (SDM 2A: ENTER).
        long gva = c.linear(CpuState.SS, sp & c.stackMask(), size, true);
        c.memory.probeWrite(c, gva, c.s.cpl == 3 ? 6 : 2);
        c.setRegister(CpuState.RBP, size, frame);
        c.setSp(sp);
    }

    static void leave(Cpu c, Insn i) {
        int size = i.operandSize;
        long bp = c.gpr[CpuState.RBP];
        long value = c.stackRead(bp, size);
        c.setSp(bp + size);
        c.setRegister(CpuState.RBP, size, value);
    }

    /** In virtual-8086 mode PUSHF and POPF need IOPL 3 (SDM 3B 20.2.7). */
    private static void checkVirtual(Cpu c) {
        if (c.s.vm86() && c.iopl() < 3) throw c.fault(Cpu.GP, 0);
    }

    static void pushf(Cpu c, Insn i) {
        checkVirtual(c);
        c.push(i.operandSize, c.s.rflags() & ~(CpuState.VM | CpuState.RF));
    }

    static void popf(Cpu c, Insn i) {
        checkVirtual(c);
        long value = c.pop(i.operandSize);
        int mask = CpuState.ARITHMETIC_FLAGS | CpuState.TF | CpuState.DF | CpuState.NT;
        if (i.operandSize > 2) mask |= CpuState.AC | CpuState.ID;
        setFlags(c, (int) value, mask);
        if (i.operandSize > 2) c.s.rflagsOther &= ~(CpuState.RF);
    }

    /** Replaces the flags in {@code mask}, and IF and IOPL where the privilege allows (SDM 2B: POPF). */
    static void setFlags(Cpu c, int value, int mask) {
        CpuState s = c.s;
        if (s.cpl == 0) mask |= CpuState.IF | CpuState.IOPL;
        else if (s.cpl <= c.iopl()) mask |= CpuState.IF;
        if (s.vm86()) mask &= ~CpuState.IOPL;
        int old = (int) s.rflags();
        s.setRflags(old & ~mask | value & mask);
    }
}
