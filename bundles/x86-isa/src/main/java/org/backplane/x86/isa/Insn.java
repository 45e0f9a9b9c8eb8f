package org.backplane.x86.isa;

import org.backplane.kvm.spi.cpu.CpuState;

/** A decoded instruction. The decoder fills it; after that it does not change. */
public final class Insn extends Site {
    /**
     * Kinds of operand. REG_HIGH is AH, CH, DH, BH (numbered 0 to 3); SOURCE and TARGET are the string operands at (R)SI and
     * (R)DI; ST is an x87 stack register.
     */
    public static final int NONE = 0,
            REG = 1,
            REG_HIGH = 2,
            MEM = 3,
            IMM = 4,
            REL = 5,
            FAR = 6,
            SEG = 7,
            CR = 8,
            DR = 9,
            ST = 10,
            MMX = 11,
            SOURCE = 12,
            TARGET = 13;

    /** Prefix REX bits. */
    public static final int REX_W = 8, REX_R = 4, REX_X = 2, REX_B = 1;

    public Opcode opcode = OpcodeTable.UNDEFINED;

    /** Code size of the segment it was decoded for: 16, 32 or 64. */
    public int bits;

    /** Operand and address size in bytes: 2, 4 or 8. */
    public int operandSize, addressSize;

    public boolean lock, rep, repne, operandPrefix, addressPrefix;

    /** The REX prefix, or 0. */
    public int rex;

    /** The segment that a prefix names, or -1. */
    public int segmentPrefix = -1;

    /** The opcode byte (after 0F, for those), and the ModRM byte or -1. */
    public int opcodeByte, modrm = -1;

    /** Memory operand: segment, base and index register or -1, log2 of the scale, displacement (sign-extended). */
    public int segment = CpuState.DS, base = -1, indexRegister = -1, scale;

    public long displacement;

    /** The displacement is relative to the next instruction (64-bit mode). */
    public boolean ripRelative;

    /** Immediate or relative offset, sign-extended; the offset of a far pointer. */
    public long immediate;

    /** Second immediate: the selector of a far pointer, the level of ENTER. */
    public int immediate2;

    /** Up to three operands: kind, register number, size in bytes. */
    public int kind0, kind1, kind2, number0, number1, number2, size0, size1, size2;

    public Mnemonic mnemonic() {
        return opcode.mnemonic;
    }

    /** The ModRM reg field, without REX. */
    public int regField() {
        return modrm >> 3 & 7;
    }

    void operand(int n, int kind, int number, int size) {
        switch (n) {
            case 0 -> {
                kind0 = kind;
                number0 = number;
                size0 = size;
            }
            case 1 -> {
                kind1 = kind;
                number1 = number;
                size1 = size;
            }
            default -> {
                kind2 = kind;
                number2 = number;
                size2 = size;
            }
        }
    }

    public int kind(int n) {
        return n == 0 ? kind0 : n == 1 ? kind1 : kind2;
    }

    public int number(int n) {
        return n == 0 ? number0 : n == 1 ? number1 : number2;
    }

    public int size(int n) {
        return n == 0 ? size0 : n == 1 ? size1 : size2;
    }
}
