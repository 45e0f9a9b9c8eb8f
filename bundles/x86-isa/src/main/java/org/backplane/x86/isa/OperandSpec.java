package org.backplane.x86.isa;

/**
 * An operand as the table writes it: an addressing method and a size (SDM 2D A.2).
 *
 * <p>Methods: {@code E} ModRM register or memory, {@code G} ModRM reg, {@code M} memory only, {@code R} register in ModRM rm, {@code RM}
 * a register of operand size or 16 bits of memory, {@code Z} register in the opcode, {@code I} immediate, {@code sI} sign-extended
 * immediate, {@code J} relative, {@code A} far pointer, {@code O} offset without ModRM, {@code S} segment, {@code C} control and {@code D}
 * debug register, {@code X} and {@code Y} string source and destination, {@code P} and {@code Q} MMX register and MMX register or
 * memory, {@code N} MMX register in ModRM rm, and names of fixed registers.
 *
 * <p>Sizes: {@code b} 1, {@code w} 2, {@code d} 4, {@code q} 8, {@code t} 10 bytes, {@code v} operand size, {@code z} operand size but at
 * most 4, {@code y} 4, or 8 in 64-bit mode, {@code p} far pointer, {@code s} descriptor-table register, {@code a} pair of bounds.
 */
record OperandSpec(String text, String method, char size) {
    private static final String[] SEGMENTS = {"ES", "CS", "SS", "DS", "FS", "GS"};

    static OperandSpec parse(String text) {
        if (text.matches("[a-z]?[A-Z]{1,2}[bwdqtvzypsa]") && !text.startsWith("z")) {
            int n = text.length() - 1;
            return new OperandSpec(text, text.substring(0, n), text.charAt(n));
        }
        char size =
                switch (text) {
                    case "AL", "CL" -> 'b';
                    case "AX", "DX" -> 'w';
                    case "rAX" -> 'v';
                    case "zAX" -> 'z';
                    default -> ' ';
                };
        return new OperandSpec(text, text, size);
    }

    /** The number of a fixed segment register, or -1. */
    int fixedSegment() {
        for (int i = 0; i < 6; i++) if (SEGMENTS[i].equals(method)) return i;
        return -1;
    }

    boolean inModrm() {
        return switch (method) {
            case "E", "G", "M", "R", "RM", "S", "C", "D", "P", "Q", "N" -> true;
            default -> false;
        };
    }

    /** Size in bytes, 0 where the notion has none. */
    int bytes(int operandSize, boolean longMode) {
        return switch (size) {
            case 'b' -> 1;
            case 'w' -> 2;
            case 'd' -> 4;
            case 'q' -> 8;
            case 't' -> 10;
            case 'v' -> operandSize;
            case 'z' -> Math.min(operandSize, 4);
            case 'y' -> longMode ? 8 : 4;
            case 'p' -> operandSize + 2;
            case 's' -> longMode ? 10 : 6;
            case 'a' -> operandSize * 2;
            default -> 0;
        };
    }
}
