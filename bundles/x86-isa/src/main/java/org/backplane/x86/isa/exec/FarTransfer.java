package org.backplane.x86.isa.exec;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.x86.isa.Insn;

/**
 * Far JMP, CALL and RET, IRET and the INT instructions: code segments, call gates, stack switches, returns to outer levels and
 * to virtual-8086 mode (SDM 3A 5.8; 2A, 2B: the instructions' operation sections, whose order of checks is kept).
 */
final class FarTransfer {
    private FarTransfer() {}

    // ---- JMP and CALL ----

    static void jmp(Cpu c, Insn i) {
        transfer(c, i, false);
    }

    static void call(Cpu c, Insn i) {
        transfer(c, i, true);
    }

    private static void transfer(Cpu c, Insn i, boolean call) {
        int size = i.operandSize, selector;
        long target;
        if (i.kind0 == Insn.FAR) {
            target = i.immediate;
            selector = i.immediate2;
        } else {
            long off = c.effective(i);
            target = c.readSegment(i.segment, off, size);
            selector = (int) c.readSegment(i.segment, Cpu.wrap(off + size, i.addressSize), 2);
        }
        if (c.s.realOrVm86()) realMode(c, selector, target, size, call);
        else protectedMode(c, selector, target, size, call);
        c.updateMode();
    }

    private static void realMode(Cpu c, int selector, long target, int size, boolean call) {
        CpuState s = c.s;
        if (target > s.segLimit[CpuState.CS]) throw c.fault(Cpu.GP, 0);
        if (call) {
            Frame frame = c.frame;
            frame.current(c);
            frame.push(c, size, s.segSel[CpuState.CS]);
            frame.push(c, size, c.nextRip());
            frame.commit(c);
        }
        Segments.setReal(s, CpuState.CS, selector);
        s.rip = target;
    }

    private static void protectedMode(Cpu c, int selector, long target, int size, boolean call) {
        CpuState s = c.s;
        if (Segments.isNull(selector)) throw c.fault(Cpu.GP, 0);
        long d = Segments.descriptor(c, selector, Cpu.GP);
        int ar = Segments.rights(d);
        if ((ar & CpuState.AR_S) != 0) {
            checkCode(c, selector, ar, selector & 3);
            sameLevel(c, selector, d, target, size, call);
            return;
        }
        int dpl = Segments.dpl(ar);
        if (dpl < s.cpl || dpl < (selector & 3)) throw c.selectorFault(Cpu.GP, selector);
        switch (ar & 15) {
            case Segments.CALL16, Segments.CALL32 -> callGate(c, selector, d, call);
            case Segments.TASK_GATE -> {
                if (!Segments.present(ar)) throw c.selectorFault(Cpu.NP, selector);
                TaskSwitch.jumpOrCall(c, (int) (d >>> 16) & 0xffff, call);
            }
            case Segments.TSS16, Segments.TSS32 -> TaskSwitch.jumpOrCall(c, selector, call);
            default -> throw c.selectorFault(Cpu.GP, selector);
        }
    }

    /** Privilege checks of a direct transfer, or of one through a gate with {@code rpl} 0. */
    private static void checkCode(Cpu c, int selector, int ar, int rpl) {
        int cpl = c.s.cpl;
        if (!Segments.isCode(ar)) throw c.selectorFault(Cpu.GP, selector);
        boolean allowed = Segments.conforming(ar) ? Segments.dpl(ar) <= cpl : rpl <= cpl && Segments.dpl(ar) == cpl;
        if (!allowed) throw c.selectorFault(Cpu.GP, selector);
        if (!Segments.present(ar)) throw c.selectorFault(Cpu.NP, selector);
    }

    private static void sameLevel(Cpu c, int selector, long d, long target, int size, boolean call) {
        CpuState s = c.s;
        Frame frame = c.frame;
        frame.current(c);
        if (call) {
            frame.push(c, size, s.segSel[CpuState.CS]);
            frame.push(c, size, c.nextRip());
        }
        if (target > Segments.limit(d)) throw c.fault(Cpu.GP, 0);
        d = Segments.accessed(c, selector, d);
        frame.commit(c);
        Segments.set(s, CpuState.CS, selector & ~3 | s.cpl, d);
        s.rip = target;
    }

