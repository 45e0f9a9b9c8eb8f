package org.backplane.x86.emulate;

import org.backplane.x86.isa.Insn;
import org.backplane.x86.isa.exec.Cpu;

/**
 * CMP or TEST fused with the conditional jump after it: two instructions, one dispatch, and the condition straight from the
 * operands. The flags are stored all the same.
 *
 * <p>A condition is a mask with a bit for each way two numbers can compare: index bit 0 equal, bit 1 less (signed), bit 2 below
 * (unsigned).
 */
abstract class CompareJump extends End {
    private static final int EQUAL = 1, LESS = 2, BELOW = 4;

    /** Mask of the outcomes for which the jump is taken. */
    private final int mask;

    /** Distances from the block's start. */
    private final long next, target;

    CompareJump(Insn jump) {
        mask = mask(jump.opcodeByte & 15);
        next = jump.offset + jump.length;
        target = next + jump.immediate;
    }

    /** Whether a condition depends on nothing but how the operands compare. */
    static boolean relational(int cc) {
        return switch (cc >> 1) {
            case 1, 2, 3, 6, 7 -> true;
            default -> false;
        };
    }

    private static int mask(int cc) {
        int m = 0;
        for (int way = 0; way < 8; way++) {
            boolean equal = (way & EQUAL) != 0, less = (way & LESS) != 0, below = (way & BELOW) != 0;
            boolean taken =
                    switch (cc >> 1) {
                        case 1 -> below;
                        case 2 -> equal;
                        case 3 -> below || equal;
                        case 6 -> less;
                        default -> less || equal;
                    };
            if (taken != ((cc & 1) != 0)) m |= 1 << way;
        }
        return m;
    }

    /** Compares two 32-bit numbers and goes. */
    final int compare(Cpu c, int a, int b) {
        Alu32.sub(c.s, a, b);
        int way = (a == b ? EQUAL : 0) | (a < b ? LESS : 0) | (Integer.compareUnsigned(a, b) < 0 ? BELOW : 0);
        return go(c, way);
    }

    /** The same for 8-bit numbers, given zero-extended. */
    final int compare8(Cpu c, int a, int b) {
        Alu32.cmp8(c.s, a, b);
        int way = (a == b ? EQUAL : 0) | ((byte) a < (byte) b ? LESS : 0) | (a < b ? BELOW : 0);
        return go(c, way);
    }

    /** TEST: like a comparison of the result with zero. */
    final int test(Cpu c, int r) {
        Alu32.logic(c.s, r);
        return go(c, (r == 0 ? EQUAL : 0) | (r < 0 ? LESS : 0));
    }

    private int go(Cpu c, int way) {
        boolean taken = (mask >>> way & 1) != 0;
        c.s.rip = c.blockRip + (taken ? target : next) & 0xffffffffL;
        return taken ? TAKEN : FALL;
    }

    /** Chooses the form; null when the operands have none. */
    static End of(Insn i, Insn jump, int mode, boolean cmp) {
        boolean memory0 = i.kind0 == Insn.MEM, memory1 = i.kind1 == Insn.MEM, immediate = i.kind1 == Insn.IMM;
        CompareJump e = null;
        if (i.size0 == 1) {
            if (!memory0 && !memory1) e = immediate ? new Byte8I(i, jump, cmp) : new Byte8R(i, jump, cmp);
            else if (memory0 && immediate) e = new Byte8M(i, jump, mode, cmp);
        } else if (memory0 || memory1) {
            e = new Memory(i, jump, mode, cmp);
        } else if (immediate) {
            e = cmp ? new CmpRI(i, jump) : new TestRI(i, jump);
        } else if (i.number0 == i.number1 && !cmp) {
            e = new TestSelf(i, jump);
        } else {
            e = cmp ? new CmpRR(i, jump) : new TestRR(i, jump);
        }
        return e == null ? null : e.at(i);
    }

    private static final class CmpRR extends CompareJump {
        private final int a, b;

        CmpRR(Insn i, Insn jump) {
            super(jump);
            a = i.number0;
            b = i.number1;
        }

        @Override
        int run(Cpu c) {
            return compare(c, (int) c.gpr[a], (int) c.gpr[b]);
        }
    }

