package org.backplane.x86.isa.exec;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.Intercepts;

/**
 * Hardware task switches (SDM 3A 7.3).
 *
 * <p>Up to the commit point faults belong to the old task and nothing has changed. The old state is then stored, the new loaded, and
 * faults of the new task's segments are raised in its context, with the registers already its own; a segment that was not
 * reached stays unusable with its selector set.
 */
final class TaskSwitch {
    /** What started it, as the exit qualification numbers it (SDM 3C 27.2.1). */
    private static final int CALL = 0, IRET = 1, JMP = 2, GATE = 3;

    /** Order in which a 32-bit TSS keeps the segment registers; a 16-bit one has the first four. */
    private static final int[] SEGMENTS = {
        CpuState.ES, CpuState.CS, CpuState.SS, CpuState.DS, CpuState.FS, CpuState.GS
    };

    private TaskSwitch() {}

    static void jumpOrCall(Cpu c, int selector, boolean call) {
        run(c, selector, call ? CALL : JMP, c.nextRip(), (int) c.s.rflags(), Cpu.NO_ERROR, Cpu.GP);
    }

    /** A task gate in the IDT: the old task's EIP and flags are those that the event would have pushed. */
    static void fromGate(Cpu c, int selector, long rip, int flags, int error) {
        run(c, selector, GATE, rip, flags & ~CpuState.RF | (int) c.s.rflags() & CpuState.RF, error, Cpu.GP);
    }

    /** IRET with NT set: back to the task in the link field. */
    static void iret(Cpu c) {
        CpuState s = c.s;
        int link = (int) c.readSystem(s.segBase[CpuState.TR], 2);
        run(c, link, IRET, c.nextRip(), (int) s.rflags() & ~CpuState.NT, Cpu.NO_ERROR, Cpu.TS);
    }

    private static void run(Cpu c, int selector, int source, long rip, int flags, int error, int vector) {
        CpuState s = c.s;
        if (Segments.isNull(selector) || (selector & 4) != 0) throw c.selectorFault(vector, selector);
        long d = Segments.descriptor(c, selector, vector);
        int ar = Segments.rights(d), type = ar & 0x1f;
        boolean wide = (type & 8) != 0;
        boolean busy = (type & 2) != 0;
        if ((type & 0x15) != 1 || busy != (source == IRET)) throw c.selectorFault(vector, selector);
        if (!Segments.present(ar)) throw c.selectorFault(Cpu.NP, selector);
        long base = Segments.base(d);
        if (Segments.limit(d) < (wide ? 0x67 : 0x2b)) throw c.selectorFault(Cpu.TS, selector);
        if (source == GATE) {
            c.v.insnLength = 0;
        } else {
            c.sync();
        }
        c.answer(c.calls.taskSwitch(c.v, selector, source));
        boolean oldWide = (s.segAr[CpuState.TR] & 8) != 0;
        long oldBase = s.segBase[CpuState.TR];
        // Both images must be reachable before anything is stored.
        int access = Memory.SYSTEM | Intercepts.WRITE;
        c.memory.probeWrite(c, oldBase & 0xffffffffL, access);
        c.memory.probeWrite(c, oldBase + (oldWide ? 0x5f : 0x29) & 0xffffffffL, access);
        c.readSystem(base, 2);
        c.readSystem(base + (wide ? 0x64 : 0x2a), 2);
        if (source == CALL || source == GATE) c.memory.probeWrite(c, base & 0xffffffffL, access);
        if (source == JMP || source == IRET) setBusy(c, s.segSel[CpuState.TR], false);
        save(c, oldBase, oldWide, rip, flags);
        if (source == CALL || source == GATE) c.writeSystem(base, 2, s.segSel[CpuState.TR]);
        if (source != IRET) setBusy(c, selector, true);
        load(c, selector, d, base, wide, source == CALL || source == GATE);
        loadSegments(c, base, wide);
        finish(c, base, wide, error);
    }

    private static void setBusy(Cpu c, int selector, boolean busy) {
        long at = Segments.address(c.s, selector) + 5;
        long type = c.readSystem(at, 1);
        c.writeSystem(at, 1, busy ? type | 2 : type & ~2L);
    }

    private static void save(Cpu c, long base, boolean wide, long rip, int flags) {
        CpuState s = c.s;
        int size = wide ? 4 : 2;
        long at = base + (wide ? 0x20 : 0x0e);
        c.writeSystem(at, size, rip);
        c.writeSystem(at + size, size, flags);
        for (int r = 0; r < 8; r++) c.writeSystem(at + (2L + r) * size, size, s.gpr[r]);
        for (int n = 0; n < (wide ? 6 : 4); n++) c.writeSystem(at + (10L + n) * size, 2, s.segSel[SEGMENTS[n]]);
    }

