package org.backplane.x86.isa;

import org.backplane.kvm.spi.cpu.CpuState;

/**
 * Decodes one instruction from bytes. It knows how an instruction is built (prefixes, ModRM, SIB, displacement, immediate; SDM 2A
 * chapter 2); what there is to decode is in {@link OpcodeTable}.
 *
 * <p>It never reads more than {@link #MAX_LENGTH} bytes. What cannot be an instruction decodes to {@link OpcodeTable#UNDEFINED} or {@link
 * OpcodeTable#TOO_LONG}, whose execution is the fault: a LOCK prefix where none is allowed, a memory operand where a register
 * must be, an unknown opcode, a segment register that does not exist.
 *
 * <p>Thread: confined to one; keeps its position between the steps of one call.
 */
public final class Decoder {
    /** The longest instruction, in bytes. */
    public static final int MAX_LENGTH = 15;

    private static final class Truncated extends RuntimeException {
        Truncated() {
            super(null, null, false, false);
        }
    }

    private static final class Bad extends RuntimeException {
        Bad() {
            super(null, null, false, false);
        }
    }

    private final Truncated truncated = new Truncated();
    private final Bad bad = new Bad();
    private byte[] code;
    private int position, start, limit;

    /**
     * Decodes.
     *
     * @param code the bytes, from {@code offset}; {@code available} of them, as many as the caller can give up to 15
     * @param bits code size: 16, 32 or 64
     * @return the instruction with its length, or null when it is longer than what is available
     */
    public Insn decode(byte[] code, int offset, int available, int bits) {
        this.code = code;
        start = position = offset;
        limit = offset + Math.min(available, MAX_LENGTH);
        Insn i = new Insn();
        i.bits = bits;
        try {
            decode(i);
        } catch (Truncated t) {
            if (available < MAX_LENGTH) return null;
            position = limit;
            i.opcode = OpcodeTable.TOO_LONG;
        } catch (Bad b) {
            i.opcode = OpcodeTable.UNDEFINED;
        }
        i.length = position - start;
        return i;
    }

    private int next() {
        if (position >= limit) throw truncated;
        return code[position++] & 0xff;
    }

    private long next(int bytes, boolean signed) {
        long v = 0;
        for (int n = 0; n < bytes; n++) v |= (long) next() << (8 * n);
        int shift = 64 - 8 * bytes;
        return signed ? v << shift >> shift : v;
    }

    private void decode(Insn i) {
        int b = prefixes(i);
        sizes(i);
        OpcodeTable.Slot[] table = OpcodeTable.ONE;
        if (b == 0x0f) {
            b = next();
            table = OpcodeTable.TWO;
            if (b == 0x38) {
                b = next();
                table = OpcodeTable.THREE_38;
            }
        }
        i.opcodeByte = b;
        OpcodeTable.Slot slot = table[b];
        if (slot == null) throw bad;
        OpcodeTable.Slot prefixed = i.rep ? slot.repe : i.operandPrefix ? slot.operandSize : null;
        Opcode o = prefixed == null ? null : find(i, prefixed);
        if (o == null) o = find(i, slot);
        if (o == null || o.is(Opcode.MMX | Opcode.NP) && (i.operandPrefix || i.rep || i.repne)) throw bad;
        if (i.bits == 64) longMode(i, o);
        if (i.modrm >= 0 && i.modrm < 0xc0 && !o.is(Opcode.REGONLY)) address(i);
        for (int n = 0; n < o.operands.length; n++) operand(i, o, n, o.operands[n]);
        if (i.lock && (!o.is(Opcode.LOCK) || i.kind0 != Insn.MEM)) throw bad;
        i.opcode = o;
    }

    private Opcode find(Insn i, OpcodeTable.Slot slot) {
        boolean group = slot.group();
        if (i.modrm < 0 && (group || slot.plain != null && slot.plain.modrm)) i.modrm = next();
        return group ? slot.find(i.modrm) : slot.plain;
    }