    private static final class CmpRI extends CompareJump {
        private final int a, value;

        CmpRI(Insn i, Insn jump) {
            super(jump);
            a = i.number0;
            value = (int) i.immediate;
        }

        @Override
        int run(Cpu c) {
            return compare(c, (int) c.gpr[a], value);
        }
    }

    private static final class TestSelf extends CompareJump {
        private final int a;

        TestSelf(Insn i, Insn jump) {
            super(jump);
            a = i.number0;
        }

        @Override
        int run(Cpu c) {
            return test(c, (int) c.gpr[a]);
        }
    }

    private static final class TestRR extends CompareJump {
        private final int a, b;

        TestRR(Insn i, Insn jump) {
            super(jump);
            a = i.number0;
            b = i.number1;
        }

        @Override
        int run(Cpu c) {
            return test(c, (int) (c.gpr[a] & c.gpr[b]));
        }
    }

    private static final class TestRI extends CompareJump {
        private final int a, value;

        TestRI(Insn i, Insn jump) {
            super(jump);
            a = i.number0;
            value = (int) i.immediate;
        }

        @Override
        int run(Cpu c) {
            return test(c, (int) c.gpr[a] & value);
        }
    }

    /** Reads the memory operand. */
    private static final class Operand extends MemOp {
        Operand(Insn i, int mode) {
            super(i, mode);
            at(i);
        }

        @Override
        void run(Cpu c) {}

        int read(Cpu c) {
            return c.read32(this, forRead(c, 4));
        }

        int read8(Cpu c) {
            return c.read8(this, forRead(c, 1));
        }
    }

    /** 32 bits with memory as either operand. */
    private static final class Memory extends CompareJump {
        private final Operand operand;
        private final int register, value;
        private final boolean cmp, memoryFirst;

        Memory(Insn i, Insn jump, int mode, boolean cmp) {
            super(jump);
            operand = new Operand(i, mode);
            memoryFirst = i.kind0 == Insn.MEM;
            register = i.kind1 == Insn.IMM ? -1 : memoryFirst ? i.number1 : i.number0;
            value = (int) i.immediate;
            this.cmp = cmp;
        }

        @Override
        int run(Cpu c) {
            int m = operand.read(c);
            int other = register < 0 ? value : (int) c.gpr[register];
            if (!cmp) return test(c, m & other);
            return memoryFirst ? compare(c, m, other) : compare(c, other, m);
        }
    }

    private static final class Byte8R extends CompareJump {
        private final int a, b, shiftA, shiftB;
        private final boolean cmp;

        Byte8R(Insn i, Insn jump, boolean cmp) {
            super(jump);
            a = i.number0;
            b = i.number1;
            shiftA = Moves.shift(i, 0);
            shiftB = Moves.shift(i, 1);
            this.cmp = cmp;
        }

        @Override
        int run(Cpu c) {
            int x = (int) (c.gpr[a] >>> shiftA) & 0xff, y = (int) (c.gpr[b] >>> shiftB) & 0xff;
            return cmp ? compare8(c, x, y) : test(c, (byte) (x & y));
        }
    }

    private static final class Byte8I extends CompareJump {
        private final int a, shift, value;
        private final boolean cmp;

        Byte8I(Insn i, Insn jump, boolean cmp) {
            super(jump);
            a = i.number0;
            shift = Moves.shift(i, 0);
            value = (int) i.immediate & 0xff;
            this.cmp = cmp;
        }

        @Override
        int run(Cpu c) {
            int x = (int) (c.gpr[a] >>> shift) & 0xff;
            return cmp ? compare8(c, x, value) : test(c, (byte) (x & value));
        }
    }

    private static final class Byte8M extends CompareJump {
        private final Operand operand;
        private final int value;
        private final boolean cmp;

        Byte8M(Insn i, Insn jump, int mode, boolean cmp) {
            super(jump);
            operand = new Operand(i, mode);
            value = (int) i.immediate & 0xff;
            this.cmp = cmp;
        }

        @Override
        int run(Cpu c) {
            int x = operand.read8(c);
            return cmp ? compare8(c, x, value) : test(c, (byte) (x & value));
        }
    }
}
