package org.backplane.x86.isa.oracle;

/** Machine code that a {@link UserForm} made, and what is in it. */
final class UserCode {
    byte[] bytes;

    /** Bytes of the instruction; more of {@link #bytes} is what a branch skips. */
    int length;

    /** Register in the reg field or in the opcode; register in the rm field or -1. */
    int register = -1, rm = -1;

    /** Memory operand: base and index register or -1, log2 of the scale, displacement. */
    int base = -1, index = -1, scale, displacement;

    /** The last immediate. */
    int immediate;

    /** 0 without repeat prefix, 1 REP or REPE, 2 REPNE. */
    int repeat;

    /** Has an address-size prefix. */
    boolean shortAddress;
}
