package org.backplane.x86.isa.oracle;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.backplane.x86.isa.Opcode;
import org.backplane.x86.isa.OpcodeTable;

/**
 * One form of an instruction in the table's user-mode test: a line of the opcode table with an operand size, and a register or
 * memory operand in ModRM. It makes machine code with random registers, addressing and immediates.
 *
 * @param memory the ModRM operand is in memory
 */
record UserForm(Opcode opcode, int operandSize, boolean memory) {
    /** What cannot be run in a process, or only with faults, descriptors or external state: tested from the SDM elsewhere. */
    private static final Set<String> ELSEWHERE = Set.of(
            "LES", "LDS", "LSS", "LFS", "LGS", "CALLF", "JMPF", "RETF", "IRET", "INT", "INT1", "INT3", "INTO", "IN", "OUT",
            "INS", "OUTS", "HLT", "CLI", "STI", "UD0", "UD1", "UD2", "RSM", "RDTSC", "RDPMC", "CPUID", "SYSENTER", "SYSEXIT",
            "RDMSR", "WRMSR", "SLDT", "STR", "SGDT", "SIDT", "SMSW", "VERR", "VERW", "LAR", "LSL", "FXSAVE", "FXRSTOR", "PAUSE",
            "VMCALL", "VMLAUNCH", "VMRESUME", "VMXOFF", "VMXON", "VMCLEAR", "VMPTRLD", "VMPTRST", "VMREAD", "VMWRITE", "INVEPT", "INVVPID", "MONITOR",
            "MWAIT");

    /** Mnemonics without an operand that shows it, whose operand size matters. */
    private static final Set<String> SIZED = Set.of("CBW", "CWD", "PUSHA", "POPA", "PUSHF", "POPF", "LEAVE", "ENTER");

    /** All forms of the table that a user process can execute, x87 and MMX apart. */
    static List<UserForm> integer() {
        List<UserForm> forms = new ArrayList<>();
        for (Opcode o : OpcodeTable.all()) {
            if (o.is(Opcode.CPL0) || o.is(Opcode.FPU) || o.is(Opcode.FPU0) || o.is(Opcode.MMX)) continue;
            if (ELSEWHERE.contains(o.mnemonic.name()) || loadsSegment(o)) continue;
            for (int size : sizes(o)) {
                if (memoryForm(o)) forms.add(new UserForm(o, size, true));
                if (registerForm(o)) forms.add(new UserForm(o, size, false));
            }
        }
        return forms;
    }

    private static boolean loadsSegment(Opcode o) {
        boolean first = o.operandCount() > 0 && (isSegment(o.operand(0)) || o.operand(0).equals("Sw"));
        return first && !o.mnemonic.name().equals("PUSH");
    }

    static boolean isSegment(String operand) {
        return Set.of("ES", "CS", "SS", "DS", "FS", "GS").contains(operand);
    }

    private static int[] sizes(Opcode o) {
        // A 16-bit near transfer would go to the first 64 KiB.
        if (o.is(Opcode.JUMP)) return new int[] {4};
        boolean sized = SIZED.contains(o.mnemonic.name()) || o.is(Opcode.D64);
        for (int n = 0; n < o.operandCount(); n++) {
            String text = o.operand(n);
            char last = text.charAt(text.length() - 1);
            sized |= last == 'v' || last == 'z' || last == 'a' || text.equals("rAX") || text.equals("M") || text.equals("sIb");
        }
        return sized ? new int[] {4, 2} : new int[] {4};
    }

    private static String modrmOperand(Opcode o) {
        for (int n = 0; n < o.operandCount(); n++) {
            if (o.operand(n).matches("E[a-z]|M[a-z]?|RM[a-z]|R[a-z]")) return o.operand(n);
        }
        return "";
    }

    private static boolean memoryForm(Opcode o) {
        String operand = modrmOperand(o);
        return !operand.isEmpty() && !operand.matches("R[a-z]") && !o.key.endsWith("r");
    }

    private static boolean registerForm(Opcode o) {
        // Register forms of 0F0D are undefined on some processors.
        return !modrmOperand(o).matches("M[a-z]?") && !o.key.endsWith("m") && !o.key.equals("0F0D");
    }

