package org.backplane.x86.isa.fpu;

import org.backplane.kvm.spi.cpu.CpuState;

/**
 * FADD, FSUB, FMUL, FDIV and their reversed and integer forms: sorts out the operands.
 *
 * <p>Two normal numbers go straight to the kernels of {@link Sum} and {@link Product}. Zeros, denormals, infinities, NaNs
 * and unsupported encodings are dealt with here first, in the order of SDM 1 8.5: invalid operand, NaN, other invalid or zero
 * divide, denormal.
 */
final class Arith {
    private Arith() {}

    /**
     * Writes {@code reg} = a op b. Both registers that the operands come from are not empty.
     *
     * @param op as ModRM.reg: {@code X87.ADD}, {@code MUL}, {@code SUB}, {@code SUBR}, {@code DIV}, {@code DIVR}
     * @return false when an unmasked exception stopped the instruction
     */
    static boolean operate(CpuState s, int reg, int op, int sa, long a, int sb, long b) {
        s.fpStatus &= ~X87.C1;
        // With both integer bits one and no exponent 0 or 0x7fff, both are normal.
        if ((a & b) < 0 && isNormal(sa) && isNormal(sb)) {
            int ea = sa & Ext.MAX, eb = sb & Ext.MAX, na = sa & 0x8000, nb = sb & 0x8000;
            switch (op) {
                case X87.ADD -> Sum.add(s, reg, na, ea, a, nb, eb, b);
                case X87.SUB -> Sum.add(s, reg, na, ea, a, nb ^ 0x8000, eb, b);
                case X87.SUBR -> Sum.add(s, reg, nb, eb, b, na ^ 0x8000, ea, a);
                case X87.MUL -> Product.multiply(s, reg, na ^ nb, ea, a, eb, b);
                case X87.DIV -> Product.divide(s, reg, na ^ nb, ea, a, eb, b);
                default -> Product.divide(s, reg, na ^ nb, eb, b, ea, a);
            }
            return true;
        }
        return special(s, reg, op, sa, a, sb, b, 0);
    }

    private static boolean isNormal(int se) {
        return (se + 1 & 0x7fff) > 1;
    }

    // ---- memory operands ----

    static void f64(CpuState s, int op, long bits) {
        int top = s.fpTop;
        int exp = (int) (bits >>> 52) & 0x7ff;
        if (exp != 0 && exp != 0x7ff && (op & 6) != X87.COM && (s.fpEmpty >> top & 1) == 0) {
            int se = (int) (bits >> 48) & 0x8000 | exp + Convert.REBIAS64;
            operate(s, top, op, s.fpSignExp[top], s.fpMantissa[top], se, bits << 11 | Ext.INTEGER_BIT);
        } else {
            memory(s, op, Convert.signExp64(bits), Convert.mantissa64(bits), Convert.isDenormal64(bits));
        }
    }

    static void f32(CpuState s, int op, int bits) {
        memory(s, op, Convert.signExp32(bits), Convert.mantissa32(bits), Convert.isDenormal32(bits));
    }

    static void integer(CpuState s, int op, int value) {
        memory(s, op, Convert.signExpInteger(value), Convert.mantissaInteger(value), false);
    }

    /**
     * ST(0) op= a memory operand that was widened to the 80-bit format.
     *
     * @param denormal it was a denormal: raises DE, although it is a normal number now
     */
    private static void memory(CpuState s, int op, int se, long m, boolean denormal) {
        int top = s.fpTop;
        s.fpStatus &= ~X87.C1;
        if ((op & 6) == X87.COM) {
            Compare.memory(s, se, m, denormal, op & 1);
        } else if ((s.fpEmpty >> top & 1) != 0) {
            if (Status.underflow(s)) Ext.setIndefinite(s, top);
        } else if (denormal) {
            special(s, top, op, s.fpSignExp[top], s.fpMantissa[top], se, m, X87.DE);
        } else {
            operate(s, top, op, s.fpSignExp[top], s.fpMantissa[top], se, m);
        }
    }

    // ---- everything that is not two normal numbers ----