    /** Consumes the prefixes and returns the opcode byte. */
    private int prefixes(Insn i) {
        for (;;) {
            int b = next();
            switch (b) {
                case 0x26, 0x2e, 0x36, 0x3e -> {
                    if (i.bits != 64) i.segmentPrefix = b >> 3 & 3;
                }
                case 0x64 -> i.segmentPrefix = CpuState.FS;
                case 0x65 -> i.segmentPrefix = CpuState.GS;
                case 0x66 -> i.operandPrefix = true;
                case 0x67 -> i.addressPrefix = true;
                case 0xf0 -> i.lock = true;
                case 0xf2 -> {
                    i.repne = true;
                    i.rep = false;
                }
                case 0xf3 -> {
                    i.rep = true;
                    i.repne = false;
                }
                default -> {
                    if (i.bits != 64 || (b & 0xf0) != 0x40) return b;
                    i.rex = b;
                    int after = next();
                    // A REX prefix counts only directly before the opcode.
                    if (!isPrefix(after)) return after;
                    i.rex = 0;
                    position--;
                }
            }
        }
    }

    private static boolean isPrefix(int b) {
        return switch (b) {
            case 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3 -> true;
            default -> (b & 0xf0) == 0x40;
        };
    }

    private static void sizes(Insn i) {
        if (i.bits == 64) {
            i.operandSize = (i.rex & Insn.REX_W) != 0 ? 8 : i.operandPrefix ? 2 : 4;
            i.addressSize = i.addressPrefix ? 4 : 8;
        } else {
            i.operandSize = (i.bits == 32) != i.operandPrefix ? 4 : 2;
            i.addressSize = (i.bits == 32) != i.addressPrefix ? 4 : 2;
        }
    }

    private void longMode(Insn i, Opcode o) {
        if (o.is(Opcode.I64)) throw bad;
        if (o.is(Opcode.F64) || o.is(Opcode.D64) && !i.operandPrefix) i.operandSize = 8;
    }

    // ---- memory operands (SDM 2A tables 2-1 to 2-3) ----

    private void address(Insn i) {
        if (i.addressSize == 2) address16(i);
        else address32(i);
        if (i.segmentPrefix >= 0) i.segment = i.segmentPrefix;
    }

    private void address16(Insn i) {
        int mod = i.modrm >> 6, rm = i.modrm & 7;
        switch (rm) {
            case 0, 1, 7 -> i.base = CpuState.RBX;
            case 2, 3 -> i.base = CpuState.RBP;
            case 4 -> i.base = CpuState.RSI;
            case 5 -> i.base = CpuState.RDI;
            default -> i.base = mod == 0 ? -1 : CpuState.RBP;
        }
        if (rm < 4) i.indexRegister = (rm & 1) == 0 ? CpuState.RSI : CpuState.RDI;
        if (i.base == CpuState.RBP) i.segment = CpuState.SS;
        if (mod == 1) i.displacement = next(1, true);
        else if (mod == 2 || rm == 6 && mod == 0) i.displacement = next(2, true);
    }

    private void address32(Insn i) {
        int mod = i.modrm >> 6, rm = i.modrm & 7;
        int base = rm;
        if (rm == 4) {
            int sib = next();
            base = sib & 7;
            int index = sib >> 3 & 7 | (i.rex & Insn.REX_X) << 2;
            if (index != 4) {
                i.indexRegister = index;
                i.scale = sib >> 6;
            }
        }
        if (base == 5 && mod == 0) {
            i.ripRelative = i.bits == 64 && rm == 5;
            i.displacement = next(4, true);
        } else {
            i.base = base | (i.rex & Insn.REX_B) << 3;
            if (i.base == CpuState.RSP || i.base == CpuState.RBP) i.segment = CpuState.SS;
            if (mod == 1) i.displacement = next(1, true);
            else if (mod == 2) i.displacement = next(4, true);
        }
    }

    // ---- operands ----

