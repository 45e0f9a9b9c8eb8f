package org.backplane.gdbstub;

import java.util.List;
import java.util.function.ToLongFunction;
import org.backplane.kvm.spi.cpu.CpuState;

/** The x87 registers in gdb's order: st0 to st7 in stack order, then control, status, tags, and the last instruction and operand. */
final class FpuRegisters {
    private static final int EMPTY = 3;

    private FpuRegisters() {}

    static void addTo(List<Register> all) {
        for (int i = 0; i < 8; i++) {
            int n = i;
            all.add(new Register("st" + n, 80, "i387_ext", "", s -> s.fpMantissa[s.fpTop + n & 7], s -> s.fpSignExp[s.fpTop + n & 7], (s, l, h) -> {
                s.fpMantissa[s.fpTop + n & 7] = l;
                s.fpSignExp[s.fpTop + n & 7] = (int) h & 0xffff;
                return true;
            }));
        }
        word(all, "fctrl", s -> s.fpControl, (s, v) -> s.fpControl = v & 0xffff);
        word(all, "fstat", CpuState::fpStatusWord, CpuState::setFpStatusWord);
        word(all, "ftag", FpuRegisters::tags, FpuRegisters::setTags);
        word(all, "fiseg", s -> s.fpInstructionSelector, (s, v) -> s.fpInstructionSelector = v & 0xffff);
        word(all, "fioff", s -> s.fpInstructionPointer, (s, v) -> s.fpInstructionPointer = v & 0xffffffffL);
        word(all, "foseg", s -> s.fpDataSelector, (s, v) -> s.fpDataSelector = v & 0xffff);
        word(all, "fooff", s -> s.fpDataPointer, (s, v) -> s.fpDataPointer = v & 0xffffffffL);
        word(all, "fop", s -> s.fpOpcode, (s, v) -> s.fpOpcode = v & 0x7ff);
    }

    private interface Setter {
        void set(CpuState s, int value);
    }

    private static void word(List<Register> all, String name, ToLongFunction<CpuState> value, Setter setter) {
        all.add(Register.of(name, 32, "int", value, (s, l, h) -> {
            setter.set(s, (int) l);
            return true;
        }).in("float"));
    }

    /** The tag word, two bits a physical register: valid, zero, special, empty (SDM 1 8.1.7). */
    static long tags(CpuState s) {
        int word = 0;
        for (int n = 0; n < 8; n++) word |= tag(s, n) << 2 * n;
        return word;
    }

    private static int tag(CpuState s, int n) {
        if ((s.fpEmpty >> n & 1) != 0) return EMPTY;
        int exponent = s.fpSignExp[n] & 0x7fff;
        if (exponent == 0 && s.fpMantissa[n] == 0) return 1;
        return exponent == 0 || exponent == 0x7fff || s.fpMantissa[n] >= 0 ? 2 : 0;
    }

    /** Only "empty" is kept; the rest follows from the contents. */
    private static void setTags(CpuState s, int word) {
        int empty = 0;
        for (int n = 0; n < 8; n++) if ((word >> 2 * n & 3) == EMPTY) empty |= 1 << n;
        s.fpEmpty = empty;
    }
}
