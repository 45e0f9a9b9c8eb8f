package org.backplane.x86.isa.oracle;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.ToLongFunction;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.x86.isa.fpu.X87;
import org.backplane.x86.isa.oracle.X87Form.Operand;

/** All forms of x87 instructions that compute, load, store or compare. */
final class X87Forms {
    /** Condition codes that most instructions leave undefined; C1 they define. */
    private static final int C023 = X87.C0 | X87.C2 | X87.C3;

    private static final int ALL_CODES = C023 | X87.C1;

    private static final String[] NAMES = {"fadd", "fmul", "fcom", "fcomp", "fsub", "fsubr", "fdiv", "fdivr"};

    private final List<X87Form> forms = new ArrayList<>();

    static List<X87Form> all() {
        X87Forms f = new X87Forms();
        f.arithmetic();
        f.loads();
        f.stores();
        f.comparisons();
        f.stack();
        f.oneOperand();
        f.transcendental();
        return f.forms;
    }

    private void register(String name, int opcode, int modrm, int undefined, Consumer<CpuState> action) {
        forms.add(new X87Form(name, opcode, modrm, Operand.NONE, undefined, 0, (s, m) -> action.accept(s)));
    }

    private void memory(
            String name, int opcode, int reg, Operand operand, int undefined, X87Form.Action action) {
        forms.add(new X87Form(name, opcode, reg << 3, operand, undefined, 0, action));
    }

    private void arithmetic() {
        for (int op = 0; op < 8; op++) {
            int o = op;
            int undefined = (op & 6) == X87.COM ? 0 : C023;
            register(NAMES[op] + " st0,st1", 0xd8, 0xc1 | op << 3, undefined, s -> X87.arithSt0(s, o, 1));
            register(NAMES[op] + " st0,st0", 0xd8, 0xc0 | op << 3, undefined, s -> X87.arithSt0(s, o, 0));
            if (undefined != 0) {
                register(NAMES[op] + " st1,st0", 0xdc, 0xc1 | op << 3, undefined, s -> X87.arithSti(s, o, 1, false));
                register(NAMES[op] + "p st1,st0", 0xde, 0xc1 | op << 3, undefined, s -> X87.arithSti(s, o, 1, true));
            }
            memory(NAMES[op] + " m32", 0xd8, op, Operand.F32, undefined, (s, m) -> X87.arithF32(s, o, m.int32()));
            memory(NAMES[op] + " m64", 0xdc, op, Operand.F64, undefined, (s, m) -> X87.arithF64(s, o, m.low));
            memory(NAMES[op] + " i16", 0xde, op, Operand.I16, undefined, (s, m) -> X87.arithInt(s, o, m.int16()));
            memory(NAMES[op] + " i32", 0xda, op, Operand.I32, undefined, (s, m) -> X87.arithInt(s, o, m.int32()));
        }
    }

    private void loads() {
        register("fld st1", 0xd9, 0xc1, C023, s -> X87.fldSt(s, 1));
        register("fld st7", 0xd9, 0xc7, C023, s -> X87.fldSt(s, 7));
        memory("fld m32", 0xd9, 0, Operand.F32, C023, (s, m) -> X87.fldF32(s, m.int32()));
        memory("fld m64", 0xdd, 0, Operand.F64, C023, (s, m) -> X87.fldF64(s, m.low));
        memory("fld m80", 0xdb, 5, Operand.F80, C023, (s, m) -> X87.fldF80(s, m.low, (int) m.high & 0xffff));
        memory("fild m16", 0xdf, 0, Operand.I16, C023, (s, m) -> X87.fild(s, m.int16()));
        memory("fild m32", 0xdb, 0, Operand.I32, C023, (s, m) -> X87.fild(s, m.int32()));
        memory("fild m64", 0xdf, 5, Operand.I64, C023, (s, m) -> X87.fild(s, m.low));
        memory("fbld m80", 0xdf, 4, Operand.BCD, C023, (s, m) -> X87.fbld(s, m.low, (int) m.high & 0xffff));
        for (int n = 0; n < 7; n++) {
            int c = n;
            register("fld constant " + n, 0xd9, 0xe8 + n, C023, s -> X87.fldConstant(s, c));
        }
    }

    private void store(String name, int opcode, int reg, int bits, boolean pop, ToLongFunction<CpuState> value) {
        memory(name, opcode, reg, Operand.OUT, C023, (s, m) -> {
            long v = value.applyAsLong(s);
            if (!X87.storeAllowed(s)) return;
            m.put(v, bits);
            if (pop) X87.pop(s);
        });
    }

