package org.backplane.x86.isa.exec;

import java.util.Map;
import java.util.function.Consumer;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.x86.isa.Insn;
import org.backplane.x86.isa.Mnemonic;
import org.backplane.x86.isa.fpu.X87;
import org.backplane.x86.isa.fpu.X87Image;

/**
 * The x87 instructions as seen from the processor: #NM, #MF, operands from and to memory, instruction and data pointers. The numbers are
 * crunched in {@link X87}.
 *
 * <p>With CR0.NE clear an unmasked exception would raise FERR# for an external controller; no such line is wired, so
 * execution goes on.
 */
final class FpuHandlers {
    private FpuHandlers() {}

    static void bind(Map<Mnemonic, Handler> map) {
        Mnemonic[] arithmetic = {
            Mnemonic.FADD, Mnemonic.FMUL, Mnemonic.FCOM, Mnemonic.FCOMP, Mnemonic.FSUB, Mnemonic.FSUBR, Mnemonic.FDIV,
            Mnemonic.FDIVR, Mnemonic.FIADD, Mnemonic.FIMUL, Mnemonic.FICOM, Mnemonic.FICOMP, Mnemonic.FISUB,
            Mnemonic.FISUBR, Mnemonic.FIDIV, Mnemonic.FIDIVR, Mnemonic.FADDP, Mnemonic.FMULP, Mnemonic.FSUBRP,
            Mnemonic.FSUBP, Mnemonic.FDIVRP, Mnemonic.FDIVP
        };
        for (Mnemonic m : arithmetic) map.put(m, FpuHandlers::arithmetic);
        loadsAndStores(map);
        comparisons(map);
        control(map);
        simple(map, Mnemonic.FCHS, X87::fchs);
        simple(map, Mnemonic.FABS, X87::fabs);
        simple(map, Mnemonic.FTST, X87::ftst);
        simple(map, Mnemonic.FXAM, X87::fxam);
        simple(map, Mnemonic.FSQRT, X87::fsqrt);
        simple(map, Mnemonic.FRNDINT, X87::frndint);
        simple(map, Mnemonic.FSCALE, X87::fscale);
        simple(map, Mnemonic.FXTRACT, X87::fxtract);
        simple(map, Mnemonic.FPREM, s -> X87.fprem(s, false));
        simple(map, Mnemonic.FPREM1, s -> X87.fprem(s, true));
        simple(map, Mnemonic.F2XM1, X87::f2xm1);
        simple(map, Mnemonic.FYL2X, X87::fyl2x);
        simple(map, Mnemonic.FYL2XP1, X87::fyl2xp1);
        simple(map, Mnemonic.FSIN, X87::fsin);
        simple(map, Mnemonic.FCOS, X87::fcos);
        simple(map, Mnemonic.FSINCOS, X87::fsincos);
        simple(map, Mnemonic.FPTAN, X87::fptan);
        simple(map, Mnemonic.FPATAN, X87::fpatan);
        simple(map, Mnemonic.FINCSTP, X87::fincstp);
        simple(map, Mnemonic.FDECSTP, X87::fdecstp);
        simple(map, Mnemonic.FNOP, s -> {});
    }

    private static void loadsAndStores(Map<Mnemonic, Handler> map) {
        map.put(Mnemonic.FLD, FpuHandlers::fld);
        map.put(Mnemonic.FILD, FpuHandlers::fild);
        map.put(Mnemonic.FBLD, FpuHandlers::fbld);
        map.put(Mnemonic.FST, (c, i) -> fst(c, i, false));
        map.put(Mnemonic.FSTP, (c, i) -> fst(c, i, true));
        map.put(Mnemonic.FIST, (c, i) -> fist(c, i, false));
        map.put(Mnemonic.FISTP, (c, i) -> fist(c, i, true));
        map.put(Mnemonic.FBSTP, FpuHandlers::fbstp);
        Mnemonic[] constants = {
            Mnemonic.FLD1, Mnemonic.FLDL2T, Mnemonic.FLDL2E, Mnemonic.FLDPI, Mnemonic.FLDLG2, Mnemonic.FLDLN2, Mnemonic.FLDZ
        };
        for (Mnemonic m : constants) map.put(m, FpuHandlers::constant);
        map.put(Mnemonic.FXCH, FpuHandlers::fxch);
        map.put(Mnemonic.FFREE, FpuHandlers::ffree);
        map.put(Mnemonic.FFREEP, FpuHandlers::ffreep);
        fcmov(map, Mnemonic.FCMOVB, 2);
        fcmov(map, Mnemonic.FCMOVNB, 3);
        fcmov(map, Mnemonic.FCMOVE, 4);
        fcmov(map, Mnemonic.FCMOVNE, 5);
        fcmov(map, Mnemonic.FCMOVBE, 6);
        fcmov(map, Mnemonic.FCMOVNBE, 7);
        fcmov(map, Mnemonic.FCMOVU, 10);
        fcmov(map, Mnemonic.FCMOVNU, 11);
    }