    private static void callGate(Cpu c, int gateSelector, long gate, boolean call) {
        CpuState s = c.s;
        int gateAr = Segments.rights(gate);
        if (!Segments.present(gateAr)) throw c.selectorFault(Cpu.NP, gateSelector);
        int size = (gateAr & 8) != 0 ? 4 : 2;
        int selector = (int) (gate >>> 16) & 0xffff;
        long target = size == 4 ? gate & 0xffff | gate >>> 48 << 16 : gate & 0xffff;
        if (Segments.isNull(selector)) throw c.fault(Cpu.GP, 0);
        long d = Segments.descriptor(c, selector, Cpu.GP);
        int ar = Segments.rights(d), dpl = Segments.dpl(ar);
        if (!Segments.isCode(ar) || dpl > s.cpl) throw c.selectorFault(Cpu.GP, selector);
        if (!call && !Segments.conforming(ar) && dpl != s.cpl) throw c.selectorFault(Cpu.GP, selector);
        if (!Segments.present(ar)) throw c.selectorFault(Cpu.NP, selector);
        if (call && !Segments.conforming(ar) && dpl < s.cpl) {
            innerCall(c, selector, d, target, size, (int) (gate >>> 32) & 31);
        } else {
            sameLevel(c, selector, d, target, size, call);
        }
    }

    private static void innerCall(Cpu c, int selector, long d, long target, int size, int parameters) {
        CpuState s = c.s;
        int cpl = Segments.dpl(Segments.rights(d));
        int ss = TaskState.innerSs(c, cpl);
        long sp = TaskState.innerSp(c, cpl);
        long stack = Segments.stackDescriptor(c, ss, cpl, Cpu.TS);
        Frame frame = c.frame;
        frame.inner(ss, stack, sp, cpl);
        long oldSp = s.gpr[CpuState.RSP];
        frame.push(c, size, s.segSel[CpuState.SS]);
        frame.push(c, size, oldSp);
        for (int n = parameters - 1; n >= 0; n--) frame.push(c, size, c.stackRead(oldSp + (long) n * size, size));
        frame.push(c, size, s.segSel[CpuState.CS]);
        frame.push(c, size, c.nextRip());
        if (target > Segments.limit(d)) throw c.fault(Cpu.GP, 0);
        d = Segments.accessed(c, selector, d);
        stack = Segments.accessed(c, ss, stack);
        s.cpl = cpl;
        Segments.set(s, CpuState.SS, ss, stack);
        frame.commit(c);
        Segments.set(s, CpuState.CS, selector & ~3 | cpl, d);
        s.rip = target;
    }

    // ---- RET ----

    static void ret(Cpu c, Insn i) {
        CpuState s = c.s;
        int size = i.operandSize;
        long release = i.immediate & 0xffff;
        long sp = s.gpr[CpuState.RSP];
        long target = c.stackRead(sp, size);
        int selector = (int) c.stackRead(sp + size, size) & 0xffff;
        if (s.realOrVm86()) {
            if (target > s.segLimit[CpuState.CS]) throw c.fault(Cpu.GP, 0);
            c.setSp(sp + 2L * size + release);
            Segments.setReal(s, CpuState.CS, selector);
            s.rip = target;
        } else {
            returnTo(c, selector, target, sp + 2L * size + release, size, release);
        }
        c.updateMode();
    }

    /**
     * The common part of RET and IRET in protected mode: checks CS and, for an outer level, the stack at {@code sp}; then loads.
     *
     * @param sp where the stack pointer is when everything of this level is popped
     * @param release bytes that RET n takes from the outer stack too
     */
    private static void returnTo(Cpu c, int selector, long target, long sp, int size, long release) {
        CpuState s = c.s;
        if (Segments.isNull(selector)) throw c.fault(Cpu.GP, 0);
        long d = Segments.descriptor(c, selector, Cpu.GP);
        int ar = Segments.rights(d), rpl = selector & 3;
        if (!Segments.isCode(ar) || rpl < s.cpl) throw c.selectorFault(Cpu.GP, selector);
        boolean allowed = Segments.conforming(ar) ? Segments.dpl(ar) <= rpl : Segments.dpl(ar) == rpl;
        if (!allowed) throw c.selectorFault(Cpu.GP, selector);
        if (!Segments.present(ar)) throw c.selectorFault(Cpu.NP, selector);
        if (rpl == s.cpl) {
            if (target > Segments.limit(d)) throw c.fault(Cpu.GP, 0);
            d = Segments.accessed(c, selector, d);
            c.setSp(sp);
            Segments.set(s, CpuState.CS, selector, d);
            s.rip = target;
            return;
        }
        long outerSp = c.stackRead(sp, size);
        int ss = (int) c.stackRead(sp + size, size) & 0xffff;
        long stack = Segments.stackDescriptor(c, ss, rpl, Cpu.GP);
        if (target > Segments.limit(d)) throw c.fault(Cpu.GP, 0);
        d = Segments.accessed(c, selector, d);
        stack = Segments.accessed(c, ss, stack);
        s.cpl = rpl;
        Segments.set(s, CpuState.CS, selector, d);
        Segments.set(s, CpuState.SS, ss, stack);
        if (size == 2) outerSp |= s.gpr[CpuState.RSP] & 0xffff0000L & ~c.stackMask();
        c.setSp(outerSp + release);
        Segments.dropInner(s);
        s.rip = target;
    }

