package org.backplane.devicekit;

import java.util.function.IntConsumer;

/** Equal registers in a row, named {@code name[0]}, {@code name[1]} …; saved as one value. */
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
