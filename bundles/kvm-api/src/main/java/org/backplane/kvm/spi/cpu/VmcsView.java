package org.backplane.kvm.spi.cpu;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a VMCS holds at one moment, for people: a copy, taken with the vCPU at a boundary.
 *
 * @param launched the launch state: the next entry is VMRESUME, not VMLAUNCH
 * @param fields in the order of their encodings; empty when the backend has no VMCS
 */
public record VmcsView(boolean launched, List<Field> fields) {
    /** Of a backend that has none. */
    public static final VmcsView NONE = new VmcsView(false, List.of());

    public VmcsView {
        fields = List.copyOf(fields);
    }

    /** The value of a field by name, zero-extended; 0 when there is no such field. */
    public long value(String name) {
        for (Field f : fields) if (f.name().equals(name)) return f.value();
        return 0;
    }

    /** Name to value, in the order of the encodings. */
    public Map<String, Long> values() {
        Map<String, Long> all = new LinkedHashMap<>();
        for (Field f : fields) all.put(f.name(), f.value());
        return all;
    }

    /** The four kinds of field (SDM 3C 24.3): bits 11:10 of the encoding. */
    public enum Kind {
        CONTROL,
        EXIT_INFORMATION,
        GUEST,
        HOST
    }

    /**
     * A field.
     *
     * @param name as in SDM 3D appendix B, in capitals with underscores: {@code GUEST_CS_SELECTOR}
     * @param encoding 16 bits: what VMREAD names it by; bit 0 is 0
     * @param value zero-extended to 64 bits
     * @param meaning names of the bits that are set, or of the value, separated by spaces; empty where the value speaks for itself
     */
    public record Field(String name, int encoding, long value, String meaning) {
        public Kind kind() {
            return Kind.values()[encoding >> 10 & 3];
        }

        /** Width in bits: 16, 32 or 64; natural width is 64 (SDM 3C table 24-17, bits 14:13 of the encoding). */
        public int width() {
            return switch (encoding >> 13 & 3) {
                case 0 -> 16;
                case 2 -> 32;
                default -> 64;
            };
        }
    }
}
