package org.backplane.x86.isa.fpu;

import org.backplane.kvm.spi.cpu.CpuState;

/**
 * The instructions of the x87 floating-point unit.
 *
 * <p><b>Caller's part.</b> Before a waiting instruction: #NM by CR0, then #MF when {@link #pending}. Memory operands are
 * read by the caller before the call, and given as raw bits. The caller also updates FIP, FDP and FOP.
 *
 * <p><b>Exceptions</b> never unwind. Masked ones leave their SDM-defined result; unmasked ones set ES and B in the status
 * word, for the #MF of the next waiting instruction. An unmasked pre-computation exception (invalid, denormal, zero divide,
 * stack fault) leaves registers and stack as they were (SDM 1 8.5); the methods below then do not pop either.
 *
 * <p><b>Stores.</b> A store method gives the bits and sets the status word, but does not pop, as memory may fault:
 * <pre>{@code
 * int status = s.fpStatus;
 * long bits = X87.fstF64(s);
 * if (X87.storeAllowed(s)) {
 *     if (!store64(gva, bits)) { s.fpStatus = status; return fault; }   // as if nothing had happened
 *     if (popping) X87.pop(s);
 * }
 * }</pre>
 *
 * <p>Thread: that of the vCPU. Nothing here allocates, except that the transcendental instructions use a small scratch object.
 */
public final class X87 {
    /** Status word: exception flags, stack fault, error summary, condition codes, busy. */
    public static final int IE = 1,
            DE = 2,
            ZE = 4,
            OE = 8,
            UE = 0x10,
            PE = 0x20,
            SF = 0x40,
            ES = 0x80,
            C0 = 0x100,
            C1 = 0x200,
            C2 = 0x400,
            C3 = 0x4000,
            B = 0x8000;

    /** All exception flags that the control word can mask. */
    public static final int EXCEPTIONS = 0x3f;

    /** Operations as the reg field of ModRM numbers them in D8, DA, DC and DE (SDM 2 appendix B). */
    public static final int ADD = 0, MUL = 1, COM = 2, COMP = 3, SUB = 4, SUBR = 5, DIV = 6, DIVR = 7;

    private X87() {}

    // ---- control ----

    /** An unmasked exception waits for delivery: the next waiting instruction raises #MF. */
    public static boolean pending(CpuState s) {
        return (s.fpStatus & ES) != 0;
    }

    /** FNINIT (SDM 2A). The registers keep their contents. */
    public static void fninit(CpuState s) {
        s.fpControl = 0x37f;
        s.fpStatus = 0;
        s.fpTop = 0;
        s.fpEmpty = 0xff;
        s.fpInstructionPointer = s.fpDataPointer = 0;
        s.fpInstructionSelector = s.fpDataSelector = s.fpOpcode = 0;
    }

    /** FNCLEX. */
    public static void fnclex(CpuState s) {
        s.fpStatus &= ~(EXCEPTIONS | SF | ES | B);
    }

    /** FLDCW: 16 bits. Unmasking an exception whose flag is set makes it pending. */
    public static void fldcw(CpuState s, int value) {
        s.fpControl = value & 0x1f3f | 0x40;
        Status.summarize(s);
    }

    /** FNSTCW: 16 bits. */
    public static int fnstcw(CpuState s) {
        return s.fpControl | 0x40;
    }

    /** FNSTSW: 16 bits, with TOP. */
    public static int fnstsw(CpuState s) {
        return s.fpStatusWord();
    }

    // ---- the stack ----

    /** Marks ST(0) empty and increments TOP. */
    public static void pop(CpuState s) {
        int top = s.fpTop;
        s.fpEmpty |= 1 << top;
        s.fpTop = top + 1 & 7;
    }

    /** FINCSTP. */
    public static void fincstp(CpuState s) {
        s.fpTop = s.fpTop + 1 & 7;
        s.fpStatus &= ~C1;
    }

    /** FDECSTP. */
    public static void fdecstp(CpuState s) {
        s.fpTop = s.fpTop - 1 & 7;
        s.fpStatus &= ~C1;
    }

