package org.backplane.x86.isa;

/**
 * Decoded instructions as text, in NASM's syntax: destination first, hexadecimal numbers with {@code 0x}, sizes only where an
 * operand does not show its own ({@code mov dword [eax],0x1}). For shells and logs; nothing here is fast.
 */
public final class Disassembler {
    private static final String[] REG8 = {"al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil"};
    private static final String[] HIGH = {"ah", "ch", "dh", "bh"};
    private static final String[] REG16 = {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di"};
    private static final String[] SEG = {"es", "cs", "ss", "ds", "fs", "gs"};

    private Disassembler() {}

    /**
     * The text of an instruction.
     *
     * @param rip where it stands: relative targets are shown as addresses
     */
    public static String text(Insn i, long rip) {
        if (i.mnemonic() == Mnemonic.UNDEFINED || i.mnemonic() == Mnemonic.TOO_LONG) return "(undefined)";
        StringBuilder out = new StringBuilder();
        if (i.lock) out.append("lock ");
        if (i.opcode.is(Opcode.REP)) repeat(i, out);
        out.append(name(i));
        String separator = " ";
        for (int n = 0; n < i.opcode.operandCount(); n++) {
            String operand = operand(i, n, rip);
            if (operand.isEmpty()) continue;
            out.append(separator).append(operand);
            separator = ",";
        }
        return out.toString();
    }

    private static void repeat(Insn i, StringBuilder out) {
        boolean compares = i.mnemonic() == Mnemonic.CMPS || i.mnemonic() == Mnemonic.SCAS;
        if (i.rep) out.append(compares ? "repe " : "rep ");
        else if (i.repne) out.append("repne ");
        if (i.segmentPrefix >= 0 && hasSource(i)) out.append(SEG[i.segmentPrefix]).append(' ');
    }

    private static boolean hasSource(Insn i) {
        return i.kind0 == Insn.SOURCE || i.kind1 == Insn.SOURCE;
    }

    private static String pick(int size, String two, String four, String eight) {
        return size == 2 ? two : size == 4 ? four : eight;
    }

    private static String name(Insn i) {
        int size = i.operandSize;
        return switch (i.mnemonic()) {
            case CBW -> pick(size, "cbw", "cwde", "cdqe");
            case CWD -> pick(size, "cwd", "cdq", "cqo");
            case PUSHA, POPA, PUSHF, POPF, IRET, RETF -> i.mnemonic().name().toLowerCase() + suffix(i);
            case JCXZ -> pick(i.addressSize, "jcxz", "jecxz", "jrcxz");
            case MOVS, CMPS, STOS, LODS, SCAS, INS, OUTS -> i.mnemonic().name().toLowerCase() + letter(stringSize(i));
            case CALLF -> "call";
            case JMPF -> "jmp";
            case XCHG -> i.opcodeByte == 0x90 && i.number0 == 0 ? "nop" : "xchg";
            case XLAT -> "xlatb";
            default -> i.mnemonic().name().toLowerCase();
        };
    }

    /** A letter when the operand size is not the code segment's own. */
    private static String suffix(Insn i) {
        return i.operandSize * 8 == i.bits ? "" : letter(i.operandSize);
    }

    private static int stringSize(Insn i) {
        return i.kind0 == Insn.SOURCE || i.kind0 == Insn.TARGET ? i.size0 : i.size1;
    }

    private static String letter(int size) {
        return size == 1 ? "b" : pick(size, "w", "d", "q");
    }

    private static String operand(Insn i, int n, long rip) {
        if (i.opcode.is(Opcode.REP) || name(i).equals("nop") && i.opcodeByte == 0x90) return "";
        int number = i.number(n), size = i.size(n);
        return switch (i.kind(n)) {
            case Insn.REG -> register(number, size);
            case Insn.REG_HIGH -> HIGH[number];
            case Insn.MEM -> memory(i, n, size);
            case Insn.IMM -> immediate(i, n, size);
            case Insn.REL -> hex(target(rip + i.length + i.immediate, i.operandSize));
            case Insn.FAR -> hex(i.immediate2) + ":" + hex(i.immediate);
            case Insn.SEG -> SEG[number];
            case Insn.CR -> "cr" + number;
            case Insn.DR -> "dr" + number;
            case Insn.ST -> "st" + number;
            case Insn.MMX -> "mm" + number;
            default -> "";
        };
    }


    private static long target(long a, int size) {
        return size == 2 ? a & 0xffff : size == 4 ? a & 0xffffffffL : a;
    }

    private static String register(int number, int size) {
        if (number >= 8) return "r" + number + (size == 8 ? "" : size == 4 ? "d" : size == 2 ? "w" : "b");
        return switch (size) {
            case 1 -> REG8[number];
            case 2 -> REG16[number];
            case 4 -> "e" + REG16[number];
            default -> "r" + REG16[number];
        };
    }

    private static String immediate(Insn i, int n, int size) {
        if (n > 0 && i.kind(n - 1) == Insn.IMM) return hex(i.immediate2);
        if (i.opcode.operand(n).equals("1")) return "1";
        boolean extended = i.opcode.operand(n).startsWith("sI");
        if (extended) return (i.immediate < 0 ? "-" : "+") + hex(Math.abs(i.immediate));
        return hex(i.immediate & (size == 8 ? -1 : (1L << 8 * size) - 1));
    }

    private static String memory(Insn i, int n, int size) {
        StringBuilder out = new StringBuilder();
        if (needsSize(i, n)) out.append(sizeName(i, size));
        out.append('[');
        if (i.segmentPrefix >= 0) out.append(SEG[i.segmentPrefix]).append(':');
        boolean first = true;
        if (i.ripRelative) {
            out.append("rel ");
        }
        if (i.base >= 0) {
            out.append(register(i.base, i.addressSize));
            first = false;
        }
        if (i.indexRegister >= 0) {
            if (!first) out.append('+');
            out.append(register(i.indexRegister, i.addressSize));
            if (i.scale > 0) out.append('*').append(1 << i.scale);
            first = false;
        }
        displacement(i, out, first);
        return out.append(']').toString();
    }

    private static void displacement(Insn i, StringBuilder out, boolean alone) {
        long d = i.displacement;
        boolean coded = i.modrm < 0 || i.modrm >> 6 != 0;
        if (alone) out.append(hex(d & (i.addressSize == 2 ? 0xffff : 0xffffffffL)));
        else if (d < 0) out.append('-').append(hex(-d));
        else if (d > 0 || coded) out.append('+').append(hex(d));
    }

    /** Whether no other operand tells the size of the memory operand. */
    private static boolean needsSize(Insn i, int n) {
        switch (i.mnemonic()) {
            case LEA, INVLPG, SGDT, SIDT, LGDT, LIDT, FXSAVE, FXRSTOR, LES, LDS, LSS, LFS, LGS, BOUND, CMPXCHG8B -> {
                return false;
            }
            case MOVZX, MOVSX, ROL, ROR, RCL, RCR, SHL, SHR, SAR, CALLF, JMPF -> {
                return true;
            }
            default -> {}
        }
        for (int k = 0; k < i.opcode.operandCount(); k++) {
            if (k == n) continue;
            int kind = i.kind(k);
            if (kind == Insn.REG || kind == Insn.REG_HIGH || kind == Insn.SEG || kind == Insn.MMX) return false;
        }
        return true;
    }

    private static String sizeName(Insn i, int size) {
        if (i.mnemonic() == Mnemonic.CALLF || i.mnemonic() == Mnemonic.JMPF) return "far ";
        return switch (size) {
            case 1 -> "byte ";
            case 2 -> "word ";
            case 4 -> "dword ";
            case 8 -> "qword ";
            case 10 -> "tword ";
            default -> "";
        };
    }

    private static String hex(long value) {
        return "0x" + Long.toHexString(value);
    }
}
