package org.backplane.itests.support;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * Guests, assembled by hand. A source has a line an instruction: its bytes in hexadecimal, and after a semicolon what they mean. {@code name:}
 * alone on a line is a label. Among the bytes, {@code $name} stands for the label's address, four bytes, {@code >name} for the distance to it in
 * one byte, and {@code >>name} in four, as jumps have it.
 *
 * <p>What comes out is a multiboot kernel: it is loaded to 1 MiB and entered in 32-bit protected mode at its first instruction.
 */
public final class GuestProgram {
    private static final int ORIGIN = 0x100000;
    private static final int HEADER_SIZE = 32;

    private final Map<String, Integer> labels = new HashMap<>();
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    private GuestProgram() {}

    /** A multiboot kernel of this source. */
    public static byte[] multiboot(String source) {
        GuestProgram p = new GuestProgram();
        // Twice: the first time finds the labels.
        p.assemble(source, false);
        p.assemble(source, true);
        return p.bytes.toByteArray();
    }

    /** A multiboot kernel of a source among the resources. */
    public static byte[] multibootOf(String resource) {
        try (InputStream in = GuestProgram.class.getResourceAsStream(resource)) {
            return multiboot(new String(in.readAllBytes(), StandardCharsets.US_ASCII));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void assemble(String source, boolean labelsKnown) {
        bytes.reset();
        bytes.writeBytes(header());
        for (String line : source.lines().toList()) {
            String code = line.replaceFirst(";.*", "").strip();
            if (code.endsWith(":")) {
                Integer before = labels.put(code.substring(0, code.length() - 1), here());
                if (before != null && !labelsKnown) throw new IllegalArgumentException("two labels " + code);
                continue;
            }
            for (String word : code.isEmpty() ? new String[0] : code.split(" +")) {
                if (word.startsWith("$")) put(target(word.substring(1), labelsKnown), 4);
                else if (word.startsWith(">>")) put(target(word.substring(2), labelsKnown) - (here() + 4), 4);
                else if (word.startsWith(">")) put(near(word, target(word.substring(1), labelsKnown) - (here() + 1), labelsKnown), 1);
                else put(Integer.parseInt(word, 16), 1);
            }
        }
    }

    private int here() {
        return ORIGIN + bytes.size();
    }

    private int target(String label, boolean labelsKnown) {
        Integer at = labels.get(label);
        if (at == null && labelsKnown) throw new IllegalArgumentException("no label " + label);
        return at == null ? ORIGIN : at;
    }

    private static int near(String word, int distance, boolean labelsKnown) {
        if (labelsKnown && distance != (byte) distance) throw new IllegalArgumentException(word + " is too far");
        return distance;
    }

    private void put(int value, int size) {
        for (int i = 0; i < size; i++) bytes.write(value >> 8 * i);
    }

    /** Multiboot Specification 0.6.96, 3.1.1, with the address fields. */
    private static byte[] header() {
        int magic = 0x1badb002;
        int flags = 1 << 16;
        return ByteBuffer.allocate(HEADER_SIZE)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(magic)
                .putInt(flags)
                .putInt(-(magic + flags))
                .putInt(ORIGIN)
                .putInt(ORIGIN)
                .putInt(0)
                .putInt(0)
                .putInt(ORIGIN + HEADER_SIZE)
                .array();
    }
}
