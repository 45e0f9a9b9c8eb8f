package org.backplane.kvm.spi.device;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The saved state of a card: named values and a version. Names are stable, order is not; a value that is absent takes the default that
 * the loading card gives, one that it does not know is ignored.
 *
 * <p>Values are longs (also for ints and booleans), strings, byte arrays and nested states.
 */
public final class CardState {
    private final Map<String, Object> values = new LinkedHashMap<>();
    private final String type;
    private final int version;

    public CardState(String type, int version) {
        this.type = type;
        this.version = version;
    }

    /** Type of the card that wrote it. */
    public String type() {
        return type;
    }

    /** State version of the card that wrote it. */
    public int version() {
        return version;
    }

    public CardState put(String name, long value) {
        values.put(name, value);
        return this;
    }

    public CardState put(String name, boolean value) {
        return put(name, value ? 1 : 0);
    }

    public CardState put(String name, String value) {
        values.put(name, value);
        return this;
    }

    /** Keeps a copy. */
    public CardState put(String name, byte[] value) {
        values.put(name, value.clone());
        return this;
    }

    /** A nested state, made on first use. */
    public CardState child(String name) {
        return (CardState) values.computeIfAbsent(name, n -> new CardState(n, version));
    }

    public boolean has(String name) {
        return values.containsKey(name);
    }

    public long getLong(String name, long defaultValue) throws StateException {
        Object v = values.get(name);
        if (v == null) return defaultValue;
        if (v instanceof Long l) return l;
        throw wrongType(name, "a number", v);
    }

    public int getInt(String name, int defaultValue) throws StateException {
        return Math.toIntExact(getLong(name, defaultValue));
    }

    public boolean getBoolean(String name, boolean defaultValue) throws StateException {
        return getLong(name, defaultValue ? 1 : 0) != 0;
    }

    public String getString(String name, String defaultValue) throws StateException {
        Object v = values.get(name);
        if (v == null) return defaultValue;
        if (v instanceof String s) return s;
        throw wrongType(name, "a string", v);
    }

    /** A copy of the bytes. */
    public byte[] getBytes(String name, byte[] defaultValue) throws StateException {
        Object v = values.get(name);
        if (v == null) return defaultValue;
        if (v instanceof byte[] b) return b.clone();
        throw wrongType(name, "bytes", v);
    }

    /** Fills an array from saved bytes of exactly its length; leaves it alone when the value is absent. */
    public void getBytesInto(String name, byte[] to) throws StateException {
        byte[] b = getBytes(name, null);
        if (b == null) return;
        if (b.length != to.length) {
            throw new StateException(type + ": " + name + " has " + b.length + " bytes, " + to.length + " expected");
        }
        System.arraycopy(b, 0, to, 0, b.length);
    }

    /** All values, for printing and for storing: Long, String, byte[] or CardState. */
    public Map<String, Object> values() {
        return java.util.Collections.unmodifiableMap(values);
    }

    /** A deep copy. */
    public CardState copy() {
        return as(version);
    }

    /** A deep copy under another version. */
    CardState as(int newVersion) {
        CardState c = new CardState(type, newVersion);
        values.forEach((k, v) -> c.values.put(
                k, v instanceof byte[] b ? b.clone() : v instanceof CardState s ? s.as(newVersion) : v));
        return c;
    }

    /** Removes a value, and answers it; null if there is none. */
    Object take(String name) {
        return values.remove(name);
    }

    /** Puts a value of any of the kinds there are. */
    void set(String name, Object value) {
        switch (value) {
            case Long l -> put(name, l);
            case Integer i -> put(name, i);
            case Boolean b -> put(name, b);
            case String s -> put(name, s);
            case byte[] b -> put(name, b);
            case CardState s -> values.put(name, s);
            default -> throw new IllegalArgumentException(name + ": a state has no values of " + value.getClass());
        }
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof CardState s && version == s.version && type.equals(s.type) && toString().equals(s.toString());
    }

    @Override
    public int hashCode() {
        return toString().hashCode();
    }

    /** All values by name, bytes in hexadecimal. */
    @Override
    public String toString() {
        StringBuilder s = new StringBuilder(type).append(" v").append(version).append(" {");
        new java.util.TreeMap<>(values).forEach((k, v) -> s.append(' ').append(k).append('=').append(
                v instanceof byte[] b ? java.util.HexFormat.of().formatHex(b) : v));
        return s.append(" }").toString();
    }

    private StateException wrongType(String name, String wanted, Object v) {
        return new StateException(type + ": " + name + " should be " + wanted + ", is " + v.getClass().getSimpleName());
    }
}