    /** It may be followed by any instruction: no branch, and RSP stays. */
    boolean mayComeFirst() {
        return !opcode.is(Opcode.JUMP) && !Set.of("POPF", "POP", "POPA", "LEAVE").contains(opcode.mnemonic.name());
    }

    /** Depends on flags and needs nothing of the registers: cannot fault, whatever comes before. */
    boolean readsFlags() {
        String m = opcode.mnemonic.name();
        if (memory || opcode.read == 0 || opcode.is(Opcode.REP)) return false;
        if (m.startsWith("RC")) return has("1");
        return !Set.of("PUSHF", "POPF", "LOOPE", "LOOPNE").contains(m);
    }

    String name() {
        StringBuilder b = new StringBuilder(opcode.key).append(' ').append(opcode.mnemonic);
        for (int n = 0; n < opcode.operandCount(); n++) b.append(n == 0 ? ' ' : ',').append(opcode.operand(n));
        if (operandSize == 2) b.append(" 16-bit");
        if (memory) b.append(" memory");
        return b.toString();
    }

    boolean has(String operand) {
        for (int n = 0; n < opcode.operandCount(); n++) if (opcode.operand(n).equals(operand)) return true;
        return false;
    }

    /** Width in bytes of what a shift, division or the like works on. */
    int width() {
        String first = opcode.operandCount() == 0 ? "v" : opcode.operand(0);
        char size = first.charAt(first.length() - 1);
        return size == 'b' || first.equals("AL") ? 1 : size == 'w' ? 2 : operandSize;
    }

    /**
     * Makes machine code.
     *
     * @param operands linear address of the operand window, for absolute addresses
     */
    UserCode code(RandomGenerator random, int operands) {
        return new Encoder(random, operands).encode();
    }

    /** The state of one encoding. */
    private final class Encoder {
        private final RandomGenerator random;
        private final int operands;
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();
        private final UserCode code = new UserCode();

        Encoder(RandomGenerator random, int operands) {
            this.random = random;
            this.operands = operands;
        }

        UserCode encode() {
            prefixes();
            String key = opcode.key.startsWith("F3_") ? opcode.key.substring(3) : opcode.key;
            int end = key.indexOf('/');
            String bytes = end > 0 ? key.substring(0, end) : key.replaceAll("[+_].*", "");
            for (int i = 0; i < bytes.length(); i += 2) {
                int b = Integer.parseInt(bytes.substring(i, i + 2), 16);
                boolean last = i + 2 == bytes.length();
                if (last && key.endsWith("+")) {
                    code.register = random.nextInt(8);
                    b += code.register;
                }
                out.write(b);
            }
            if (end > 0 || hasModrm()) modrm(end > 0 ? key.charAt(end + 1) : '*');
            for (int n = 0; n < opcode.operandCount(); n++) tail(opcode.operand(n));
            code.length = out.size();
            // What a branch may skip: NOT EAX, which changes no flag.
            if (opcode.is(Opcode.JUMP)) {
                out.write(0xf7);
                out.write(0xd0);
            }
            code.bytes = out.toByteArray();
            return code;
        }

        private void prefixes() {
            String m = opcode.mnemonic.name();
            if (opcode.key.startsWith("F3_")) out.write(0xf3);
            if (opcode.is(Opcode.REP)) {
                code.repeat = random.nextInt(3);
                boolean compares = m.equals("CMPS") || m.equals("SCAS");
                if (code.repeat == 1) out.write(0xf3);
                if (code.repeat == 2 && compares) out.write(0xf2);
                else if (code.repeat == 2) code.repeat = 0;
            }
            if (opcode.is(Opcode.LOCK) && memory && random.nextInt(4) == 0) out.write(0xf0);
            if (operandSize == 2) out.write(0x66);
            code.shortAddress = (m.startsWith("LOOP") || m.equals("JCXZ") || m.equals("LEA")) && random.nextInt(3) == 0;
            if (code.shortAddress) out.write(0x67);
            if (memory && random.nextInt(8) == 0) out.write(new int[] {0x26, 0x36, 0x3e}[random.nextInt(3)]);
        }

