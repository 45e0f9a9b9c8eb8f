package org.backplane.x86.emulate;

import org.backplane.x86.isa.Insn;
import org.backplane.x86.isa.Mnemonic;

/**
 * Finds additions whose flags nobody can see: the next instruction that touches flags writes all six, and neither it nor what is
 * between can fault, stop the block or read them. Such an addition becomes a LEA. Counters before a comparison are the usual case.
 *
 * <p>Used while a block is built; one instance a builder.
 */
final class DeadFlags {
    /** Position of the candidate in the block's elements, and the instruction; -1 when there is none. */
    private int position = -1;

    private Insn candidate;

    void begin() {
        position = -1;
    }

    /** Looks at an instruction that became element {@code at}; may replace an earlier element. */
    void next(Op[] ops, int at, Insn i) {
        boolean registers = onlyRegisters(i);
        if (registers && writesAll(i.mnemonic()) && position >= 0) ops[position] = withoutFlags(candidate);
        if (registers && addition(i)) {
            position = at;
            candidate = i;
        } else if (!neutral(i, registers)) {
            position = -1;
        }
    }

    private static boolean onlyRegisters(Insn i) {
        return register(i.kind0) && (register(i.kind1) || i.kind1 == Insn.IMM || i.kind1 == Insn.NONE);
    }

    private static boolean register(int kind) {
        return kind == Insn.REG || kind == Insn.REG_HIGH;
    }

    private static boolean writesAll(Mnemonic m) {
        return switch (m) {
            case ADD, SUB, CMP, AND, OR, XOR, TEST, NEG -> true;
            default -> false;
        };
    }

    private static boolean addition(Insn i) {
        if (i.size0 != 4 || i.bits == 64) return false;
        return switch (i.mnemonic()) {
            case ADD, INC, DEC -> true;
            case SUB -> i.kind1 == Insn.IMM;
            default -> false;
        };
    }

    /** Neither reads nor writes flags, nor can it fault. */
    private static boolean neutral(Insn i, boolean registers) {
        return switch (i.mnemonic()) {
            case MOV, MOVZX, MOVSX -> registers;
            case LEA -> true;
            default -> false;
        };
    }

    private static Op withoutFlags(Insn i) {
        boolean two = i.mnemonic() == Mnemonic.ADD && i.kind1 == Insn.REG;
        long by =
                switch (i.mnemonic()) {
                    case INC -> 1;
                    case DEC -> -1;
                    case SUB -> -i.immediate;
                    default -> two ? 0 : i.immediate;
                };
        Op op = two ? new Moves.Lea(i.number0, i.number0, i.number1, 0, 0) : new Moves.LeaSimple(i.number0, i.number0, by);
        return op.at(i);
    }
}