    /** FFREE ST(i). FFREEP is this and {@link #pop}. */
    public static void ffree(CpuState s, int i) {
        s.fpEmpty |= 1 << (s.fpTop + i & 7);
    }

    /** FXCH ST(i). */
    public static void fxch(CpuState s, int i) {
        int a = s.fpTop, b = s.fpTop + i & 7;
        s.fpStatus &= ~C1;
        if ((s.fpEmpty >> a & 1 | s.fpEmpty >> b & 1) != 0) {
            if (!Status.underflow(s)) return;
            // Masked: what is empty counts as the indefinite, and is exchanged as that.
            if ((s.fpEmpty >> a & 1) != 0) Ext.setIndefinite(s, a);
            if ((s.fpEmpty >> b & 1) != 0) Ext.setIndefinite(s, b);
        }
        long m = s.fpMantissa[a];
        int e = s.fpSignExp[a];
        s.fpMantissa[a] = s.fpMantissa[b];
        s.fpSignExp[a] = s.fpSignExp[b];
        s.fpMantissa[b] = m;
        s.fpSignExp[b] = e;
    }

    // ---- loads ----

    /** FLD ST(i). */
    public static void fldSt(CpuState s, int i) {
        int reg = s.fpTop + i & 7;
        s.fpStatus &= ~C1;
        if ((s.fpEmpty >> reg & 1) == 0) {
            Ext.push(s, s.fpSignExp[reg], s.fpMantissa[reg]);
        } else if (Status.underflow(s)) {
            // The one fault hides a second one: whatever the push meets is overwritten.
            s.fpTop = s.fpTop - 1 & 7;
            Ext.setIndefinite(s, s.fpTop);
        }
    }

    /** FLD m32fp. */
    public static void fldF32(CpuState s, int bits) {
        Load.f32(s, bits);
    }

    /** FLD m64fp. */
    public static void fldF64(CpuState s, long bits) {
        Load.f64(s, bits);
    }

    /** FLD m80fp: significand, and sign with exponent (16 bits). */
    public static void fldF80(CpuState s, long mantissa, int signExp) {
        s.fpStatus &= ~C1;
        Ext.push(s, signExp & 0xffff, mantissa);
    }

    /** FILD of any width: the integer, sign-extended. */
    public static void fild(CpuState s, long value) {
        Load.integer(s, value);
    }

    /** FBLD: packed decimal, digits 0 to 15 in {@code low}, digits 16, 17 and the sign byte in the 16 bits of {@code high}. */
    public static void fbld(CpuState s, long low, int high) {
        Bcd.load(s, low, high);
    }

    /** FLD1, FLDL2T, FLDL2E, FLDPI, FLDLG2, FLDLN2, FLDZ: D9 E8+n, n 0 to 6. */
    public static void fldConstant(CpuState s, int n) {
        Load.constant(s, n);
    }

    // ---- stores: see the class comment ----

    /** False after a store method when an unmasked exception forbids the store (and the pop). */
    public static boolean storeAllowed(CpuState s) {
        // The instruction began with nothing pending, so an unmasked flag is its own. Precision does not stop a store.
        return (s.fpStatus & ~s.fpControl & (EXCEPTIONS & ~PE)) == 0;
    }

    /** FST m32fp: the bits to store. */
    public static int fstF32(CpuState s) {
        return Store.f32(s);
    }

    /** FST m64fp: the bits to store. */
    public static long fstF64(CpuState s) {
        return Store.f64(s);
    }

    /** FSTP m80fp: the significand, bytes 0 to 7; sets the status. */
    public static long fstF80Mantissa(CpuState s) {
        s.fpStatus &= ~C1;
        if ((s.fpEmpty >> s.fpTop & 1) == 0) return s.fpMantissa[s.fpTop];
        Status.underflow(s);
        return Ext.INDEFINITE;
    }