    /** Loads everything that cannot fault: TR, general registers, flags, EIP, CR3, and the selectors as such. */
    private static void load(Cpu c, int selector, long d, long base, boolean wide, boolean nested) {
        CpuState s = c.s;
        int size = wide ? 4 : 2;
        long at = base + (wide ? 0x20 : 0x0e);
        long cr3 = wide ? c.readSystem(base + 0x1c, 4) : 0;
        long rip = c.readSystem(at, size);
        int flags = (int) c.readSystem(at + size, size);
        for (int r = 0; r < 8; r++) {
            long value = c.readSystem(at + (2L + r) * size, size);
            s.gpr[r] = wide ? value : value | 0xffff0000L;
        }
        for (int n = 0; n < 6; n++) {
            int value = n < 4 || wide ? (int) c.readSystem(at + (10L + n) * size, 2) : 0;
            Segments.setNull(s, SEGMENTS[n], value);
        }
        int ldt = (int) c.readSystem(base + (wide ? 0x60 : 0x2a), 2);
        Segments.setNull(s, CpuState.LDTR, ldt);
        Segments.set(s, CpuState.TR, selector, d | 2L << 40);
        if (!wide) flags |= (int) s.rflags() & 0xffff0000;
        if (nested) flags |= CpuState.NT;
        s.setRflags(flags & (wide ? -1 : ~(CpuState.VM | CpuState.RF)));
        s.rip = rip;
        c.begin(rip, c.retired + c.index);
        c.offset = c.index = c.length = 0;
        s.cr0 |= CpuState.CR0_TS;
        s.dr[7] &= ~0x155L; // local breakpoints
        if (wide && (s.cr0 & CpuState.CR0_PG) != 0) c.answer(c.calls.writeCr(c.v, 3, cr3));
    }

    private static void loadSegments(Cpu c, long base, boolean wide) {
        CpuState s = c.s;
        int ldt = s.segSel[CpuState.LDTR];
        if (!Segments.isNull(ldt)) {
            if ((ldt & 4) != 0 || !Segments.inTable(s, ldt)) throw c.selectorFault(Cpu.TS, ldt);
            long d = c.readSystem(Segments.address(s, ldt), 8);
            if ((Segments.rights(d) & 0x1f) != Segments.LDT || !Segments.present(Segments.rights(d))) {
                throw c.selectorFault(Cpu.TS, ldt);
            }
            Segments.set(s, CpuState.LDTR, ldt, d);
        }
        if (s.vm86()) {
            s.cpl = 3;
            for (int seg : SEGMENTS) Segments.setReal(s, seg, s.segSel[seg]);
            return;
        }
        int cs = s.segSel[CpuState.CS];
        if (Segments.isNull(cs)) throw c.selectorFault(Cpu.TS, cs);
        long code = Segments.descriptor(c, cs, Cpu.TS);
        int ar = Segments.rights(code), cpl = cs & 3;
        boolean allowed = Segments.conforming(ar) ? Segments.dpl(ar) <= cpl : Segments.dpl(ar) == cpl;
        if (!Segments.isCode(ar) || !allowed) throw c.selectorFault(Cpu.TS, cs);
        if (!Segments.present(ar)) throw c.selectorFault(Cpu.NP, cs);
        s.cpl = cpl;
        Segments.set(s, CpuState.CS, cs, Segments.accessed(c, cs, code));
        int ss = s.segSel[CpuState.SS];
        long stack = Segments.stackDescriptor(c, ss, cpl, Cpu.TS);
        Segments.set(s, CpuState.SS, ss, Segments.accessed(c, ss, stack));
        for (int seg : SEGMENTS) if (seg != CpuState.CS && seg != CpuState.SS) loadData(c, seg);
    }

    private static void loadData(Cpu c, int seg) {
        int selector = c.s.segSel[seg];
        if (Segments.isNull(selector)) return;
        long d = Segments.descriptor(c, selector, Cpu.TS);
        int ar = Segments.rights(d);
        boolean code = Segments.isCode(ar);
        boolean readable = (ar & CpuState.AR_S) != 0 && (!code || (ar & Segments.READABLE) != 0);
        boolean allowed = code && Segments.conforming(ar)
                || Segments.dpl(ar) >= c.s.cpl && Segments.dpl(ar) >= (selector & 3);
        if (!readable || !allowed) throw c.selectorFault(Cpu.TS, selector);
        if (!Segments.present(ar)) throw c.selectorFault(Cpu.NP, selector);
        Segments.set(c.s, seg, selector, Segments.accessed(c, selector, d));
    }

    private static void finish(Cpu c, long base, boolean wide, int error) {
        CpuState s = c.s;
        c.updateMode();
        if (error != Cpu.NO_ERROR) {
            Frame frame = c.frame;
            frame.current(c);
            frame.push(c, wide ? 4 : 2, error);
            frame.commit(c);
        }
        if (s.rip > s.segLimit[CpuState.CS]) throw c.fault(Cpu.GP, 0);
        if (wide && (c.readSystem(base + 0x64, 2) & 1) != 0) {
            // BT has no place among the pending debug exceptions (SDM 3C 24.4.2).
            s.dr[6] |= DebugRegisters.BT;
            s.pendingDebug |= CpuState.PENDING_ENABLED;
        }
    }
}
