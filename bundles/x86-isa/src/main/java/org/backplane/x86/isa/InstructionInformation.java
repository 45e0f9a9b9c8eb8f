package org.backplane.x86.isa;

/**
 * The operands of an instruction in the format of a VMCS's VM-exit instruction information (SDM 3C 27.2.4, tables 27-9 to 27-14).
 *
 * <pre>
 *   1:0  scaling       6:3  register, if no memory   9:7  address size (0, 1, 2 for 16, 32, 64 bits)   10  register operand
 *    11  operand size of 32 bits (descriptor tables) 17:15 segment    21:18 index, 22 none    26:23 base, 27 none
 * 31:28  the register of the ModRM reg field, or 29:28 which of the four descriptor-table instructions
 * </pre>
 */
public final class InstructionInformation {
    private InstructionInformation() {}

    /** VMX instructions, INVEPT and INVVPID: with the register operand of those that have one. */
    public static int of(Insn i) {
        boolean register = i.opcode.operandCount() == 2;
        int reg = i.regField() | (i.rex & Insn.REX_R) << 1;
        return operand(i) | (register ? reg << 28 : 0);
    }

    /** SGDT, SIDT, LGDT, LIDT, or SLDT, STR, LLDT, LTR: the ModRM reg field numbers them as the format does. */
    public static int ofTable(Insn i) {
        boolean wide = i.operandSize == 4 && i.opcodeByte == 0x01;
        return operand(i) | (wide ? 1 << 11 : 0) | (i.regField() & 3) << 28;
    }

    private static int operand(Insn i) {
        if (i.modrm >= 0xc0) return 1 << 10 | (i.modrm & 7 | (i.rex & Insn.REX_B) << 3) << 3;
        int index = i.indexRegister < 0 ? 1 << 22 : i.indexRegister << 18;
        int base = i.base < 0 ? 1 << 27 : i.base << 23;
        return i.scale | addressSize(i) << 7 | i.segment << 15 | index | base;
    }

    /** 0, 1, 2 for addresses of 16, 32, 64 bits. */
    public static int addressSize(Insn i) {
        return i.addressSize >> 2;
    }
}
