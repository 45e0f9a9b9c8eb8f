package org.backplane.devicekit;

import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;

/**
 * A register: a value of 8, 16, 32 or 64 bits with a name, bit fields, a reset value and, where the hardware does more than keep bits,
 * callbacks.
 *
 * <p><b>Declaration.</b> Without fields every bit is read-write. With the first {@link #bits} all bits that no field covers are reserved.
 * Declaring ends before the first access.
 *
 * <p><b>Reading</b> gives the value of {@link #onRead}, if there is one, else the readable bits of the stored value; then read-to-clear
 * fields are cleared and {@link #afterRead} is called. <b>Writing</b> stores the writable bits, clears, sets or inverts the write-1-to-… bits, then
 * calls {@link #onWrite} with the raw value as written. A write to a part of a register (a byte of 32 bits) leaves the other bytes alone, and the
 * raw value has the stored bits there, but zeros in place of write-1-to-… bits.
 *
 * <p><b>Cost.</b> A register that only keeps bits is served by one test, one mask and one store. Everything else (callbacks, trace,
 * log) is behind that test. Nothing allocates.
 *
 * <p>Like the device that owns it, it is used by one thread at a time.
 */
public final class Register {
    private static final int TRACED = 1;
    private static final int CALLBACK = 2;
    /** Has bits that change by the access itself. */
    private static final int ACTS = 4;
    private static final int UNIMPLEMENTED = 8;
    private static final int SELECTS = 16;

    /** Width in bytes; 0 in the place holders of {@link RegisterBank}. */
    final int bytes;

    private long value;
    private long readMask;
    private long readOnes;
    private long writeMask;
    /** Why a read (a write) is more than a mask: a set of the flags above. */
    private int readSpecial;

    private int writeSpecial;

    private final RegisterFile file;
    private final String name;
    private final long all;
    private final List<Field> fields = new ArrayList<>();
    private long resetValue;
    private long before;
    private long clearedByOne;
    private long setByOne;
    private long toggledByOne;
    private long clearedByRead;
    private long unimplemented;
    private boolean retained;
    private boolean derived;
    private LongSupplier reader;
    private Runnable afterRead;
    private LongConsumer writer;
    private Runnable selector;

    Register(RegisterFile file, String name, int width) {
        this.file = file;
        this.name = name;
        this.bytes = width / 8;
        this.all = ones(width);
        this.readMask = all;
        this.writeMask = all;
    }

    static long ones(int width) {
        return width == 0 ? 0 : -1L >>> 64 - width;
    }

    // ---- declaration ----

    /** Declares a read-write bit. */
    public Register bits(String field, int bit) {
        return bits(field, bit, 1, Access.READ_WRITE);
    }

    /** Declares a read-write field of {@code width} bits from bit {@code lsb} upwards. */
    public Register bits(String field, int lsb, int width) {
        return bits(field, lsb, width, Access.READ_WRITE);
    }

    /**
     * Declares a field of {@code width} bits from bit {@code lsb} upwards.
     *
     * @throws IllegalArgumentException if it overlaps another field, repeats a name or leaves the register
     */
    public Register bits(String field, int lsb, int width, Access access) {
        Field f = new Field(this, field, lsb, width, access);
        if (lsb < 0 || width < 1 || lsb + width > bytes * 8) throw new IllegalArgumentException(name + "." + field + " leaves the register");
        for (Field other : fields) {
            if ((other.mask() & f.mask()) != 0 || other.name().equals(field)) {
                throw new IllegalArgumentException(name + "." + field + " collides with " + other.name());
            }
        }
        if (fields.isEmpty()) {
            readMask = 0;
            writeMask = 0;
        }
        fields.add(f);
        switch (access) {
            case READ_WRITE -> {
                readMask |= f.mask();
                writeMask |= f.mask();
            }
            case READ_ONLY -> readMask |= f.mask();
            case WRITE_ONLY -> writeMask |= f.mask();
            case WRITE_ONE_TO_CLEAR -> {
                readMask |= f.mask();
                clearedByOne |= f.mask();
                writeSpecial |= ACTS;
            }
            case WRITE_ONE_TO_SET -> {
                readMask |= f.mask();
                setByOne |= f.mask();
                writeSpecial |= ACTS;
            }
            case WRITE_ONE_TO_TOGGLE -> {
                readMask |= f.mask();
                toggledByOne |= f.mask();
                writeSpecial |= ACTS;
            }
            case READ_TO_CLEAR -> {
                readMask |= f.mask();
                clearedByRead |= f.mask();
                readSpecial |= ACTS;
            }
            case RESERVED -> {}
            case RESERVED_ONES -> readOnes |= f.mask();
            case UNIMPLEMENTED -> {
                readMask |= f.mask();
                writeMask |= f.mask();
                unimplemented |= f.mask();
                writeSpecial |= UNIMPLEMENTED;
            }
        }
        return this;
    }

    /** Value at power-on and after {@link RegisterFile#reset}; 0 unless declared. */
    public Register resetValue(long v) {
        resetValue = v & all;
        value = resetValue;
        return this;
    }

    /** The guest's writes change nothing (but {@link #onWrite} is called). For a register without fields. */
    public Register readOnly() {
        writeMask = 0;
        return this;
    }

