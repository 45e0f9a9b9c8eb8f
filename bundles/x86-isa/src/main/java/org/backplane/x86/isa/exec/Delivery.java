package org.backplane.x86.isa.exec;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.Intercepts;

/**
 * Interrupts and exceptions: from a vector through the IVT or IDT to the handler (SDM 3A chapter 6; 3B 20.1.4, 20.3).
 *
 * <p><b>Guarantees.</b> {@link #enter} commits everything or nothing of an event. {@link #deliver} combines faults met on the way as SDM 3A
 * table 6-5 says: a second contributory fault becomes #DF, a fault in #DF a triple fault. When an intercept leaves the guest in the
 * middle, {@code state.vectoringInfo} names the event; so it does when {@code leave} is requested while an intercept asks for another try.
 */
public final class Delivery {
    private static final int TYPE_SOFT_FIRST = CpuState.TYPE_SOFTWARE_INTERRUPT;

    /** Vectors whose faults contribute to a double fault: #DE, #TS, #NP, #SS, #GP. */
    private static final int CONTRIBUTORY = 1 << Cpu.DE | 1 << Cpu.TS | 1 << Cpu.NP | 1 << Cpu.SS | 1 << Cpu.GP;

    /** Exceptions that push an error code. */
    private static final int WITH_ERROR =
            1 << Cpu.DF | 1 << Cpu.TS | 1 << Cpu.NP | 1 << Cpu.SS | 1 << Cpu.GP | 1 << Cpu.PF | 1 << Cpu.AC;

    private Delivery() {}

    /** The interruption information of a hardware exception; in real mode none has an error code (SDM 3C 27.2.2, 27.2.3). */
    public static int exceptionInfo(CpuState s, int vector) {
        int error = s.protectedMode() && vector < 32 && (WITH_ERROR >> vector & 1) != 0 ? CpuState.INFO_ERROR_CODE : 0;
        return CpuState.INFO_VALID | CpuState.TYPE_HARDWARE_EXCEPTION | error | vector;
    }

    /**
     * Delivers the fault that just unwound an instruction ({@code c.faultVector}), after asking the backend if it wants it.
     *
     * @return {@link Intercepts#DONE}, or EXIT; RETRY when the backend asks for the instruction again
     */
    public static int fault(Cpu c) {
        int vector = c.faultVector, error = c.faultError;
        int answer = intercepted(c, vector, error);
        if (answer == Intercepts.EXIT || answer == Intercepts.RETRY) return answer;
        return deliver(c, exceptionInfo(c.s, vector), Math.max(error, 0), 0);
    }

    /** Delivers the debug exceptions that are pending, as a trap (SDM 3B 17.3.1). */
    public static int debugTrap(Cpu c) {
        c.fault(Cpu.DB, Cpu.NO_ERROR);
        return fault(c);
    }

    private static int intercepted(Cpu c, int vector, int error) {
        int answer = Intercepts.DONE;
        if ((c.v.exceptionBitmap >> vector & 1) != 0) {
            answer = c.calls.exception(c.v, vector, error, vector == Cpu.DB ? c.s.debugCauses() : c.s.cr2);
        }
        if (vector == Cpu.DB) {
            // An exit leaves DR6 alone (SDM 3C 27.1): the causes are in its qualification.
            if (answer == Intercepts.DONE) c.s.enterDebugException();
            c.s.pendingDebug = 0;
        }
        return answer;
    }

