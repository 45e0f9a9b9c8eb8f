package org.backplane.x86.emulate;

import org.backplane.x86.isa.Insn;
import org.backplane.x86.isa.exec.Cpu;

/**
 * Chooses the element for an instruction: a form of its own for what is frequent, the handler for everything else. A LOCK prefix
 * changes nothing: one engine runs a VM at a time.
 */
final class HotOps {
    /** Flat segments and a 32-bit stack. */
    private static final int FLAT_STACK = Cpu.FLAT | Cpu.STACK32;

    private HotOps() {}

    static Op of(Insn i, int mode) {
        Op op = (mode & Cpu.CODE64) != 0 ? null : choose(i, mode);
        return (op != null ? op : new Generic.Plain(i)).at(i);
    }

    private static Op choose(Insn i, int mode) {
        return switch (i.mnemonic()) {
            case MOV -> i.size0 == 1 ? mov8(i, mode) : mov(i, mode);
            case MOVZX -> zeroExtended(i, mode);
            case MOVSX -> signExtended(i, mode);
            case LEA -> lea(i);
            case ADD -> calculation(i, mode, Alu32.ADD);
            case OR -> calculation(i, mode, Alu32.OR);
            case ADC -> calculation(i, mode, Alu32.ADC);
            case SBB -> calculation(i, mode, Alu32.SBB);
            case AND -> calculation(i, mode, Alu32.AND);
            case SUB -> calculation(i, mode, Alu32.SUB);
            case XOR -> calculation(i, mode, Alu32.XOR);
            case CMP -> i.size0 == 1 ? compare8(i, mode, false) : calculation(i, mode, Alu32.CMP);
            case TEST -> i.size0 == 1 ? compare8(i, mode, true) : calculation(i, mode, Alu32.TEST);
            case INC, DEC, NOT, NEG -> unary(i, mode);
            case ROL, ROR, RCL, RCR, SHL, SHR, SAR -> shift(i);
            case IMUL -> imul(i, mode);
            case PUSH, POP, LEAVE -> stack(i, mode);
            default -> conditional(i);
        };
    }

    private static boolean registers(Insn i) {
        return i.kind0 == Insn.REG && i.kind1 == Insn.REG;
    }

    private static boolean isRegister8(int kind) {
        return kind == Insn.REG || kind == Insn.REG_HIGH;
    }

    private static Op mov(Insn i, int mode) {
        if (i.size0 == 2 && i.kind0 == Insn.MEM && i.kind1 == Insn.REG && i.size1 == 2) return new Moves.Store16(i, mode);
        if (i.size0 != 4) return null;
        if (i.kind0 == Insn.REG) {
            return switch (i.kind1) {
                case Insn.REG -> new Moves.RR(i);
                case Insn.IMM -> new Moves.RI(i);
                case Insn.MEM -> MemOp.simple(i, mode) ? new Moves.LoadSimple(i) : new Moves.Load(i, mode);
                default -> null;
            };
        }
        if (i.kind0 != Insn.MEM) return null;
        if (i.kind1 == Insn.IMM) return new Moves.StoreImmediate(i, mode);
        if (i.kind1 != Insn.REG) return null;
        return MemOp.simple(i, mode) ? new Moves.StoreSimple(i) : new Moves.Store(i, mode);
    }

    private static Op mov8(Insn i, int mode) {
        boolean target = isRegister8(i.kind0), source = isRegister8(i.kind1);
        if (target && source) return new Moves.RR8(i);
        if (target) return i.kind1 == Insn.IMM ? new Moves.RI8(i) : new Moves.Load8(i, mode);
        return source ? new Moves.Store8(i, mode) : new Moves.StoreImmediate8(i, mode);
    }

    private static Op zeroExtended(Insn i, int mode) {
        if (i.size0 != 4) return null;
        if (i.kind1 != Insn.MEM) return i.size1 == 1 ? new Moves.ZeroR8(i) : new Moves.ZeroR16(i);
        if (i.size1 == 2) return new Moves.ZeroM16(i, mode);
        return MemOp.simple(i, mode) ? new Moves.ZeroM8Simple(i) : new Moves.ZeroM8(i, mode);
    }

    private static Op signExtended(Insn i, int mode) {
        if (i.size0 != 4) return null;
        if (i.kind1 != Insn.MEM) return i.size1 == 1 ? new Moves.SignR8(i) : new Moves.SignR16(i);
        return i.size1 == 1 ? new Moves.SignM8(i, mode) : new Moves.SignM16(i, mode);
    }

    private static Op lea(Insn i) {
        if (i.size0 != 4 || i.addressSize != 4) return null;
        if (i.base >= 0 && i.indexRegister < 0) return new Moves.LeaSimple(i.number0, i.base, i.displacement);
        return new Moves.Lea(i.number0, i.base, i.indexRegister, i.scale, i.displacement);
    }

    private static Op calculation(Insn i, int mode, int op) {
        if (i.size0 != 4) return null;
        if (registers(i)) return registers(i, op);
        if (i.kind0 == Insn.REG && i.kind1 == Insn.IMM) return immediate(i, op);
        if (i.kind0 == Insn.REG) return fromMemory(i, mode, op);
        boolean compares = op == Alu32.CMP || op == Alu32.TEST;
        if (i.kind1 == Insn.IMM) {
            return compares ? new Calculations.CompareMI(i, mode, op) : new Calculations.UpdateMI(i, mode, op);
        }
        return compares ? new Calculations.CompareMR(i, mode, op) : new Calculations.UpdateMR(i, mode, op);
    }