    private void stores() {
        store("fst m32", 0xd9, 2, 32, false, X87::fstF32);
        store("fstp m32", 0xd9, 3, 32, true, X87::fstF32);
        store("fst m64", 0xdd, 2, 64, false, X87::fstF64);
        store("fstp m64", 0xdd, 3, 64, true, X87::fstF64);
        store("fist m16", 0xdf, 2, 16, false, s -> X87.fist(s, 16));
        store("fistp m16", 0xdf, 3, 16, true, s -> X87.fist(s, 16));
        store("fist m32", 0xdb, 2, 32, false, s -> X87.fist(s, 32));
        store("fistp m32", 0xdb, 3, 32, true, s -> X87.fist(s, 32));
        store("fistp m64", 0xdf, 7, 64, true, s -> X87.fist(s, 64));
        memory("fstp m80", 0xdb, 7, Operand.OUT, C023, (s, m) -> {
            long low = X87.fstF80Mantissa(s);
            if (!X87.storeAllowed(s)) return;
            m.put80(low, X87.fstF80SignExp(s));
            X87.pop(s);
        });
        memory("fbstp m80", 0xdf, 6, Operand.OUT, C023, (s, m) -> {
            long low = X87.fbstpLow(s);
            if (!X87.storeAllowed(s)) return;
            m.put80(low, X87.fbstpHigh(s));
            X87.pop(s);
        });
        register("fst st2", 0xdd, 0xd2, C023, s -> X87.fstSt(s, 2, false));
        register("fstp st2", 0xdd, 0xda, C023, s -> X87.fstSt(s, 2, true));
        register("fstp st0", 0xdd, 0xd8, C023, s -> X87.fstSt(s, 0, true));
    }

    private void comparisons() {
        register("fcompp", 0xde, 0xd9, 0, X87::fcompp);
        register("fucom st1", 0xdd, 0xe1, 0, s -> X87.fucom(s, 1, 0));
        register("fucomp st1", 0xdd, 0xe9, 0, s -> X87.fucom(s, 1, 1));
        register("fucompp", 0xda, 0xe9, 0, s -> X87.fucom(s, 1, 2));
        register("fcomi st1", 0xdb, 0xf1, ALL_CODES, s -> X87.fcomi(s, 1, false));
        register("fcomip st1", 0xdf, 0xf1, ALL_CODES, s -> X87.fcomi(s, 1, true));
        register("fucomi st1", 0xdb, 0xe9, ALL_CODES, s -> X87.fucomi(s, 1, false));
        register("fucomip st1", 0xdf, 0xe9, ALL_CODES, s -> X87.fucomi(s, 1, true));
        register("ftst", 0xd9, 0xe4, 0, X87::ftst);
        register("fxam", 0xd9, 0xe5, 0, X87::fxam);
        String[] conditions = {"b", "e", "be", "u", "nb", "ne", "nbe", "nu"};
        for (int n = 0; n < 8; n++) {
            int c = n;
            register(
                    "fcmov" + conditions[n], (n & 4) == 0 ? 0xda : 0xdb, 0xc1 | (n & 3) << 3, C023,
                    s -> X87.fcmov(s, 1, condition(s, c)));
        }
    }

    private static boolean condition(CpuState s, int n) {
        boolean value = switch (n & 3) {
            case 0 -> s.cf();
            case 1 -> s.zf();
            case 2 -> s.cf() || s.zf();
            default -> s.pf();
        };
        return value == ((n & 4) == 0);
    }

    private void stack() {
        register("fxch st1", 0xd9, 0xc9, C023, s -> X87.fxch(s, 1));
        register("fxch st6", 0xd9, 0xce, C023, s -> X87.fxch(s, 6));
        register("ffree st1", 0xdd, 0xc1, ALL_CODES, s -> X87.ffree(s, 1));
        register("fincstp", 0xd9, 0xf7, C023, X87::fincstp);
        register("fdecstp", 0xd9, 0xf6, C023, X87::fdecstp);
        register("fnclex", 0xdb, 0xe2, ALL_CODES, X87::fnclex);
        register("fninit", 0xdb, 0xe3, 0, X87::fninit);
        memory("fldcw", 0xd9, 5, Operand.I16, ALL_CODES, (s, m) -> X87.fldcw(s, m.int16()));
        memory("fnstcw", 0xd9, 7, Operand.OUT, ALL_CODES, (s, m) -> m.put(X87.fnstcw(s), 16));
        memory("fnstsw", 0xdd, 7, Operand.OUT, ALL_CODES, (s, m) -> m.put(X87.fnstsw(s), 16));
    }

    private void oneOperand() {
        register("fchs", 0xd9, 0xe0, C023, X87::fchs);
        register("fabs", 0xd9, 0xe1, C023, X87::fabs);
        register("fsqrt", 0xd9, 0xfa, C023, X87::fsqrt);
        register("frndint", 0xd9, 0xfc, C023, X87::frndint);
        register("fscale", 0xd9, 0xfd, C023, X87::fscale);
        register("fxtract", 0xd9, 0xf4, C023, X87::fxtract);
        register("fprem", 0xd9, 0xf8, 0, s -> X87.fprem(s, false));
        register("fprem1", 0xd9, 0xf5, 0, s -> X87.fprem(s, true));
    }

    private void approximate(String name, int modrm, int undefined, Consumer<CpuState> action) {
        forms.add(new X87Form(name, 0xd9, modrm, Operand.NONE, undefined, 1, (s, m) -> action.accept(s)));
    }

    private void transcendental() {
        approximate("f2xm1", 0xf0, C023, X87::f2xm1);
        approximate("fyl2x", 0xf1, C023, X87::fyl2x);
        approximate("fptan", 0xf2, X87.C0 | X87.C3, X87::fptan);
        approximate("fpatan", 0xf3, C023, X87::fpatan);
        approximate("fyl2xp1", 0xf9, C023, X87::fyl2xp1);
        approximate("fsincos", 0xfb, X87.C0 | X87.C3, X87::fsincos);
        approximate("fsin", 0xfe, X87.C0 | X87.C3, X87::fsin);
        approximate("fcos", 0xff, X87.C0 | X87.C3, X87::fcos);
    }
}
