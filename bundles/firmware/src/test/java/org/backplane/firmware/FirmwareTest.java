package org.backplane.firmware;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FirmwareTest {
    private final byte[] bios = new BackplaneBios().image();
    private final byte[] demo = new DemoFloppy().image();

    @Test
    void biosIsWhatItsSourcesAssembleTo(@TempDir Path temp) throws Exception {
        Nasm.assumeInstalled("nasm");
        assertArrayEquals(Nasm.assemble(Nasm.sources("bios"), "bios.asm", temp.resolve("bios")), bios, "run scripts/assemble-firmware");
    }

    @Test
    void demoIsWhatItsSourcesAssembleTo(@TempDir Path temp) throws Exception {
        Nasm.assumeInstalled("nasm");
        byte[] assembled = Nasm.assemble(Nasm.sources("demo"), "demo.asm", temp.resolve("demo"));
        assertArrayEquals(Arrays.copyOf(assembled, demo.length), demo, "run scripts/assemble-firmware");
    }

    @Test
    void biosFillsOneSegmentAndEndsWithTheResetVector() {
        assertEquals(0x10000, bios.length);
        assertEquals((byte) 0xea, bios[0xfff0], "far jump");
        assertEquals(0xf000, word(0xfff3), "to segment F000");
        assertEquals((byte) 0xfc, bios[0xfffe], "model: AT");
        assertEquals("01/01/26", new String(bios, 0xfff5, 8, StandardCharsets.US_ASCII));
    }

    @Test
    void tablesAreWhereOldSoftwareLooksForThem() {
        assertEquals(0x02, bios[0xefc7 + 3], "diskette parameters: 512 bytes");
        assertEquals(18, bios[0xefc7 + 4], "18 sectors");
        assertEquals((byte) 0xcf, bios[0xff53], "IRET");
        assertEquals(8, word(0xe6f5), "length of the configuration table");
        assertTrue(Arrays.equals(bios, 0xfa6e + 'A' * 8, 0xfa6e + 'A' * 8 + 8, font8('A'), 0, 8), "characters of 8 lines");
    }

    @Test
    void demoIsABootableFloppyOf1440K() {
        assertEquals(1440 * 1024, demo.length);
        assertEquals(0x55, demo[510]);
        assertEquals((byte) 0xaa, demo[511]);
    }

    private int word(int at) {
        return bios[at] & 0xff | (bios[at + 1] & 0xff) << 8;
    }

    /** The glyph from the committed font, to find the table by its contents. */
    private static byte[] font8(char c) {
        try {
            byte[] font = java.nio.file.Files.readAllBytes(Nasm.sources("bios").resolve("font8.bin"));
            return Arrays.copyOfRange(font, c * 8, c * 8 + 8);
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
