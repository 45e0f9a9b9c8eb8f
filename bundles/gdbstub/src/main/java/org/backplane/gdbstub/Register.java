package org.backplane.gdbstub;

import java.util.function.ToLongFunction;
import org.backplane.kvm.spi.cpu.CpuState;

/**
 * One register as gdb sees it.
 *
 * @param bits 32, 64, 80 or 128
 * @param type a predefined type of gdb's, or one that the feature declares
 * @param low bits 63:0
 * @param high what is above them
 * @param writer null for a register that cannot be written
 */
record Register(
        String name, int bits, String type, String group, ToLongFunction<CpuState> low, ToLongFunction<CpuState> high, Writer writer) {
    /** Stores a value. */
    interface Writer {
        /** Returns false if it is not possible now. */
        boolean write(CpuState s, long low, long high);
    }

    /** One of up to 64 bits. */
    static Register of(String name, int bits, String type, ToLongFunction<CpuState> value, Writer writer) {
        return new Register(name, bits, type, "", value, s -> 0, writer);
    }

    Register in(String newGroup) {
        return new Register(name, bits, type, newGroup, low, high, writer);
    }

    int bytes() {
        return bits / 8;
    }

    /** The value in the guest's byte order, two digits a byte. */
    String read(CpuState s) {
        long l = low.applyAsLong(s), h = high.applyAsLong(s);
        StringBuilder hex = new StringBuilder(2 * bytes());
        for (int b = 0; b < bytes(); b++) hex.append(String.format("%02x", (b < 8 ? l >>> 8 * b : h >>> 8 * (b - 8)) & 0xff));
        return hex.toString();
    }

    /** Whether a value of that many digits was stored, or was there already. */
    boolean write(CpuState s, String hex) {
        if (hex.length() != 2 * bytes()) return false;
        if (hex.equalsIgnoreCase(read(s))) return true;
        if (writer == null) return false;
        long l = 0, h = 0;
        for (int b = bytes() - 1; b >= 0; b--) {
            int digits = Integer.parseInt(hex.substring(2 * b, 2 * b + 2), 16);
            if (b < 8) l = l << 8 | digits;
            else h = h << 8 | digits;
        }
        return writer.write(s, l, h);
    }
}