    /** Reset leaves the value alone: memory with a battery. The reset value is the one at creation. */
    public Register retained() {
        retained = true;
        return this;
    }

    /** The value is no state of its own (computed on read, or a command): it is not saved. */
    public Register derived() {
        derived = true;
        return this;
    }

    /** What the guest reads is computed: replaces the stored value, fields are not applied. May have side effects. */
    public Register onRead(LongSupplier r) {
        reader = r;
        readSpecial |= CALLBACK;
        return this;
    }

    /** Called after the guest has read the register and read-to-clear fields were cleared. */
    public Register afterRead(Runnable r) {
        afterRead = r;
        readSpecial |= CALLBACK;
        return this;
    }

    /** Called after a write was stored, with the raw value as written, zero-extended. */
    public Register onWrite(LongConsumer w) {
        writer = w;
        writeSpecial |= CALLBACK;
        return this;
    }

    // ---- what the device does ----

    public String name() {
        return name;
    }

    /** In bits. */
    public int width() {
        return bytes * 8;
    }

    /** The stored value, zero-extended; no side effects. */
    public long value() {
        return value;
    }

    /** In {@link #onWrite}: the stored value before this write. */
    public long before() {
        return before;
    }

    /** The stored value's low 32 bits. */
    public int intValue() {
        return (int) value;
    }

    /** Any of these bits is stored as one. */
    public boolean test(long mask) {
        return (value & mask) != 0;
    }

    /** Stores all bits; no callback of the register is called. */
    public void set(long v) {
        value = v & all;
        if (selector != null) selector.run();
    }

    public void setBits(long mask) {
        set(value | mask);
    }

    public void clearBits(long mask) {
        set(value & ~mask);
    }

    /** @throws NoSuchElementException if no such field was declared */
    public Field field(String field) {
        for (Field f : fields) if (f.name().equals(field)) return f;
        throw new NoSuchElementException(name + "." + field);
    }

    public List<Field> fields() {
        return List.copyOf(fields);
    }

    /** A value of this register as text: {@code lcr=0x83 wls=0x3 dlab=0x1}; fields that are zero are left out. */
    public String describe(long v) {
        String parts = describeFields(v);
        return name + "=0x" + Long.toHexString(v & all) + (parts.isEmpty() ? "" : " " + parts);
    }

    /** The fields of a value of this register that are not zero: {@code wls=0x3 dlab=0x1}. */
    public String describeFields(long v) {
        StringBuilder s = new StringBuilder();
        for (Field f : fields) {
            long part = f.of(v);
            if (part != 0) s.append(s.isEmpty() ? "" : " ").append(f.name()).append("=0x").append(Long.toHexString(part));
        }
        return s.toString();
    }

    @Override
    public String toString() {
        return describe(value);
    }

    // ---- what the guest does ----

    /** A read by the guest, side effects included. */
    public long busRead() {
        if (readSpecial == 0) return value & readMask | readOnes;
        return specialRead();
    }

    /** A write by the guest; bits above the width are dropped. */
    public void busWrite(long v) {
        if (writeSpecial == 0) value = value & ~writeMask | v & writeMask;
        else specialWrite(v & all, all);
    }

    /** A write by the guest to the bytes in {@code lanes} only (ones in every bit of these bytes). */
    void busWriteLanes(long v, long lanes) {
        specialWrite(v & lanes | value & ~lanes & ~(clearedByOne | setByOne | toggledByOne), lanes);
    }

    private long specialRead() {
        long v = reader != null ? reader.getAsLong() & all : value & readMask | readOnes;
        if ((readSpecial & TRACED) != 0) file.trace(this, false, v);
        if (clearedByRead != 0) value &= ~clearedByRead;
        if (afterRead != null) afterRead.run();
        return v;
    }

    private void specialWrite(long v, long lanes) {
        if ((writeSpecial & TRACED) != 0) file.trace(this, true, v);
        if ((writeSpecial & UNIMPLEMENTED) != 0) reportUnimplemented(v);
        before = value;
        long stored = writeMask & lanes;
        value = ((value & ~stored | v & stored) & ~(v & clearedByOne) | v & setByOne) ^ v & toggledByOne;
        if (selector != null) selector.run();
        if (writer != null) writer.accept(v);
    }

    private void reportUnimplemented(long v) {
        long changed = (v ^ value) & unimplemented;
        if (changed == 0) return;
        for (Field f : fields) {
            if ((f.mask() & changed) == 0) continue;
            file.unimplemented(this, f, v);
            unimplemented &= ~f.mask();
        }
    }

    // ---- for the register file and banks ----

    void traced(boolean on) {
        readSpecial = on ? readSpecial | TRACED : readSpecial & ~TRACED;
        writeSpecial = on ? writeSpecial | TRACED : writeSpecial & ~TRACED;
    }

    /** Runs whenever the stored value may have changed. */
    void selects(Runnable s) {
        selector = s;
        writeSpecial |= SELECTS;
    }

    void reset() {
        if (!retained) set(resetValue);
    }

    long resetValue() {
        return resetValue;
    }

    boolean saved() {
        return !derived;
    }
}
