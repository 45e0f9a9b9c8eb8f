package org.backplane.kvm.core.cpu;

import static org.backplane.kvm.spi.cpu.CpuState.*;

import org.backplane.kvm.api.KvmFpu;
import org.backplane.kvm.api.KvmRegs;
import org.backplane.kvm.api.KvmSregs;
import org.backplane.kvm.api.KvmSregs.Segment;
import org.backplane.kvm.api.KvmSregs.Table;
import org.backplane.kvm.spi.cpu.CpuState;

/** Converts between {@link CpuState} and the register structures of the KVM API. No checks beyond the width of fields. */
public final class RegisterFiles {
    private RegisterFiles() {}

    public static KvmRegs regs(CpuState s) {
        KvmRegs r = new KvmRegs();
        System.arraycopy(s.gpr, 0, r.gpr, 0, 16);
        r.rip = s.rip;
        r.rflags = s.rflags();
        return r;
    }

    public static void setRegs(CpuState s, KvmRegs r) {
        System.arraycopy(r.gpr, 0, s.gpr, 0, 16);
        s.rip = r.rip;
        s.setRflags(r.rflags);
        // An exception that was about to be delivered belongs to the registers that are gone, as KVM's vcpu->exception is.
        s.pendingDebug = 0;
    }

    public static KvmSregs sregs(CpuState s, long apicBase) {
        KvmSregs r = new KvmSregs();
        r.es = segment(s, ES);
        r.cs = segment(s, CS);
        r.ss = segment(s, SS);
        r.ds = segment(s, DS);
        r.fs = segment(s, FS);
        r.gs = segment(s, GS);
        r.ldt = segment(s, LDTR);
        r.tr = segment(s, TR);
        r.gdt = new Table(s.gdtBase, s.gdtLimit);
        r.idt = new Table(s.idtBase, s.idtLimit);
        r.cr0 = s.cr0;
        r.cr2 = s.cr2;
        r.cr3 = s.cr3;
        r.cr4 = s.cr4;
        r.cr8 = s.cr8;
        r.efer = s.efer;
        r.apicBase = apicBase;
        return r;
    }

    public static void setSregs(CpuState s, KvmSregs r) {
        setSegment(s, ES, r.es);
        setSegment(s, CS, r.cs);
        setSegment(s, SS, r.ss);
        setSegment(s, DS, r.ds);
        setSegment(s, FS, r.fs);
        setSegment(s, GS, r.gs);
        setSegment(s, LDTR, r.ldt);
        setSegment(s, TR, r.tr);
        s.gdtBase = r.gdt.base();
        s.gdtLimit = r.gdt.limit() & 0xffff;
        s.idtBase = r.idt.base();
        s.idtLimit = r.idt.limit() & 0xffff;
        s.cr0 = r.cr0;
        s.cr2 = r.cr2;
        s.cr3 = r.cr3;
        s.cr4 = r.cr4;
        s.cr8 = r.cr8;
        s.efer = r.efer;
        boolean protectedMode = (r.cr0 & CR0_PE) != 0;
        s.cpl = !protectedMode ? 0 : s.vm86() ? 3 : r.ss.dpl();
    }

    private static Segment segment(CpuState s, int n) {
        int ar = s.segAr[n];
        return new Segment(
                s.segBase[n],
                s.segLimit[n],
                s.segSel[n],
                ar & AR_TYPE,
                (ar & AR_P) != 0,
                (ar & AR_DPL) >> 5,
                (ar & AR_DB) != 0,
                (ar & AR_S) != 0,
                (ar & AR_L) != 0,
                (ar & AR_G) != 0,
                (ar & AR_AVL) != 0,
                (ar & AR_UNUSABLE) != 0);
    }

    private static void setSegment(CpuState s, int n, Segment g) {
        s.segBase[n] = g.base();
        s.segLimit[n] = g.limit() & 0xffffffffL;
        s.segSel[n] = g.selector() & 0xffff;
        s.segAr[n] = g.type() & AR_TYPE
                | (g.s() ? AR_S : 0)
                | (g.dpl() & 3) << 5
                | (g.present() ? AR_P : 0)
                | (g.avl() ? AR_AVL : 0)
                | (g.l() ? AR_L : 0)
                | (g.db() ? AR_DB : 0)
                | (g.g() ? AR_G : 0)
                | (g.unusable() ? AR_UNUSABLE : 0);
    }

    public static KvmFpu fpu(CpuState s) {
        KvmFpu f = new KvmFpu();
        for (int i = 0; i < 8; i++) {
            int p = s.fpTop + i & 7;
            for (int b = 0; b < 8; b++) f.fpr[i][b] = (byte) (s.fpMantissa[p] >>> 8 * b);
            f.fpr[i][8] = (byte) s.fpSignExp[p];
            f.fpr[i][9] = (byte) (s.fpSignExp[p] >>> 8);
        }
        f.fcw = s.fpControl;
        f.fsw = s.fpStatusWord();
        f.ftwx = ~s.fpEmpty & 0xff;
        f.lastOpcode = s.fpOpcode;
        f.lastIp = s.fpInstructionPointer;
        f.lastDp = s.fpDataPointer;
        for (int i = 0; i < 16; i++) {
            for (int b = 0; b < 16; b++) f.xmm[i][b] = (byte) (s.xmm[2 * i + (b >> 3)] >>> 8 * (b & 7));
        }
        f.mxcsr = s.mxcsr;
        return f;
    }

    public static void setFpu(CpuState s, KvmFpu f) {
        s.fpControl = f.fcw & 0xffff;
        s.setFpStatusWord(f.fsw);
        s.fpEmpty = ~f.ftwx & 0xff;
        for (int i = 0; i < 8; i++) {
            int p = s.fpTop + i & 7;
            long m = 0;
            for (int b = 7; b >= 0; b--) m = m << 8 | f.fpr[i][b] & 0xff;
            s.fpMantissa[p] = m;
            s.fpSignExp[p] = f.fpr[i][8] & 0xff | (f.fpr[i][9] & 0xff) << 8;
        }
        s.fpOpcode = f.lastOpcode & 0x7ff;
        s.fpInstructionPointer = f.lastIp;
        s.fpDataPointer = f.lastDp;
        for (int i = 0; i < 32; i++) {
            long x = 0;
            for (int b = 7; b >= 0; b--) x = x << 8 | f.xmm[i >> 1][(i & 1) * 8 + b] & 0xff;
            s.xmm[i] = x;
        }
        s.mxcsr = f.mxcsr;
    }
}
