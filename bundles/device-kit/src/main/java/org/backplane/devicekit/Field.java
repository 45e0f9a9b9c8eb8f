package org.backplane.devicekit;

/** Neighbouring bits of a {@link Register}, by name. Access is the device's, so no rule of {@link Access} applies. */
public final class Field {
    private final Register register;
    private final String name;
    private final int lsb;
    private final int width;
    private final Access access;
    private final long mask;

    Field(Register register, String name, int lsb, int width, Access access) {
        this.register = register;
        this.name = name;
        this.lsb = lsb;
        this.width = width;
        this.access = access;
        this.mask = Register.ones(width) << lsb;
    }

    public String name() {
        return name;
    }

    public Register register() {
        return register;
    }

    /** Number of the lowest bit. */
    public int lsb() {
        return lsb;
    }

    /** In bits. */
    public int width() {
        return width;
    }

    public Access access() {
        return access;
    }

    /** The field's bits, in place. */
    public long mask() {
        return mask;
    }

    /** The field's value in the register, shifted down. */
    public int get() {
        return (int) of(register.value());
    }

    /** The field's part of a register value, shifted down. */
    public long of(long registerValue) {
        return (registerValue & mask) >>> lsb;
    }

    /** Any bit of the field is one. */
    public boolean isSet() {
        return (register.value() & mask) != 0;
    }

    /** @param value not shifted; bits above the width are dropped */
    public void set(long value) {
        register.set(register.value() & ~mask | value << lsb & mask);
    }

    /** All bits one or all bits zero. */
    public void set(boolean on) {
        register.set(on ? register.value() | mask : register.value() & ~mask);
    }
}