    // ---- IRET ----

    static void iret(Cpu c, Insn i) {
        CpuState s = c.s;
        int size = i.operandSize;
        if (s.vm86() && c.iopl() < 3) throw c.fault(Cpu.GP, 0);
        if (s.protectedMode() && !s.vm86() && (s.rflagsOther & CpuState.NT) != 0) {
            TaskSwitch.iret(c);
            finishIret(c);
            return;
        }
        long sp = s.gpr[CpuState.RSP];
        long target = c.stackRead(sp, size);
        int selector = (int) c.stackRead(sp + size, size) & 0xffff;
        int flags = (int) c.stackRead(sp + 2L * size, size);
        int mask = CpuState.ARITHMETIC_FLAGS | CpuState.TF | CpuState.DF | CpuState.NT;
        if (size == 4) mask |= CpuState.RF | CpuState.AC | CpuState.ID;
        if (s.realOrVm86()) {
            if (target > s.segLimit[CpuState.CS]) throw c.fault(Cpu.GP, 0);
            c.setSp(sp + 3L * size);
            Segments.setReal(s, CpuState.CS, selector);
            s.rip = target;
            StackHandlers.setFlags(c, flags, mask);
        } else if ((flags & CpuState.VM) != 0 && s.cpl == 0 && size == 4) {
            toVm86(c, target, selector, flags, sp + 12);
        } else {
            // IF and IOPL change by the privilege of the IRET itself, not of where it returns to.
            int oldCpl = s.cpl;
            if (oldCpl == 0) mask |= CpuState.IF | CpuState.IOPL;
            else if (oldCpl <= c.iopl()) mask |= CpuState.IF;
            returnTo(c, selector, target, sp + 3L * size, size, 0);
            int old = (int) s.rflags();
            s.setRflags(old & ~mask | flags & mask);
        }
        finishIret(c);
    }

    private static void finishIret(Cpu c) {
        c.s.blocking &= ~CpuState.BLOCKING_NMI;
        c.updateMode();
    }

    /** IRETD at CPL 0 with VM in the popped flags (SDM 3B 20.2.5). */
    private static void toVm86(Cpu c, long target, int selector, int flags, long sp) {
        CpuState s = c.s;
        long newSp = c.stackRead(sp, 4);
        int ss = (int) c.stackRead(sp + 4, 4), es = (int) c.stackRead(sp + 8, 4), ds = (int) c.stackRead(sp + 12, 4);
        int fs = (int) c.stackRead(sp + 16, 4), gs = (int) c.stackRead(sp + 20, 4);
        if ((target & 0xffffffffL) > 0xffff) throw c.fault(Cpu.GP, 0);
        s.setRflags(flags);
        s.cpl = 3;
        Segments.setReal(s, CpuState.CS, selector);
        Segments.setReal(s, CpuState.SS, ss & 0xffff);
        Segments.setReal(s, CpuState.ES, es & 0xffff);
        Segments.setReal(s, CpuState.DS, ds & 0xffff);
        Segments.setReal(s, CpuState.FS, fs & 0xffff);
        Segments.setReal(s, CpuState.GS, gs & 0xffff);
        s.gpr[CpuState.RSP] = newSp & 0xffffffffL;
        s.rip = target & 0xffff;
    }

    // ---- INT ----

    static void int_(Cpu c, Insn i) {
        if (c.s.vm86() && c.iopl() < 3) throw c.fault(Cpu.GP, 0);
        int vector = (int) i.immediate & 0xff;
        if (Vm86Interrupts.handlesItself(c, vector)) Vm86Interrupts.enter(c, vector);
        else software(c, vector, CpuState.TYPE_SOFTWARE_INTERRUPT);
    }

    static void int3(Cpu c, Insn i) {
        softwareException(c, Cpu.BP, CpuState.TYPE_SOFTWARE_EXCEPTION);
    }

    static void int1(Cpu c, Insn i) {
        softwareException(c, Cpu.DB, CpuState.TYPE_PRIVILEGED_SOFTWARE_EXCEPTION);
    }

    static void into(Cpu c, Insn i) {
        if (c.s.of()) softwareException(c, Cpu.OF, CpuState.TYPE_SOFTWARE_EXCEPTION);
        else c.step();
    }

    private static void softwareException(Cpu c, int vector, int type) {
        if ((c.v.exceptionBitmap >> vector & 1) != 0) {
            c.sync();
            c.answer(c.calls.softwareException(c.v, vector));
        }
        software(c, vector, type);
    }

    private static void software(Cpu c, int vector, int type) {
        c.s.rip = c.rip();
        try {
            Delivery.enter(c, CpuState.INFO_VALID | type | vector, 0, c.length);
        } finally {
            c.ext = 0;
        }
    }
}