    private static Op registers(Insn i, int op) {
        return switch (op) {
            case Alu32.ADD -> new Calculations.AddRR(i);
            case Alu32.OR -> new Calculations.OrRR(i);
            case Alu32.ADC -> new Calculations.AdcRR(i);
            case Alu32.SBB -> new Calculations.SbbRR(i);
            case Alu32.AND -> new Calculations.AndRR(i);
            case Alu32.SUB -> new Calculations.SubRR(i);
            case Alu32.XOR -> new Calculations.XorRR(i);
            case Alu32.CMP -> new Calculations.CmpRR(i);
            default -> new Calculations.TestRR(i);
        };
    }

    private static Op immediate(Insn i, int op) {
        return switch (op) {
            case Alu32.ADD -> new Calculations.AddRI(i);
            case Alu32.OR -> new Calculations.OrRI(i);
            case Alu32.ADC -> new Calculations.AdcRI(i);
            case Alu32.SBB -> new Calculations.SbbRI(i);
            case Alu32.AND -> new Calculations.AndRI(i);
            case Alu32.SUB -> new Calculations.SubRI(i);
            case Alu32.XOR -> new Calculations.XorRI(i);
            case Alu32.CMP -> new Calculations.CmpRI(i);
            default -> new Calculations.TestRI(i);
        };
    }

    private static Op fromMemory(Insn i, int mode, int op) {
        return switch (op) {
            case Alu32.ADD -> new Calculations.AddRM(i, mode);
            case Alu32.OR -> new Calculations.OrRM(i, mode);
            case Alu32.ADC -> new Calculations.AdcRM(i, mode);
            case Alu32.SBB -> new Calculations.SbbRM(i, mode);
            case Alu32.AND -> new Calculations.AndRM(i, mode);
            case Alu32.SUB -> new Calculations.SubRM(i, mode);
            case Alu32.XOR -> new Calculations.XorRM(i, mode);
            case Alu32.CMP -> new Calculations.CmpRM(i, mode);
            default -> new Calculations.TestRM(i, mode);
        };
    }

    private static Op compare8(Insn i, int mode, boolean test) {
        if (isRegister8(i.kind0)) {
            if (isRegister8(i.kind1)) return new Calculations.Compare8RR(i, test);
            if (i.kind1 == Insn.IMM) return new Calculations.Compare8RI(i, test);
            return test ? null : new Calculations.Compare8Memory(i, mode, true);
        }
        if (i.kind1 == Insn.IMM) return new Calculations.Compare8MI(i, mode, test);
        return test ? null : new Calculations.Compare8Memory(i, mode, false);
    }

    private static Op unary(Insn i, int mode) {
        if (i.size0 != 4) return null;
        boolean register = i.kind0 == Insn.REG;
        return switch (i.mnemonic()) {
            case INC -> register ? new Calculations.Inc(i) : new Calculations.StepM(i, mode, 1);
            case DEC -> register ? new Calculations.Dec(i) : new Calculations.StepM(i, mode, -1);
            case NOT -> register ? new Calculations.Not(i) : null;
            default -> register ? new Calculations.Neg(i) : null;
        };
    }

    private static Op shift(Insn i) {
        if (i.size0 != 4 || i.kind0 != Insn.REG) return null;
        if (i.kind1 == Insn.REG) return new Calculations.ShiftR(i, i.regField(), -1);
        int n = (int) i.immediate & 31;
        if (n == 0) return new Calculations.Nop();
        i.immediate = n;
        return switch (i.mnemonic()) {
            case SHL -> new Calculations.Shl(i);
            case SHR -> new Calculations.Shr(i);
            case SAR -> new Calculations.Sar(i);
            default -> new Calculations.ShiftR(i, i.regField(), n);
        };
    }

    private static Op imul(Insn i, int mode) {
        if (i.size0 != 4 || i.kind1 == Insn.NONE) return null;
        if (i.kind2 == Insn.IMM) return i.kind1 == Insn.REG ? new Calculations.ImulRRI(i) : null;
        return i.kind1 == Insn.REG ? new Calculations.ImulRR(i) : new Calculations.ImulRM(i, mode);
    }

    private static Op stack(Insn i, int mode) {
        if ((mode & FLAT_STACK) != FLAT_STACK || i.operandSize != 4) return null;
        return switch (i.mnemonic()) {
            case LEAVE -> new Stack.Leave();
            case POP -> i.kind0 == Insn.REG ? new Stack.PopR(i) : null;
            default -> switch (i.kind0) {
                case Insn.REG -> new Stack.PushR(i);
                case Insn.IMM -> new Stack.PushI(i);
                case Insn.MEM -> new Stack.PushM(i, mode);
                default -> null;
            };
        };
    }

    private static Op conditional(Insn i) {
        String name = i.mnemonic().name();
        if (name.startsWith("SET") && isRegister8(i.kind0)) return new Calculations.Setcc(i);
        if (name.startsWith("CMOV") && i.size0 == 4 && i.kind1 == Insn.REG) return new Calculations.Cmov(i);
        return switch (i.mnemonic()) {
            case CWD -> i.operandSize == 4 ? new Calculations.Cdq() : null;
            case NOP -> new Calculations.Nop();
            case XCHG -> registers(i) && i.number0 == i.number1 && i.size0 == 4 ? new Calculations.Nop() : null;
            default -> null;
        };
    }
}