    private void operand(Insn i, Opcode o, int n, OperandSpec spec) {
        int size = spec.bytes(i.operandSize, i.bits == 64);
        int reg = i.modrm >> 3 & 7;
        switch (spec.method()) {
            case "E" -> rm(i, n, size);
            case "M" -> {
                if (i.modrm >= 0xc0) throw bad;
                i.operand(n, Insn.MEM, 0, size);
            }
            case "RM" -> {
                if (i.modrm >= 0xc0) rm(i, n, i.operandSize);
                else i.operand(n, Insn.MEM, 0, 2);
            }
            case "R" -> i.operand(n, Insn.REG, i.modrm & 7 | (i.rex & Insn.REX_B) << 3, size);
            case "G" -> register(i, n, reg | (i.rex & Insn.REX_R) << 1, size);
            case "Z" -> register(i, n, i.opcodeByte & 7 | (i.rex & Insn.REX_B) << 3, size);
            case "I", "sI" -> immediate(i, n, o, spec);
            case "J" -> i.operand(n, Insn.REL, 0, relative(i, spec));
            case "A" -> {
                i.immediate = next(i.operandSize, false);
                i.immediate2 = (int) next(2, false);
                i.operand(n, Insn.FAR, 0, size);
            }
            case "O" -> {
                i.displacement = next(i.addressSize, i.addressSize == 4 && i.bits == 64);
                if (i.segmentPrefix >= 0) i.segment = i.segmentPrefix;
                i.operand(n, Insn.MEM, 0, size);
            }
            case "S" -> {
                if (reg > 5 || n == 0 && reg == CpuState.CS) throw bad;
                i.operand(n, Insn.SEG, reg, 2);
            }
            case "C" -> {
                int cr = reg | (i.rex & Insn.REX_R) << 1;
                if (cr == 1 || cr > 4 && !(cr == 8 && i.bits == 64)) throw bad;
                i.operand(n, Insn.CR, cr, size);
            }
            case "D" -> i.operand(n, Insn.DR, reg, size);
            case "X" -> {
                i.segment = i.segmentPrefix >= 0 ? i.segmentPrefix : CpuState.DS;
                i.operand(n, Insn.SOURCE, 0, size);
            }
            case "Y" -> i.operand(n, Insn.TARGET, 0, size);
            case "P" -> i.operand(n, Insn.MMX, reg, 8);
            case "N" -> i.operand(n, Insn.MMX, i.modrm & 7, 8);
            case "Q" -> i.operand(n, i.modrm >= 0xc0 ? Insn.MMX : Insn.MEM, i.modrm & 7, size);
            default -> fixed(i, n, spec, size);
        }
    }

    private void fixed(Insn i, int n, OperandSpec spec, int size) {
        switch (spec.method()) {
            case "AL", "AX", "rAX", "zAX" -> i.operand(n, Insn.REG, CpuState.RAX, size);
            case "CL" -> i.operand(n, Insn.REG, CpuState.RCX, 1);
            case "DX" -> i.operand(n, Insn.REG, CpuState.RDX, 2);
            case "1" -> {
                i.immediate = 1;
                i.operand(n, Insn.IMM, 0, 1);
            }
            case "ST" -> i.operand(n, Insn.ST, 0, 10);
            case "STi" -> i.operand(n, Insn.ST, i.modrm & 7, 10);
            default -> {
                int segment = spec.fixedSegment();
                if (segment < 0) throw new IllegalStateException("operand " + spec.text());
                i.operand(n, Insn.SEG, segment, 2);
            }
        }
    }

    private void rm(Insn i, int n, int size) {
        if (i.modrm >= 0xc0) register(i, n, i.modrm & 7 | (i.rex & Insn.REX_B) << 3, size);
        else i.operand(n, Insn.MEM, 0, size);
    }

    private static void register(Insn i, int n, int number, int size) {
        boolean high = size == 1 && i.rex == 0 && number >= 4;
        i.operand(n, high ? Insn.REG_HIGH : Insn.REG, high ? number - 4 : number, size);
    }

    private void immediate(Insn i, int n, Opcode o, OperandSpec spec) {
        int size = spec.bytes(i.operandSize, false);
        boolean first = n == 0 || i.kind(n - 1) != Insn.IMM;
        if (first) i.immediate = next(size, size > 1 && !(spec.size() == 'w') || spec.method().equals("sI"));
        else i.immediate2 = (int) next(size, false);
        i.operand(n, Insn.IMM, 0, spec.method().equals("sI") ? i.operandSize : size);
    }

    private int relative(Insn i, OperandSpec spec) {
        int size = spec.bytes(i.bits == 64 ? 4 : i.operandSize, false);
        i.immediate = next(size, true);
        return i.operandSize;
    }
}
