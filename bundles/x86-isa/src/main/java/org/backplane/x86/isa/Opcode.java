package org.backplane.x86.isa;

/**
 * One line of the opcode table.
 *
 * <p>Flag masks are RFLAGS bits. {@link #written} holds the flags that get a defined value, {@link #undefined} those that the SDM
 * leaves undefined (shifts and rotates define OF for a count of 1 only, and by a count of 0 change no flag at all).
 */
public final class Opcode {
    /** May take a LOCK prefix when its first operand is memory. */
    public static final int LOCK = 1;
    /** Transfers control, or may. */
    public static final int JUMP = 1 << 1;
    /** May change what code is decoded for (mode, segments, paging), or leaves the engine: the last one of a block. */
    public static final int END = 1 << 2;
    /** #GP(0) unless CPL is 0. */
    public static final int CPL0 = 1 << 3;
    /** Depends on IOPL. */
    public static final int IOPL = 1 << 4;
    /** A port access: IOPL, then the I/O bitmap of the TSS. */
    public static final int IO = 1 << 5;
    /** #UD in real-address and virtual-8086 mode. */
    public static final int PROT = 1 << 6;
    /** Invalid in 64-bit mode. */
    public static final int I64 = 1 << 7;
    /** Operand size forced to 64 bits in 64-bit mode. */
    public static final int F64 = 1 << 8;
    /** Operand size 64 bits by default in 64-bit mode. */
    public static final int D64 = 1 << 9;
    /** A string instruction that takes REP. */
    public static final int REP = 1 << 10;
    /** ModRM names registers whatever its mod field says (MOV to and from CR and DR). */
    public static final int REGONLY = 1 << 11;
    /** A bit string operand: the register's high bits select a word beside the memory operand. */
    public static final int BITS = 1 << 12;
    /** x87: #NM by CR0, then a pending #MF. */
    public static final int FPU = 1 << 13;
    /** x87 that does not wait: #NM only. */
    public static final int FPU0 = 1 << 14;
    /** MMX: #UD by CR0.EM, #NM by CR0.TS, then a pending #MF. */
    public static final int MMX = 1 << 15;
    /** An undocumented second encoding; works, but assemblers do not choose it. */
    public static final int ALIAS = 1 << 16;
    /** Takes none of the prefixes 66, F2 and F3. */
    public static final int NP = 1 << 17;

    private static final String[] NAMES = {
        "lock", "jump", "end", "cpl0", "iopl", "io", "prot", "i64", "f64", "d64", "rep", "regonly", "bits", "fpu", "fpu0",
        "mmx", "alias", "np"
    };

    /** The key as written in the table: {@code 80/0}, {@code D9_E0}, {@code 0F40}. */
    public final String key;

    public final Mnemonic mnemonic;

    /** Operands as written in the table; immutable by agreement. */
    final OperandSpec[] operands;

    /** Attributes, the constants above. */
    public final int attributes;

    /** RFLAGS bits it reads, writes, and leaves undefined. */
    public final int read, written, undefined;

    /** Whether a ModRM byte follows. */
    final boolean modrm;

    Opcode(String key, Mnemonic mnemonic, OperandSpec[] operands, int attributes, int read, int written, int undefined) {
        this.key = key;
        this.mnemonic = mnemonic;
        this.operands = operands;
        this.attributes = attributes;
        this.read = read;
        this.written = written;
        this.undefined = undefined;
        boolean m = key.indexOf('/') > 0;
        for (OperandSpec o : operands) m |= o.inModrm();
        this.modrm = m;
    }

    /** Number of explicit operands. */
    public int operandCount() {
        return operands.length;
    }

    /** An operand in SDM notation, such as {@code Ev}. */
    public String operand(int n) {
        return operands[n].text();
    }

    public boolean is(int attribute) {
        return (attributes & attribute) != 0;
    }

    static int attribute(String name) {
        for (int i = 0; i < NAMES.length; i++) if (NAMES[i].equals(name)) return 1 << i;
        throw new IllegalArgumentException("attribute " + name);
    }

    @Override
    public String toString() {
        return key + ' ' + mnemonic;
    }
}
