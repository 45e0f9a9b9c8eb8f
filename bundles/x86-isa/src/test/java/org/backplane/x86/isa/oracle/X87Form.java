package org.backplane.x86.isa.oracle;

import org.backplane.kvm.spi.cpu.CpuState;

/**
 * One form of an x87 instruction in the differential test.
 *
 * @param name mnemonic and operands; the seed of its cases
 * @param opcode first byte
 * @param modrm second byte; of a memory form only its reg field is used
 * @param operand what the memory operand is
 * @param undefined bits of the status word that the SDM leaves undefined after it
 * @param ulps how far a result may be from the host's, in the last place of a 64-bit significand
 * @param action the instruction on our state
 */
record X87Form(String name, int opcode, int modrm, Operand operand, int undefined, int ulps, Action action) {
    /** Kinds of memory operand; {@code OUT}: only written. */
    enum Operand {
        NONE,
        F32,
        F64,
        F80,
        I16,
        I32,
        I64,
        BCD,
        OUT
    }

    /** Runs the instruction. */
    @FunctionalInterface
    interface Action {
        /** {@code memory} is the operand, read and written by it. */
        void run(CpuState s, OperandBytes memory);
    }

    /** A comparison. */
    boolean comparison() {
        return name.startsWith("fcom") || name.startsWith("fucom") || name.equals("ftst");
    }

    /** Machine code with the memory operand, if any, at an absolute address of 32-bit code. */
    byte[] code(int address) {
        if (operand == Operand.NONE) return new byte[] {(byte) opcode, (byte) modrm};
        return new byte[] {
            (byte) opcode,
            (byte) (modrm & 0x38 | 5),
            (byte) address,
            (byte) (address >> 8),
            (byte) (address >> 16),
            (byte) (address >> 24)
        };
    }
}