    /** Delivers an event, and what goes wrong on the way. See {@code Emulator.deliver}. */
    public static int deliver(Cpu c, int eventInfo, int eventError, int insnLength) {
        CpuState s = c.s;
        int info = eventInfo, error = eventError, length = insnLength;
        for (;;) {
            // Named before anything can exit: who handles a page fault of the delivery must not take the interrupted instruction for its cause.
            s.vectoringInfo = info;
            s.vectoringError = error;
            s.vectoringLength = length;
            try {
                enter(c, info, error, length);
                s.vectoringInfo = 0;
                c.v.debug.completed();
                return Intercepts.DONE;
            } catch (Unwind u) {
                c.ext = 0;
                int vector = c.faultVector, faultError = c.faultError;
                int answer = u.kind == Unwind.FAULT ? intercepted(c, vector, faultError) : u.kind == Unwind.RETRY ? Intercepts.RETRY : Intercepts.EXIT;
                // Whoever asks for the same again and again does not keep out who asks the engine to leave.
                if (answer == Intercepts.RETRY && !c.v.leave) continue;
                if (answer == Intercepts.RETRY || answer == Intercepts.EXIT) return Intercepts.EXIT;
                s.vectoringInfo = 0;
                int first = (info & CpuState.INFO_TYPE) == CpuState.TYPE_HARDWARE_EXCEPTION ? info & 0xff : -1;
                if (first == Cpu.DF) return c.calls.tripleFault(c.v);
                if (doubleFault(first, vector)) {
                    vector = Cpu.DF;
                    faultError = 0;
                    // An exit by the double fault itself is none during delivery (SDM 3C 27.2.3): no vectoring information.
                    if ((c.v.exceptionBitmap >> Cpu.DF & 1) != 0) {
                        answer = c.calls.exception(c.v, Cpu.DF, 0, 0);
                        if (answer == Intercepts.EXIT) return answer;
                    }
                }
                info = exceptionInfo(s, vector);
                error = Math.max(faultError, 0);
                length = 0;
            }
        }
    }

    private static boolean doubleFault(int first, int second) {
        if (first < 0 || second >= 32) return false;
        boolean contributory = (CONTRIBUTORY >> second & 1) != 0;
        if (first == Cpu.PF) return contributory || second == Cpu.PF;
        return first < 32 && (CONTRIBUTORY >> first & 1) != 0 && contributory;
    }

    // ---- one event ----

    /** Enters the handler of an event, or unwinds with nothing changed. */
    static void enter(Cpu c, int info, int error, int insnLength) {
        c.v.trace.delivering(c.v, info, error);
        CpuState s = c.s;
        int vector = info & 0xff, type = info & CpuState.INFO_TYPE;
        boolean soft = type >= TYPE_SOFT_FIRST;
        long returnRip = soft ? s.rip + insnLength & 0xffffffffL : s.rip;
        c.ext = type == CpuState.TYPE_SOFTWARE_INTERRUPT || type == CpuState.TYPE_SOFTWARE_EXCEPTION ? 0 : 1;
        int errorCode = (info & CpuState.INFO_ERROR_CODE) != 0 && s.protectedMode() ? error : Cpu.NO_ERROR;
        int flags = (int) s.rflags();
        if (type == CpuState.TYPE_HARDWARE_EXCEPTION && vector != Cpu.DB && vector != Cpu.DF) flags |= CpuState.RF;
        if (s.protectedMode()) gate(c, vector, soft && type != CpuState.TYPE_PRIVILEGED_SOFTWARE_EXCEPTION, returnRip, flags, errorCode);
        else realMode(c, vector, returnRip, flags & ~CpuState.RF);
        if (type == CpuState.TYPE_NMI) s.blocking |= CpuState.BLOCKING_NMI;
        s.blocking &= ~(CpuState.BLOCKING_STI | CpuState.BLOCKING_MOV_SS);
        s.activity = CpuState.ACTIVE;
        c.ext = 0;
        c.eventEntered = true;
        c.updateMode();
    }

    private static void realMode(Cpu c, int vector, long rip, int flags) {
        CpuState s = c.s;
        if (vector * 4 + 3 > s.idtLimit) throw c.fault(Cpu.GP, 0);
        int entry = (int) c.readSystem(s.idtBase + vector * 4L, 4);
        Frame frame = c.frame;
        frame.current(c);
        frame.push(c, 2, flags);
        frame.push(c, 2, s.segSel[CpuState.CS]);
        frame.push(c, 2, rip);
        frame.commit(c);
        Segments.setReal(s, CpuState.CS, entry >>> 16);
        s.rip = entry & 0xffff;
        s.rflagsOther &= ~(CpuState.IF | CpuState.TF | CpuState.AC | CpuState.RF);
    }