    private static void comparisons(Map<Mnemonic, Handler> map) {
        simple(map, Mnemonic.FCOMPP, X87::fcompp);
        simple(map, Mnemonic.FUCOMPP, s -> X87.fucom(s, 1, 2));
        map.put(Mnemonic.FUCOM, (c, i) -> {
            enter(c, i);
            X87.fucom(c.s, i.modrm & 7, 0);
        });
        map.put(Mnemonic.FUCOMP, (c, i) -> {
            enter(c, i);
            X87.fucom(c.s, i.modrm & 7, 1);
        });
        map.put(Mnemonic.FCOMI, (c, i) -> {
            enter(c, i);
            X87.fcomi(c.s, i.modrm & 7, false);
        });
        map.put(Mnemonic.FCOMIP, (c, i) -> {
            enter(c, i);
            X87.fcomi(c.s, i.modrm & 7, true);
        });
        map.put(Mnemonic.FUCOMI, (c, i) -> {
            enter(c, i);
            X87.fucomi(c.s, i.modrm & 7, false);
        });
        map.put(Mnemonic.FUCOMIP, (c, i) -> {
            enter(c, i);
            X87.fucomi(c.s, i.modrm & 7, true);
        });
    }

    private static void control(Map<Mnemonic, Handler> map) {
        map.put(Mnemonic.WAIT, FpuHandlers::wait_);
        map.put(Mnemonic.FLDCW, FpuHandlers::fldcw);
        map.put(Mnemonic.FNSTCW, FpuHandlers::fnstcw);
        map.put(Mnemonic.FNSTSW, FpuHandlers::fnstsw);
        for (Mnemonic m : new Mnemonic[] {Mnemonic.FNENI, Mnemonic.FNDISI, Mnemonic.FNSETPM}) map.put(m, FpuHandlers::available);
        map.put(Mnemonic.FNINIT, (c, i) -> {
            available(c, i);
            X87.fninit(c.s);
        });
        map.put(Mnemonic.FNCLEX, (c, i) -> {
            available(c, i);
            X87.fnclex(c.s);
        });
        map.put(Mnemonic.FNSTENV, FpuHandlers::fnstenv);
        map.put(Mnemonic.FLDENV, FpuHandlers::fldenv);
        map.put(Mnemonic.FNSAVE, FpuHandlers::fnsave);
        map.put(Mnemonic.FRSTOR, FpuHandlers::frstor);
        map.put(Mnemonic.FXSAVE, FpuHandlers::fxsave);
        map.put(Mnemonic.FXRSTOR, FpuHandlers::fxrstor);
    }

    private static void simple(Map<Mnemonic, Handler> map, Mnemonic m, Consumer<CpuState> operation) {
        map.put(m, (c, i) -> {
            enter(c, i);
            operation.accept(c.s);
        });
    }

    private static void fcmov(Map<Mnemonic, Handler> map, Mnemonic m, int condition) {
        map.put(m, (c, i) -> {
            enter(c, i);
            X87.fcmov(c.s, i.modrm & 7, Arithmetic.condition(c.s, condition));
        });
    }

    // ---- availability and pointers ----

    /** #NM by CR0.EM or CR0.TS (SDM 3A 2.5). */
    private static void available(Cpu c, Insn i) {
        if ((c.s.cr0 & (CpuState.CR0_EM | CpuState.CR0_TS)) != 0) throw c.fault(Cpu.NM, Cpu.NO_ERROR);
    }

    static void pendingException(Cpu c) {
        if (X87.pending(c.s) && (c.s.cr0 & CpuState.CR0_NE) != 0) throw c.fault(Cpu.MF, Cpu.NO_ERROR);
    }

    /** The beginning of a waiting instruction that is not a control instruction. */
    private static void enter(Cpu c, Insn i) {
        available(c, i);
        pendingException(c);
        CpuState s = c.s;
        s.fpInstructionPointer = c.rip();
        s.fpInstructionSelector = s.segSel[CpuState.CS];
        s.fpOpcode = (i.opcodeByte & 7) << 8 | i.modrm & 0xff;
    }

    /** The data pointer, once the operand has been reached. */
    private static void data(Cpu c, Insn i, long off) {
        c.s.fpDataPointer = off;
        c.s.fpDataSelector = c.s.segSel[i.segment];
    }

    private static void waiting(Cpu c, Insn i) {
        available(c, i);
        pendingException(c);
    }

    static void wait_(Cpu c, Insn i) {
        long both = CpuState.CR0_MP | CpuState.CR0_TS;
        if ((c.s.cr0 & both) == both) throw c.fault(Cpu.NM, Cpu.NO_ERROR);
        pendingException(c);
    }

