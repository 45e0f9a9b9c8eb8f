package org.backplane.kvm.spi.device;
import java.util.LinkedHashMap;
import java.util.Map;
public final class CardState {
    private final Map<String, Object> values = new LinkedHashMap<>();
    private final String type;
    private final int version;
    public CardState(String type, int version) {
        this.type = type;
        this.version = version;
    }
    public String type() {
        return type;
    }
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
    public CardState put(String name, byte[] value) {
        values.put(name, value.clone());
        return this;
    }
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
    public byte[] getBytes(String name, byte[] defaultValue) throws StateException {
        Object v = values.get(name);
        if (v == null) return defaultValue;
        if (v instanceof byte[] b) return b.clone();
        throw wrongType(name, "bytes", v);
    }
    public void getBytesInto(String name, byte[] to) throws StateException {
        byte[] b = getBytes(name, null);
        if (b == null) return;
        if (b.length != to.length) {
            throw new StateException(type + ": " + name + " has " + b.length + " bytes, " + to.length + " expected");
        }
        System.arraycopy(b, 0, to, 0, b.length);
    }
    public Map<String, Object> values() {
        return java.util.Collections.unmodifiableMap(values);
    }
    public CardState copy() {
        CardState c = new CardState(type, version);
        values.forEach((k, v) -> c.values.put(
                k, v instanceof byte[] b ? b.clone() : v instanceof CardState s ? s.copy() : v));
        return c;
    }
    @Override
    public boolean equals(Object o) {
        return o instanceof CardState s && version == s.version && type.equals(s.type) && toString().equals(s.toString());
    }
    @Override
    public int hashCode() {
        return toString().hashCode();
    }
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
