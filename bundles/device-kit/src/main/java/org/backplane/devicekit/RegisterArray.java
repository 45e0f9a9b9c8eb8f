package org.backplane.devicekit;

import java.util.function.IntConsumer;
import java.util.function.IntToLongFunction;

/**
 * Equal registers in a row, named {@code name[0]}, {@code name[1]} …; saved as one value. Fields, reset value and callbacks are declared for all
 * elements at once:
 *
 * <pre>{@code
 * RegisterArray channel = file.array("channel", 8, 16).bits("on", 15).bits("count", 0, 12).resetValue(0xfff).onWrite(this::rearm);
 * RegisterBank regs = new RegisterBank(file, 64).at(0, channel, 8);  // channel[1] at 8, channel[2] at 16 …
 * }</pre>
 */
public final class RegisterArray {
    private final String name;
    private final Register[] registers;

    RegisterArray(String name, Register[] registers) {
        this.name = name;
        this.registers = registers;
    }

    public String name() {
        return name;
    }

    public int length() {
        return registers.length;
    }

    public Register get(int index) {
        return registers[index];
    }

    /** Declares a read-write bit in every element. */
    public RegisterArray bits(String field, int bit) {
        return bits(field, bit, 1, Access.READ_WRITE);
    }

    /** Declares a read-write field in every element. */
    public RegisterArray bits(String field, int lsb, int width) {
        return bits(field, lsb, width, Access.READ_WRITE);
    }

    /** Declares a field in every element, see {@link Register#bits(String, int, int, Access)}. */
    public RegisterArray bits(String field, int lsb, int width, Access access) {
        for (Register r : registers) r.bits(field, lsb, width, access);
        return this;
    }

    /** The value of every element at power-on and after a reset. */
    public RegisterArray resetValue(long value) {
        for (Register r : registers) r.resetValue(value);
        return this;
    }

    /** The guest's writes change no element. */
    public RegisterArray readOnly() {
        for (Register r : registers) r.readOnly();
        return this;
    }

    /** What the guest reads is computed from the element's index, see {@link Register#onRead}. */
    public RegisterArray onRead(IntToLongFunction reader) {
        for (int i = 0; i < registers.length; i++) {
            int index = i;
            registers[i].onRead(() -> reader.applyAsLong(index));
        }
        return this;
    }

    /** The stored value of an element. */
    public int value(int index) {
        return registers[index].intValue();
    }

    /** Stores an element without callbacks. */
    public void set(int index, long value) {
        registers[index].set(value);
    }

    /** Calls back with the index after the guest wrote an element. */
    public RegisterArray onWrite(IntConsumer written) {
        for (int i = 0; i < registers.length; i++) {
            int index = i;
            registers[i].onWrite(v -> written.accept(index));
        }
        return this;
    }

    byte[] toBytes() {
        int bytes = registers[0].bytes;
        byte[] b = new byte[registers.length * bytes];
        for (int i = 0; i < b.length; i++) b[i] = (byte) (registers[i / bytes].value() >>> i % bytes * 8);
        return b;
    }

    void fromBytes(byte[] b) {
        int bytes = registers[0].bytes;
        for (int i = 0; i < registers.length; i++) {
            long v = 0;
            for (int j = 0; j < bytes; j++) v |= (b[i * bytes + j] & 0xffL) << j * 8;
            registers[i].set(v);
        }
    }
}
