package org.backplane.x86.isa.fpu;

import org.backplane.kvm.spi.cpu.CpuState;

/**
 * FCOM, FUCOM, FCOMI, FUCOMI, FTST and FXAM.
 *
 * <p>Results are in the condition codes C3, C2, C0 as SDM 1 table 8-6 has them; FCOMI moves the same three to ZF, PF, CF.
 */
final class Compare {
    /** What a comparison says: greater, less, equal, unordered, as condition codes. */
    private static final int GREATER = 0, LESS = X87.C0, EQUAL = X87.C3, UNORDERED = X87.C3 | X87.C2 | X87.C0;

    private static final int CODES = X87.C3 | X87.C2 | X87.C0;

    /** An unmasked exception: no result. */
    private static final int STOPPED = -1;

    private Compare() {}

    /** ST(0) with ST(i). {@code quiet}: a quiet NaN raises nothing (FUCOM). */
    static void registers(CpuState s, int i, boolean quiet, int pops) {
        finish(s, stack(s, i, quiet), pops);
    }

    /** ST(0) with a widened memory operand; {@code denormal}: it was one. */
    static void memory(CpuState s, int se, long m, boolean denormal, int pops) {
        int top = s.fpTop;
        s.fpStatus &= ~X87.C1;
        int result;
        if ((s.fpEmpty >> top & 1) != 0) result = Status.underflow(s) ? UNORDERED : STOPPED;
        else result = values(s, s.fpSignExp[top], s.fpMantissa[top], se, m, false, denormal ? X87.DE : 0);
        finish(s, result, pops);
    }

    static void test(CpuState s) {
        memory(s, 0, 0, false, 0);
    }

    static void toFlags(CpuState s, int i, boolean quiet, boolean pop) {
        int result = stack(s, i, quiet);
        if (result == STOPPED) return;
        int flags = 0;
        if ((result & X87.C3) != 0) flags |= CpuState.ZF;
        if ((result & X87.C2) != 0) flags |= CpuState.PF;
        if ((result & X87.C0) != 0) flags |= CpuState.CF;
        s.setArithmeticFlags(flags);
        if (pop) X87.pop(s);
    }

    private static void finish(CpuState s, int result, int pops) {
        if (result == STOPPED) return;
        s.fpStatus = s.fpStatus & ~CODES | result;
        for (; pops > 0; pops--) X87.pop(s);
    }

    private static int stack(CpuState s, int i, boolean quiet) {
        int a = s.fpTop, b = a + i & 7;
        s.fpStatus &= ~X87.C1;
        if ((s.fpEmpty >> a & 1 | s.fpEmpty >> b & 1) != 0) return Status.underflow(s) ? UNORDERED : STOPPED;
        return values(s, s.fpSignExp[a], s.fpMantissa[a], s.fpSignExp[b], s.fpMantissa[b], quiet, 0);
    }

    private static int values(CpuState s, int sa, long a, int sb, long b, boolean quiet, int pre) {
        if (Ext.isUnsupported(sa, a) || Ext.isUnsupported(sb, b)) return invalid(s);
        if (Ext.isNan(sa, a) || Ext.isNan(sb, b)) {
            boolean raises = !quiet || Ext.isSignalling(sa, a) || Ext.isSignalling(sb, b);
            return raises ? invalid(s) : UNORDERED;
        }
        if (Ext.isDenormal(sa, a) || Ext.isDenormal(sb, b)) pre |= X87.DE;
        if (pre != 0 && !Status.raise(s, pre)) return STOPPED;
        if (a == 0 && b == 0) return EQUAL;
        if (((sa ^ sb) & 0x8000) != 0) return (sa & 0x8000) != 0 ? LESS : GREATER;
        int order = magnitudes(sa & Ext.MAX, a, sb & Ext.MAX, b);
        if (order == 0) return EQUAL;
        return order < 0 == ((sa & 0x8000) == 0) ? LESS : GREATER;
    }

    private static int magnitudes(int ea, long a, int eb, long b) {
        // Exponent 0 has the weight of exponent 1: a pseudo-denormal equals the normal number with its significand.
        int d = Math.max(ea, 1) - Math.max(eb, 1);
        // A zero is least whatever the other's exponent is; its significand says so only for equal exponents.
        if (a == 0 || b == 0 || d == 0) return Long.compareUnsigned(a, b);
        return d;
    }

    private static int invalid(CpuState s) {
        return Status.raise(s, X87.IE) ? UNORDERED : STOPPED;
    }

    /** FXAM: class of ST(0) in C3, C2, C0 and its sign in C1 (SDM 2A, FXAM). */
    static void examine(CpuState s) {
        int top = s.fpTop, se = s.fpSignExp[top];
        long m = s.fpMantissa[top];
        int code;
        if ((s.fpEmpty >> top & 1) != 0) code = X87.C3 | X87.C0;
        else if (Ext.isUnsupported(se, m)) code = 0;
        else if (Ext.isInfinity(se, m)) code = X87.C2 | X87.C0;
        else if (Ext.isNan(se, m)) code = X87.C0;
        else if (m == 0) code = X87.C3;
        else if (Ext.isDenormal(se, m)) code = X87.C3 | X87.C2;
        else code = X87.C2;
        if ((se & 0x8000) != 0) code |= X87.C1;
        s.fpStatus = s.fpStatus & ~(CODES | X87.C1) | code;
    }
}
