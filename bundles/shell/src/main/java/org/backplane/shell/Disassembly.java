package org.backplane.shell;

import java.io.PrintStream;
import java.util.Arrays;
import org.backplane.board.api.Machine;
import org.backplane.x86.isa.Decoder;
import org.backplane.x86.isa.Disassembler;
import org.backplane.x86.isa.Insn;

/** Instructions in a machine's memory as text. */
final class Disassembly {
    private Disassembly() {}

    /** How bytes are read: as many as there are, up to a number. */
    interface Reader {
        byte[] read(long address, int length);
    }

    /** Reads linear memory, up to the first page that is not mapped. */
    static Reader linear(Machine m) {
        return (address, length) -> {
            var all = m.readLinear(0, address, length);
            if (all.isPresent()) return all.get();
            int toPageEnd = (int) Math.min(length, 0x1000 - (address & 0xfff));
            return m.readLinear(0, address, toPageEnd).orElse(new byte[0]);
        };
    }

    /**
     * Prints instructions.
     *
     * @param base what is subtracted from linear addresses to get the offsets that jumps name
     * @param bits code size: 16, 32 or 64
     */
    static void print(Reader memory, long address, long base, int bits, int count, PrintStream out) {
        Decoder decoder = new Decoder();
        long at = address;
        for (int i = 0; i < count; i++) {
            byte[] code = memory.read(at, Decoder.MAX_LENGTH);
            if (code.length == 0) {
                out.printf("%08x: not mapped%n", at);
                return;
            }
            Insn insn = decoder.decode(code, 0, code.length, bits);
            if (insn == null) {
                out.printf("%08x: %s  (continues on a page that is not mapped)%n", at, hex(code));
                return;
            }
            out.printf("%08x: %-22s %s%n", at, hex(Arrays.copyOf(code, insn.length)), Disassembler.text(insn, at - base));
            at += insn.length;
        }
    }

    private static String hex(byte[] bytes) {
        StringBuilder b = new StringBuilder();
        for (byte x : bytes) b.append(String.format("%02x", x));
        return b.toString();
    }
}