    private static void gate(Cpu c, int vector, boolean soft, long rip, int flags, int error) {
        CpuState s = c.s;
        int idtError = vector * 8 + 2 | c.ext;
        if (vector * 8 + 7 > s.idtLimit) throw c.fault(Cpu.GP, idtError);
        long gate = c.readSystem(s.idtBase + vector * 8L, 8);
        int ar = Segments.rights(gate), type = ar & 0x1f;
        if (type != Segments.TASK_GATE && (type & 0x16) != 6) throw c.fault(Cpu.GP, idtError);
        if (soft && Segments.dpl(ar) < s.cpl) throw c.fault(Cpu.GP, idtError);
        if (!Segments.present(ar)) throw c.fault(Cpu.NP, idtError);
        int selector = (int) (gate >>> 16) & 0xffff;
        if (type == Segments.TASK_GATE) {
            TaskSwitch.fromGate(c, selector, rip, flags, error);
            return;
        }
        int size = (type & 8) != 0 ? 4 : 2;
        long target = size == 4 ? gate & 0xffff | gate >>> 48 << 16 : gate & 0xffff;
        if (Segments.isNull(selector)) throw c.fault(Cpu.GP, c.ext);
        long code = Segments.descriptor(c, selector, Cpu.GP);
        int codeAr = Segments.rights(code);
        if (!Segments.isCode(codeAr) || Segments.dpl(codeAr) > s.cpl) throw c.selectorFault(Cpu.GP, selector);
        if (!Segments.present(codeAr)) throw c.selectorFault(Cpu.NP, selector);
        boolean inner = !Segments.conforming(codeAr) && Segments.dpl(codeAr) < s.cpl;
        if (s.vm86() && (!inner || Segments.dpl(codeAr) != 0)) throw c.selectorFault(Cpu.GP, selector);
        int cpl = inner ? Segments.dpl(codeAr) : s.cpl;
        long stack = 0;
        int stackSelector = 0;
        Frame frame = c.frame;
        if (inner) {
            stackSelector = TaskState.innerSs(c, cpl);
            long sp = TaskState.innerSp(c, cpl);
            stack = Segments.stackDescriptor(c, stackSelector, cpl, Cpu.TS);
            frame.inner(stackSelector, stack, sp, cpl);
            if (s.vm86()) pushSegments(c, frame, size);
            frame.push(c, size, s.segSel[CpuState.SS]);
            frame.push(c, size, s.gpr[CpuState.RSP]);
        } else {
            frame.current(c);
        }
        frame.push(c, size, flags);
        frame.push(c, size, s.segSel[CpuState.CS]);
        frame.push(c, size, rip);
        if (error != Cpu.NO_ERROR) frame.push(c, size, error);
        if (target > Segments.limit(code)) throw c.fault(Cpu.GP, c.ext);
        code = Segments.accessed(c, selector, code);
        if (inner) stack = Segments.accessed(c, stackSelector, stack);
        // From here on nothing faults.
        boolean fromVm86 = s.vm86();
        s.rflagsOther &= ~(CpuState.TF | CpuState.NT | CpuState.RF | CpuState.VM);
        if ((type & 1) == 0) s.rflagsOther &= ~CpuState.IF;
        s.cpl = cpl;
        if (inner) Segments.set(s, CpuState.SS, stackSelector, stack);
        if (fromVm86) {
            for (int seg = CpuState.ES; seg <= CpuState.GS; seg++) {
                if (seg != CpuState.CS && seg != CpuState.SS) Segments.setNull(s, seg, 0);
            }
        }
        frame.commit(c);
        Segments.set(s, CpuState.CS, selector & ~3 | cpl, code);
        s.rip = target;
    }

    private static void pushSegments(Cpu c, Frame frame, int size) {
        frame.push(c, size, c.s.segSel[CpuState.GS]);
        frame.push(c, size, c.s.segSel[CpuState.FS]);
        frame.push(c, size, c.s.segSel[CpuState.DS]);
        frame.push(c, size, c.s.segSel[CpuState.ES]);
    }
}
