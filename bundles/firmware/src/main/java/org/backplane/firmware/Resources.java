package org.backplane.firmware;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;

/** The images that {@code scripts/assemble-firmware} makes of {@code src/main/asm}; a test compares them with their sources. */
final class Resources {
    private Resources() {}

    /** The bytes of a resource, with zeros up to {@code size}. */
    static byte[] load(String name, int size) {
        try (InputStream in = Resources.class.getResourceAsStream(name)) {
            return Arrays.copyOf(in.readAllBytes(), size);
        } catch (IOException e) {
            throw new UncheckedIOException(name, e);
        }
    }
}