        private boolean hasModrm() {
            for (int n = 0; n < opcode.operandCount(); n++) {
                if (opcode.operand(n).matches("E[a-z]|G[a-z]|M[a-z]?|RM[a-z]|R[a-z]|S[a-z]")) return true;
            }
            return false;
        }

        private void modrm(char field) {
            int reg = field == '*' ? random.nextInt(opcode.operand(opcode.operandCount() - 1).equals("Sw") ? 6 : 8) : field - '0';
            code.register = reg;
            if (!memory) {
                do {
                    code.rm = random.nextInt(8);
                } while (dividesByItself(code.rm) || code.rm == 4 && opcode.mnemonic.name().equals("CALL"));
                out.write(0xc0 | reg << 3 | code.rm);
            } else if (code.shortAddress) {
                out.write(0x80 | reg << 3 | random.nextInt(8));
                number(random.nextInt(), 2);
            } else {
                address(reg);
            }
        }

        private boolean divides() {
            return opcode.mnemonic.name().equals("DIV") || opcode.mnemonic.name().equals("IDIV");
        }

        /** A division by the upper half of its own dividend always overflows. */
        private boolean dividesByItself(int rm) {
            return divides() && rm == (width() == 1 ? 4 : 2);
        }

        /** An address in the dividend can make every division overflow. */
        private boolean dividesAddress(int base) {
            return divides() && (base == 0 || base == 2);
        }

        private void address(int reg) {
            int kind = random.nextInt(5);
            boolean bits = opcode.is(Opcode.BITS);
            // CL counts, and an address in it might count beyond the operand.
            boolean counts = opcode.mnemonic.name().matches("SH.D") && has("CL");
            if (kind == 0) {
                code.displacement = operands + UserModeContract.TARGET + 8 * random.nextInt(16);
                out.write(reg << 3 | 5);
                number(code.displacement, 4);
                return;
            }
            do {
                code.base = random.nextInt(8);
            } while (bits && code.base == reg || dividesAddress(code.base) || counts && code.base == 1);
            // Relative to ESP, an instruction that uses the stack gets only what leaves ESP in the window.
            boolean stack = code.base == 4 && Set.of("PUSH", "POP", "CALL").contains(opcode.mnemonic.name());
            boolean indexed = kind >= 3 && !stack;
            while (indexed && (code.index < 0 || code.index == 4 || code.index == code.base || bits && code.index == reg)) {
                code.index = random.nextInt(8);
            }
            boolean wide = !stack && random.nextBoolean();
            code.displacement = wide ? random.nextInt() : (byte) random.nextInt();
            int mod = wide ? 2 : 1;
            if (indexed || code.base == 4) {
                code.scale = indexed ? random.nextInt(4) : 0;
                out.write(mod << 6 | reg << 3 | 4);
                out.write(code.scale << 6 | (indexed ? code.index : 4) << 3 | code.base);
            } else {
                out.write(mod << 6 | reg << 3 | code.base);
            }
            number(code.displacement, wide ? 4 : 1);
        }

        private void tail(String operand) {
            switch (operand) {
                case "Ib" -> immediate(immediateByte(), 1);
                case "sIb" -> immediate((byte) random.nextInt(), 1);
                case "Iw" -> immediate(4 * random.nextInt(16), 2);
                case "Iz", "Iv" -> immediate((int) UserModeContract.value(random), operandSize);
                // Over NOT EAX.
                case "Jb" -> number(2, 1);
                case "Jz" -> number(2, 4);
                case "Ob", "Ov" -> number(operands + UserModeContract.TARGET + random.nextInt(64), 4);
                default -> {}
            }
        }

        private int immediateByte() {
            return switch (opcode.mnemonic.name()) {
                case "ENTER" -> random.nextInt(4);
                case "AAM" -> 1 + random.nextInt(255);
                // Beyond the width of a 16-bit operand everything is undefined.
                case "SHLD", "SHRD" -> operandSize == 2 ? random.nextInt(17) | random.nextInt(8) << 5 & 0xe0 : random.nextInt(256);
                default -> random.nextInt(256);
            };
        }

        private void immediate(int value, int bytes) {
            code.immediate = value;
            number(value, bytes);
        }

        private void number(int value, int bytes) {
            for (int i = 0; i < bytes; i++) out.write(value >> 8 * i);
        }
    }
}