    /** FSTP m80fp: bytes 8 and 9. */
    public static int fstF80SignExp(CpuState s) {
        return (s.fpEmpty >> s.fpTop & 1) == 0 ? s.fpSignExp[s.fpTop] : Ext.INDEFINITE_SE;
    }

    /** FIST of 16, 32 or 64 bits: the integer to store, or the integer indefinite of that width. */
    public static long fist(CpuState s, int bits) {
        return Store.integer(s, bits);
    }

    /** FBSTP: bytes 0 to 7; sets the status. */
    public static long fbstpLow(CpuState s) {
        return Bcd.storeLow(s);
    }

    /** FBSTP: bytes 8 and 9. */
    public static int fbstpHigh(CpuState s) {
        return Bcd.storeHigh(s);
    }

    /** FST ST(i), FSTP ST(i). */
    public static void fstSt(CpuState s, int i, boolean pop) {
        int top = s.fpTop, reg = top + i & 7;
        s.fpStatus &= ~C1;
        if ((s.fpEmpty >> top & 1) == 0) {
            Ext.set(s, reg, s.fpSignExp[top], s.fpMantissa[top]);
        } else {
            if (!Status.underflow(s)) return;
            Ext.setIndefinite(s, reg);
        }
        if (pop) pop(s);
    }

    /** FCMOVcc: moves ST(i) to ST(0) when {@code condition}. */
    public static void fcmov(CpuState s, int i, boolean condition) {
        int top = s.fpTop, reg = top + i & 7;
        if ((s.fpEmpty >> top & 1 | s.fpEmpty >> reg & 1) != 0) {
            if (Status.underflow(s)) Ext.setIndefinite(s, top);
        } else if (condition) {
            Ext.set(s, top, s.fpSignExp[reg], s.fpMantissa[reg]);
        }
    }

    // ---- arithmetic ----

    /** D8 C0 to FF: ST(0) op= ST(i), or comparison of ST(0) with ST(i); {@code op} is the reg field of ModRM. */
    public static void arithSt0(CpuState s, int op, int i) {
        int top = s.fpTop, reg = top + i & 7;
        if ((op & 6) == COM) {
            fcom(s, i, op & 1);
        } else if ((s.fpEmpty >> top & 1 | s.fpEmpty >> reg & 1) != 0) {
            s.fpStatus &= ~C1;
            if (Status.underflow(s)) Ext.setIndefinite(s, top);
        } else {
            Arith.operate(s, top, op, s.fpSignExp[top], s.fpMantissa[top], s.fpSignExp[reg], s.fpMantissa[reg]);
        }
    }

    /**
     * DC C0 to FF, and DE C0 to FF with {@code pop}: ST(i) = ST(0) op ST(i), where the encoding numbers SUB, SUBR, DIV and
     * DIVR by the order ST(0), ST(i) as in D8 (SDM 2B table B-40: FSUB ST(i),ST(0) is /5). FCOMPP is {@link #fcompp}.
     */
    public static void arithSti(CpuState s, int op, int i, boolean pop) {
        int top = s.fpTop, reg = top + i & 7;
        if ((op & 6) == COM) {
            fcom(s, i, op & 1 | (pop ? 1 : 0));
            return;
        }
        if ((s.fpEmpty >> top & 1 | s.fpEmpty >> reg & 1) != 0) {
            s.fpStatus &= ~C1;
            if (!Status.underflow(s)) return;
            Ext.setIndefinite(s, reg);
        } else if (!Arith.operate(
                s, reg, op, s.fpSignExp[top], s.fpMantissa[top], s.fpSignExp[reg], s.fpMantissa[reg])) {
            return;
        }
        if (pop) pop(s);
    }

    /** D8 /op m32fp. */
    public static void arithF32(CpuState s, int op, int bits) {
        Arith.f32(s, op, bits);
    }

    /** DC /op m64fp. */
    public static void arithF64(CpuState s, int op, long bits) {
        Arith.f64(s, op, bits);
    }

    /** DA /op m32int, DE /op m16int: the integer, sign-extended. */
    public static void arithInt(CpuState s, int op, int value) {
        Arith.integer(s, op, value);
    }