    // ---- arithmetic ----

    private static void arithmetic(Cpu c, Insn i) {
        enter(c, i);
        CpuState s = c.s;
        int op = i.regField();
        if (i.modrm >= 0xc0) {
            if (i.opcodeByte == 0xd8) X87.arithSt0(s, op, i.modrm & 7);
            else X87.arithSti(s, op, i.modrm & 7, i.opcodeByte == 0xde);
            return;
        }
        long off = c.effective(i);
        long value = c.readSegment(i.segment, off, i.size0);
        data(c, i, off);
        switch (i.opcodeByte) {
            case 0xd8 -> X87.arithF32(s, op, (int) value);
            case 0xdc -> X87.arithF64(s, op, value);
            case 0xda -> X87.arithInt(s, op, (int) value);
            default -> X87.arithInt(s, op, (short) value);
        }
    }

    // ---- loads ----

    private static void fld(Cpu c, Insn i) {
        enter(c, i);
        CpuState s = c.s;
        if (i.kind0 == Insn.ST) {
            X87.fldSt(s, i.number0);
            return;
        }
        long off = c.effective(i);
        switch (i.size0) {
            case 4 -> {
                int bits = (int) c.readSegment(i.segment, off, 4);
                data(c, i, off);
                X87.fldF32(s, bits);
            }
            case 8 -> {
                long bits = c.readSegment(i.segment, off, 8);
                data(c, i, off);
                X87.fldF64(s, bits);
            }
            default -> {
                long gva = c.linear(i.segment, off, 10, false);
                long mantissa = c.read(gva, 8);
                int high = (int) c.read(gva + 8 & 0xffffffffL, 2);
                data(c, i, off);
                X87.fldF80(s, mantissa, high);
            }
        }
    }

    private static void fild(Cpu c, Insn i) {
        enter(c, i);
        long off = c.effective(i);
        long value = c.readSegment(i.segment, off, i.size0);
        data(c, i, off);
        int shift = 64 - 8 * i.size0;
        X87.fild(c.s, value << shift >> shift);
    }

    private static void fbld(Cpu c, Insn i) {
        enter(c, i);
        long off = c.effective(i);
        long gva = c.linear(i.segment, off, 10, false);
        long low = c.read(gva, 8);
        int high = (int) c.read(gva + 8 & 0xffffffffL, 2);
        data(c, i, off);
        X87.fbld(c.s, low, high);
    }

    private static void constant(Cpu c, Insn i) {
        enter(c, i);
        X87.fldConstant(c.s, i.modrm & 7);
    }

    // ---- stores: when memory faults, the status word is as it was ----

    private static void fst(Cpu c, Insn i, boolean pop) {
        enter(c, i);
        CpuState s = c.s;
        if (i.kind0 == Insn.ST) {
            X87.fstSt(s, i.number0, pop);
            return;
        }
        int status = s.fpStatus;
        long off = c.effective(i);
        boolean stored = false;
        try {
            if (i.size0 == 10) {
                long mantissa = X87.fstF80Mantissa(s);
                if (X87.storeAllowed(s)) storeTen(c, i, off, mantissa, X87.fstF80SignExp(s));
            } else {
                long bits = i.size0 == 4 ? X87.fstF32(s) : X87.fstF64(s);
                if (X87.storeAllowed(s)) c.writeSegment(i.segment, off, i.size0, bits);
            }
            stored = true;
        } finally {
            if (!stored) s.fpStatus = status;
        }
        data(c, i, off);
        if (pop && X87.storeAllowed(s)) X87.pop(s);
    }

    private static void fist(Cpu c, Insn i, boolean pop) {
        enter(c, i);
        CpuState s = c.s;
        int status = s.fpStatus;
        long off = c.effective(i);
        long bits = X87.fist(s, 8 * i.size0);
        boolean stored = false;
        try {
            if (X87.storeAllowed(s)) c.writeSegment(i.segment, off, i.size0, bits);
            stored = true;
        } finally {
            if (!stored) s.fpStatus = status;
        }
        data(c, i, off);
        if (pop && X87.storeAllowed(s)) X87.pop(s);
    }

    private static void fbstp(Cpu c, Insn i) {
        enter(c, i);
        CpuState s = c.s;
        int status = s.fpStatus;
        long off = c.effective(i);
        boolean stored = false;
        try {
            long low = X87.fbstpLow(s);
            if (X87.storeAllowed(s)) storeTen(c, i, off, low, X87.fbstpHigh(s));
            stored = true;
        } finally {
            if (!stored) s.fpStatus = status;
        }
        data(c, i, off);
        if (X87.storeAllowed(s)) X87.pop(s);
    }

