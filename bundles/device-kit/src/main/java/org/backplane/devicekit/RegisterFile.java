package org.backplane.devicekit;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.function.Consumer;
import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.DeviceContext;
import org.backplane.kvm.spi.device.RegisterTraceSource;
import org.backplane.kvm.spi.device.StateException;

/**
 * All registers of a device, by name. Names are the device's saved state: they stay the same over versions. A device made of equal parts
 * gives each part its own file with a prefix, or names registers with one ({@code master.imr}).
 */
public final class RegisterFile {
    private final String name;
    private final Map<String, Register> registers = new LinkedHashMap<>();
    private final List<Register> single = new ArrayList<>();
    private final List<RegisterArray> arrays = new ArrayList<>();
    private Consumer<String> log = m -> {};
    private AccessListener listener;

    /** @param name of the device, for messages */
    public RegisterFile(String name) {
        this.name = name;
    }

    /**
     * Declares a register.
     *
     * @param width 8, 16, 32 or 64 bits
     * @throws IllegalArgumentException for another width or a name that is taken
     */
    public Register register(String register, int width) {
        Register r = make(register, width);
        single.add(r);
        return r;
    }

    /** Declares {@code count} equal registers that are saved as one value, in order, little-endian. */
    public RegisterArray array(String array, int count, int width) {
        Register[] r = new Register[count];
        for (int i = 0; i < count; i++) r[i] = make(array + "[" + i + "]", width);
        RegisterArray a = new RegisterArray(array, r);
        arrays.add(a);
        return a;
    }

    private Register make(String register, int width) {
        if (width != 8 && width != 16 && width != 32 && width != 64) throw new IllegalArgumentException(register + ": width " + width);
        Register r = new Register(this, register, width);
        if (registers.putIfAbsent(register, r) != null) throw new IllegalArgumentException(name + ": two registers " + register);
        r.traced(listener != null);
        return r;
    }

    public String name() {
        return name;
    }

    /** In order of declaration, elements of arrays included. */
    public List<Register> registers() {
        return Collections.unmodifiableList(new ArrayList<>(registers.values()));
    }

    /** @throws NoSuchElementException if it was not declared */
    public Register get(String register) {
        Register r = registers.get(register);
        if (r == null) throw new NoSuchElementException(name + "." + register);
        return r;
    }

    /** All registers take their reset values, but for retained ones. No callbacks. */
    public void reset() {
        for (Register r : registers.values()) r.reset();
    }

    /** Puts every register by name. */
    public void save(CardState state) {
        for (Register r : single) if (r.saved()) state.put(r.name(), r.value());
        for (RegisterArray a : arrays) state.put(a.name(), a.toBytes());
    }

    /**
     * Takes every register by name; one that the state does not have takes its reset value. No callbacks: what the device derives from its
     * registers it derives again after this.
     *
     * @throws StateException for a value of a wrong type or length; registers may then be half loaded
     */
    public void load(CardState state) throws StateException {
        for (Register r : single) if (r.saved()) r.set(state.getLong(r.name(), r.resetValue()));
        for (RegisterArray a : arrays) {
            byte[] bytes = new byte[a.toBytes().length];
            if (state.has(a.name())) {
                state.getBytesInto(a.name(), bytes);
                a.fromBytes(bytes);
            } else {
                for (int i = 0; i < a.length(); i++) a.set(i, a.get(i).resetValue());
            }
        }
    }

    /**
     * Connects the file to the board; called once in {@code attach}, for the one file that a device has. The first use of each unimplemented
     * field goes to the VM's log, and the board can switch on an access trace.
     */
    public void attach(DeviceContext context) {
        log(context::log);
        context.provide(RegisterTraceSource.class, this::traceTo);
    }

    private void traceTo(RegisterTraceSource.Listener to) {
        trace(to == null ? null : (r, write, v) -> to.accessed(r.name(), r.width(), write, v, r.describeFields(v)));
    }

    /** Where the first use of each unimplemented field is told, once; {@link #attach} makes it the VM's log. */
    public void log(Consumer<String> to) {
        log = to;
    }

    /** Switches the access trace on, or off with null. Off, it costs nothing. */
    public void trace(AccessListener l) {
        listener = l;
        for (Register r : registers.values()) r.traced(l != null);
    }

    void trace(Register r, boolean write, long v) {
        listener.accessed(r, write, v);
    }

    void unimplemented(Register r, Field f, long v) {
        log.accept(name + ": " + r.name() + "." + f.name() + " is not implemented (0x" + Long.toHexString(f.of(v)) + " written)");
    }
}
