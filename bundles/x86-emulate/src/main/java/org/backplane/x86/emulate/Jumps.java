package org.backplane.x86.emulate;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.x86.isa.Insn;
import org.backplane.x86.isa.exec.Arithmetic;
import org.backplane.x86.isa.exec.Cpu;

/** Near transfers with flat segments and a 32-bit stack: no limit can be exceeded. */
final class Jumps {
    private static final long LOW32 = 0xffffffffL;

    private Jumps() {}

    /** Distances from the block's start: to the next instruction, and to the target of a relative transfer. */
    abstract static class Relative extends End {
        final long next, target;

        Relative(Insn i) {
            next = i.offset + i.length;
            target = next + i.immediate;
        }

        final int go(Cpu c, boolean taken) {
            c.s.rip = c.blockRip + (taken ? target : next) & LOW32;
            return taken ? TAKEN : FALL;
        }
    }

    static End conditional(Insn i) {
        return switch (i.opcodeByte & 15) {
            case 2 -> new Below(i);
            case 3 -> new AboveOrEqual(i);
            case 4 -> new Equal(i);
            case 5 -> new NotEqual(i);
            case 8 -> new Sign(i);
            case 9 -> new NoSign(i);
            default -> new Conditional(i);
        };
    }

    static final class Conditional extends Relative {
        private final int condition;

        Conditional(Insn i) {
            super(i);
            condition = i.opcodeByte & 15;
        }

        @Override
        int run(Cpu c) {
            return go(c, Arithmetic.condition(c.s, condition));
        }
    }

    static final class Equal extends Relative {
        Equal(Insn i) {
            super(i);
        }

        @Override
        int run(Cpu c) {
            return go(c, c.s.flagRes == 0);
        }
    }

    static final class NotEqual extends Relative {
        NotEqual(Insn i) {
            super(i);
        }

        @Override
        int run(Cpu c) {
            return go(c, c.s.flagRes != 0);
        }
    }

    static final class Below extends Relative {
        Below(Insn i) {
            super(i);
        }

        @Override
        int run(Cpu c) {
            return go(c, c.s.flagAux < 0);
        }
    }

    static final class AboveOrEqual extends Relative {
        AboveOrEqual(Insn i) {
            super(i);
        }

        @Override
        int run(Cpu c) {
            return go(c, c.s.flagAux >= 0);
        }
    }

    static final class Sign extends Relative {
        Sign(Insn i) {
            super(i);
        }

        @Override
        int run(Cpu c) {
            return go(c, c.s.sf());
        }
    }

    static final class NoSign extends Relative {
        NoSign(Insn i) {
            super(i);
        }

        @Override
        int run(Cpu c) {
            return go(c, !c.s.sf());
        }
    }

    static final class Jump extends Relative {
        Jump(Insn i) {
            super(i);
        }

        @Override
        int run(Cpu c) {
            c.s.rip = c.blockRip + target & LOW32;
            return TAKEN;
        }
    }

    static final class JumpR extends End {
        private final int a;

        JumpR(Insn i) {
            a = i.number0;
        }

        @Override
        int run(Cpu c) {
            c.s.rip = c.gpr[a] & LOW32;
            return ANYWHERE;
        }
    }

    /** Reads the target of an indirect transfer. */
    private static final class Target extends MemOp {
        Target(Insn i, int mode) {
            super(i, mode);
            at(i);
        }

        @Override
        void run(Cpu c) {}

        long read(Cpu c) {
            return c.read32(this, forRead(c, 4)) & LOW32;
        }
    }

    static final class JumpM extends End {
        private final Target target;

        JumpM(Insn i, int mode) {
            target = new Target(i, mode);
        }

        @Override
        int run(Cpu c) {
            c.s.rip = target.read(c);
            return ANYWHERE;
        }
    }

    private static void pushReturn(Cpu c, End at) {
        long[] g = c.gpr;
        long sp = g[CpuState.RSP] - 4 & LOW32;
        c.write32(at, sp, (int) (c.blockRip + at.offset + at.length));
        g[CpuState.RSP] = sp;
    }

    static final class Call extends Relative {
        Call(Insn i) {
            super(i);
        }

        @Override
        int run(Cpu c) {
            pushReturn(c, this);
            c.s.rip = c.blockRip + target & LOW32;
            return TAKEN;
        }
    }

    static final class CallR extends End {
        private final int a;

        CallR(Insn i) {
            a = i.number0;
        }

        @Override
        int run(Cpu c) {
            long to = c.gpr[a] & LOW32; // before the push: CALL ESP
            pushReturn(c, this);
            c.s.rip = to;
            return ANYWHERE;
        }
    }

    static final class CallM extends End {
        private final Target target;

        CallM(Insn i, int mode) {
            target = new Target(i, mode);
        }

        @Override
        int run(Cpu c) {
            long to = target.read(c);
            pushReturn(c, this);
            c.s.rip = to;
            return ANYWHERE;
        }
    }

    static final class Return extends End {
        private final long release;

        Return(Insn i) {
            release = 4 + (i.immediate & 0xffff);
        }

        @Override
        int run(Cpu c) {
            long[] g = c.gpr;
            long sp = g[CpuState.RSP];
            int to = c.read32(this, sp);
            g[CpuState.RSP] = sp + release & LOW32;
            c.s.rip = to & LOW32;
            return ANYWHERE;
        }
    }
}