    private static void storeTen(Cpu c, Insn i, long off, long low, int high) {
        long gva = c.linear(i.segment, off, 10, true);
        probe(c, gva, 10);
        c.write(gva, 8, low);
        c.write(gva + 8 & 0xffffffffL, 2, high & 0xffff);
    }

    /** Demands that a whole operand can be written, before the first of its pieces is. */
    private static void probe(Cpu c, long gva, int bytes) {
        int access = c.s.cpl == 3 ? 6 : 2;
        c.memory.probeWrite(c, gva, access);
        if ((gva & 0xfff) + bytes > 0x1000) c.memory.probeWrite(c, (gva | 0xfff) + 1 & 0xffffffffL, access);
    }

    // ---- registers ----

    private static void fxch(Cpu c, Insn i) {
        enter(c, i);
        X87.fxch(c.s, i.modrm & 7);
    }

    private static void ffree(Cpu c, Insn i) {
        enter(c, i);
        X87.ffree(c.s, i.modrm & 7);
    }

    private static void ffreep(Cpu c, Insn i) {
        ffree(c, i);
        X87.pop(c.s);
    }

    // ---- control ----

    private static void fldcw(Cpu c, Insn i) {
        waiting(c, i);
        X87.fldcw(c.s, (int) c.get(i, 0));
    }

    private static void fnstcw(Cpu c, Insn i) {
        available(c, i);
        c.put(i, 0, X87.fnstcw(c.s));
    }

    private static void fnstsw(Cpu c, Insn i) {
        available(c, i);
        c.put(i, 0, X87.fnstsw(c.s));
    }

    private static int format(Cpu c, Insn i) {
        return (i.operandSize == 2 ? 0 : 1) | (c.s.realOrVm86() ? 0 : 2);
    }

    private static void storeImage(Cpu c, Insn i, int bytes, int step) {
        long gva = c.linear(i.segment, c.effective(i), bytes, true);
        probe(c, gva, bytes);
        byte[] image = c.image;
        for (int n = 0; n < bytes; n += step) {
            long value = 0;
            for (int b = step - 1; b >= 0; b--) value = value << 8 | image[n + b] & 0xff;
            c.write(gva + n & 0xffffffffL, step, value);
        }
    }

    private static void loadImage(Cpu c, Insn i, int bytes, int step) {
        long gva = c.linear(i.segment, c.effective(i), bytes, false);
        byte[] image = c.image;
        for (int n = 0; n < bytes; n += step) {
            long value = c.read(gva + n & 0xffffffffL, step);
            for (int b = 0; b < step; b++) image[n + b] = (byte) (value >> 8 * b);
        }
    }

    private static void fnstenv(Cpu c, Insn i) {
        available(c, i);
        int format = format(c, i);
        X87Image.environment(c.s, c.image, format);
        storeImage(c, i, X87Image.environmentSize(format), 2);
        X87Image.fnstenv(c.s);
    }

    private static void fldenv(Cpu c, Insn i) {
        waiting(c, i);
        int format = format(c, i);
        loadImage(c, i, X87Image.environmentSize(format), 2);
        X87Image.fldenv(c.s, c.image, format);
    }

    private static void fnsave(Cpu c, Insn i) {
        available(c, i);
        int format = format(c, i);
        X87Image.state(c.s, c.image, format);
        storeImage(c, i, X87Image.stateSize(format), 2);
        X87.fninit(c.s);
    }

    private static void frstor(Cpu c, Insn i) {
        waiting(c, i);
        int format = format(c, i);
        loadImage(c, i, X87Image.stateSize(format), 2);
        X87Image.frstor(c.s, c.image, format);
    }

    private static int xmmRegisters(Cpu c) {
        return (c.s.cr4 & CpuState.CR4_OSFXSR) != 0 ? 8 : 0;
    }

    /** FXSAVE and FXRSTOR need 16-byte alignment (SDM 2A). */
    private static void aligned(Cpu c, Insn i) {
        available(c, i);
        if ((c.linear(i.segment, c.effective(i), 512, i.opcode.mnemonic == Mnemonic.FXSAVE) & 15) != 0) {
            throw c.fault(Cpu.GP, 0);
        }
    }

    private static void fxsave(Cpu c, Insn i) {
        aligned(c, i);
        int bytes = X87Image.fxsave(c.s, c.image, xmmRegisters(c), (i.rex & Insn.REX_W) != 0);
        storeImage(c, i, bytes, 8);
    }

    private static void fxrstor(Cpu c, Insn i) {
        aligned(c, i);
        loadImage(c, i, 512, 8);
        if (!X87Image.fxrstor(c.s, c.image, xmmRegisters(c), (i.rex & Insn.REX_W) != 0)) throw c.fault(Cpu.GP, 0);
    }
}