    // ---- comparisons ----

    /** FCOM, FCOMP ST(i). */
    public static void fcom(CpuState s, int i, int pops) {
        Compare.registers(s, i, false, pops);
    }

    /** FCOMPP. */
    public static void fcompp(CpuState s) {
        Compare.registers(s, 1, false, 2);
    }

    /** FUCOM, FUCOMP ST(i), and FUCOMPP with i 1 and two pops. */
    public static void fucom(CpuState s, int i, int pops) {
        Compare.registers(s, i, true, pops);
    }

    /** FCOMI, FCOMIP: sets ZF, PF, CF and clears OF, SF, AF. */
    public static void fcomi(CpuState s, int i, boolean pop) {
        Compare.toFlags(s, i, false, pop);
    }

    /** FUCOMI, FUCOMIP. */
    public static void fucomi(CpuState s, int i, boolean pop) {
        Compare.toFlags(s, i, true, pop);
    }

    /** FTST. */
    public static void ftst(CpuState s) {
        Compare.test(s);
    }

    /** FXAM. */
    public static void fxam(CpuState s) {
        Compare.examine(s);
    }

    // ---- one operand ----

    /** FCHS. */
    public static void fchs(CpuState s) {
        if (Ext.require(s)) s.fpSignExp[s.fpTop] ^= 0x8000;
    }

    /** FABS. */
    public static void fabs(CpuState s) {
        if (Ext.require(s)) s.fpSignExp[s.fpTop] &= 0x7fff;
    }

    /** FSQRT. */
    public static void fsqrt(CpuState s) {
        if (Ext.require(s)) SquareRoot.fsqrt(s);
    }

    /** FRNDINT. */
    public static void frndint(CpuState s) {
        if (Ext.require(s)) Scale.frndint(s);
    }

    /** FSCALE: ST(0) times two to the integer part of ST(1). */
    public static void fscale(CpuState s) {
        if (Ext.requireTwo(s)) Scale.fscale(s);
    }

    /** FXTRACT: ST(0) becomes the exponent, then the significand is pushed. */
    public static void fxtract(CpuState s) {
        Scale.fxtract(s);
    }

    /** FPREM (truncating) or FPREM1 (to nearest): partial remainder of ST(0) by ST(1). */
    public static void fprem(CpuState s, boolean nearest) {
        s.fpStatus &= ~C2;
        if (Ext.requireTwo(s)) Remainder.fprem(s, nearest);
    }

    // ---- transcendental: SDM 1 8.3.8, the error is below one ulp of the 64-bit significand ----

    /** F2XM1. */
    public static void f2xm1(CpuState s) {
        if (Ext.require(s)) Exponential.f2xm1(s);
    }

    /** FYL2X: ST(1) = ST(1) * log2(ST(0)), pop. */
    public static void fyl2x(CpuState s) {
        Logarithm.fyl2x(s);
    }

    /** FYL2XP1: ST(1) = ST(1) * log2(ST(0) + 1), pop. */
    public static void fyl2xp1(CpuState s) {
        Logarithm.fyl2xp1(s);
    }

    /** FSIN. */
    public static void fsin(CpuState s) {
        s.fpStatus &= ~C2;
        if (Ext.require(s)) Trig.fsin(s);
    }

    /** FCOS. */
    public static void fcos(CpuState s) {
        s.fpStatus &= ~C2;
        if (Ext.require(s)) Trig.fcos(s);
    }

    /** FSINCOS: ST(0) becomes the sine, then the cosine is pushed. */
    public static void fsincos(CpuState s) {
        Trig.fsincos(s);
    }

    /** FPTAN: ST(0) becomes the tangent, then 1.0 is pushed. */
    public static void fptan(CpuState s) {
        Trig.fptan(s);
    }

    /** FPATAN: ST(1) = arctan(ST(1) / ST(0)), pop. */
    public static void fpatan(CpuState s) {
        ArcTangent.fpatan(s);
    }
}