    /** As {@link #operate}; {@code pre}: {@code X87.DE} when an operand was a denormal in its own format. */
    private static boolean special(CpuState s, int reg, int op, int sa, long a, int sb, long b, int pre) {
        if (Ext.isUnsupported(sa, a) || Ext.isUnsupported(sb, b) || Ext.isNan(sa, a) || Ext.isNan(sb, b)) {
            return Ext.nanOperands(s, reg, sa, a, sb, b);
        }
        if (Ext.isDenormal(sa, a) || Ext.isDenormal(sb, b)) pre |= X87.DE;
        return switch (op) {
            case X87.ADD -> add(s, reg, sa, a, sb, b, pre);
            case X87.SUB -> add(s, reg, sa, a, sb ^ 0x8000, b, pre);
            case X87.SUBR -> add(s, reg, sb, b, sa ^ 0x8000, a, pre);
            case X87.MUL -> multiply(s, reg, sa, a, sb, b, pre);
            case X87.DIV -> divide(s, reg, sa, a, sb, b, pre);
            default -> divide(s, reg, sb, b, sa, a, pre);
        };
    }

    private static boolean add(CpuState s, int reg, int sa, long a, int sb, long b, int pre) {
        boolean infiniteA = Ext.isInfinity(sa, a), infiniteB = Ext.isInfinity(sb, b);
        if (infiniteA && infiniteB && sa != sb) return Ext.invalid(s, reg);
        if (!Status.raise(s, pre)) return false;
        if (infiniteA || infiniteB) {
            Ext.set(s, reg, infiniteA ? sa : sb, Ext.INTEGER_BIT);
        } else if (a == 0 && b == 0) {
            Ext.set(s, reg, sa == sb ? sa : zeroSign(s), 0);
        } else if (b == 0) {
            Round.pack(s, reg, sa & 0x8000, Ext.exponent(sa, a), Ext.significand(a), 0);
        } else if (a == 0) {
            Round.pack(s, reg, sb & 0x8000, Ext.exponent(sb, b), Ext.significand(b), 0);
        } else {
            Sum.add(
                    s,
                    reg,
                    sa & 0x8000,
                    Ext.exponent(sa, a),
                    Ext.significand(a),
                    sb & 0x8000,
                    Ext.exponent(sb, b),
                    Ext.significand(b));
        }
        return true;
    }

    /** Sign of an exact zero difference: minus when rounding down (SDM 1 4.8.3.1). */
    static int zeroSign(CpuState s) {
        return Round.mode(s) == Round.DOWN ? 0x8000 : 0;
    }

    private static boolean multiply(CpuState s, int reg, int sa, long a, int sb, long b, int pre) {
        int sign = (sa ^ sb) & 0x8000;
        boolean infinite = Ext.isInfinity(sa, a) || Ext.isInfinity(sb, b);
        boolean zero = a == 0 || b == 0;
        if (infinite && zero) return Ext.invalid(s, reg);
        if (!Status.raise(s, pre)) return false;
        if (infinite) Ext.set(s, reg, sign | Ext.MAX, Ext.INTEGER_BIT);
        else if (zero) Ext.set(s, reg, sign, 0);
        else {
            Product.multiply(
                    s,
                    reg,
                    sign,
                    Ext.exponent(sa, a),
                    Ext.significand(a),
                    Ext.exponent(sb, b),
                    Ext.significand(b));
        }
        return true;
    }

    private static boolean divide(CpuState s, int reg, int sa, long a, int sb, long b, int pre) {
        int sign = (sa ^ sb) & 0x8000;
        boolean infiniteA = Ext.isInfinity(sa, a), infiniteB = Ext.isInfinity(sb, b);
        if (infiniteA && infiniteB || a == 0 && b == 0) return Ext.invalid(s, reg);
        if (b == 0 && !infiniteA) {
            if (!Status.raise(s, X87.ZE)) return false;
            Ext.set(s, reg, sign | Ext.MAX, Ext.INTEGER_BIT);
            return true;
        }
        if (!Status.raise(s, pre)) return false;
        if (infiniteA) Ext.set(s, reg, sign | Ext.MAX, Ext.INTEGER_BIT);
        else if (infiniteB || a == 0) Ext.set(s, reg, sign, 0);
        else {
            Product.divide(
                    s,
                    reg,
                    sign,
                    Ext.exponent(sa, a),
                    Ext.significand(a),
                    Ext.exponent(sb, b),
                    Ext.significand(b));
        }
        return true;
    }
}
