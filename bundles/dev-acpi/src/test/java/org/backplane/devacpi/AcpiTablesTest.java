package org.backplane.devacpi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Reads the tables as an operating system does, by the offsets of the specification. */
class AcpiTablesTest {
    /** The usual places of the card. */
    static final AcpiTables.Places PLACES = new AcpiTables.Places(9, 0x600, 0x608, 0xb2, 0xcf9);

    private static final int BASE = 0xe0000;

    private final ByteBuffer all = ByteBuffer.wrap(AcpiTables.at(BASE, PLACES)).order(ByteOrder.LITTLE_ENDIAN);

    private String text(int at, int length) {
        return new String(all.array(), at, length, StandardCharsets.US_ASCII);
    }

    private int sum(int at, int length) {
        int sum = 0;
        for (int i = 0; i < length; i++) sum += all.get(at + i);
        return sum & 0xff;
    }

    /** Offset of the table that a pointer means, after a check of signature, alignment and checksum. */
    private int follow(long pointer, String signature) {
        int at = (int) (pointer - BASE);
        assertEquals(signature, text(at, 4));
        assertEquals(0, sum(at, all.getInt(at + 4)), signature + " checksum");
        return at;
    }

    private int fadt() {
        int rsdt = follow(all.getInt(16), "RSDT");
        assertEquals(1, (all.getInt(rsdt + 4) - 36) / 4, "tables");
        return follow(all.getInt(rsdt + 36), "FACP");
    }

    /** A generic address structure: system I/O, this port, this width. */
    private void expectPort(int at, int port, int bits) {
        assertEquals(1, all.get(at));
        assertEquals(bits, all.get(at + 1));
        assertEquals(port, all.getLong(at + 4));
    }

    @Test
    void rsdpIsFoundByItsSignatureAndChecksum() {
        assertEquals("RSD PTR ", text(0, 8));
        assertEquals(0, sum(0, 20));
        assertEquals(0, all.get(15), "revision");
    }

    @Test
    void fadtNamesTheRegisters() {
        int f = fadt();
        assertEquals(244, all.getInt(f + 4));
        assertEquals(3, all.get(f + 8));
        assertEquals(9, all.getShort(f + 46), "SCI");
        assertEquals(0xb2, all.getInt(f + 48));
        assertEquals(AcpiTables.ACPI_ENABLE, all.get(f + 52) & 0xff);
        assertEquals(AcpiTables.ACPI_DISABLE, all.get(f + 53) & 0xff);
        assertEquals(0x600, all.getInt(f + 56));
        assertEquals(0x604, all.getInt(f + 64));
        assertEquals(0x608, all.getInt(f + 76));
        assertEquals(4, all.get(f + 88));
        assertEquals(2, all.get(f + 89));
        assertEquals(4, all.get(f + 91));
        assertEquals(0x0b, all.getShort(f + 109), "boot flags: legacy devices, 8042, no MSI, VGA");
        int flags = all.getInt(f + 112);
        assertTrue((flags & 1 << 10) != 0, "reset register");
        assertEquals(0, flags & 1 << 4, "the power button is fixed hardware");
        assertEquals(0, flags & 1 << 8, "24 bits");
        expectPort(f + 116, 0xcf9, 8);
        assertEquals(AcpiTables.RESET_VALUE, all.get(f + 128));
        assertEquals(0, all.getLong(f + 132), "one FACS");
        assertEquals(all.getInt(f + 40), all.getLong(f + 140));
        expectPort(f + 148, 0x600, 32);
        expectPort(f + 172, 0x604, 16);
        expectPort(f + 208, 0x608, 32);
    }

    @Test
    void facsIsAlignedTo64() {
        int pointer = all.getInt(fadt() + 36);
        assertEquals(0, pointer % 64);
        assertEquals("FACS", text(pointer - BASE, 4));
        assertEquals(64, all.getInt(pointer - BASE + 4));
    }

    @Test
    void dsdtHasTheSleepTypeOfS5() {
        int d = follow(all.getInt(fadt() + 40), "DSDT");
        byte[] aml = Arrays.copyOfRange(all.array(), d + 36, d + all.getInt(d + 4));
        assertEquals(0x08, aml[0], "Name");
        assertEquals("\\_S5_", new String(aml, 1, 5, StandardCharsets.US_ASCII));
        assertEquals(0x12, aml[6], "Package");
        assertEquals(aml.length - 7, aml[7], "to the end");
        assertEquals(4, aml[8]);
        assertEquals(AcpiTables.SLEEP_TYPE_S5, aml[10]);
        assertEquals(AcpiTables.SLEEP_TYPE_S5, aml[12]);
    }

    /** The ACPI component architecture's own disassembler, where it is installed, finds nothing to complain about. */
    @Test
    void iaslDisassemblesDsdtAndFadt() throws Exception {
        Path iasl = Path.of("/usr/bin/iasl");
        assumeTrue(Files.isExecutable(iasl), "iasl is not installed (Debian: acpica-tools)");
        Path dir = Files.createDirectories(Path.of("target", "acpi"));
        int f = fadt();
        int d = follow(all.getInt(f + 40), "DSDT");
        String dsdt = disassemble(iasl, dir, "dsdt", d);
        assertTrue(dsdt.contains("Name (\\_S5, Package (0x04)"), dsdt);
        String facp = disassemble(iasl, dir, "facp", f);
        assertTrue(facp.contains("Reset Register Supported (V2) : 1"), facp);
    }

    private String disassemble(Path iasl, Path dir, String name, int at) throws IOException, InterruptedException {
        Path file = dir.resolve(name + ".aml");
        Files.write(file, Arrays.copyOfRange(all.array(), at, at + all.getInt(at + 4)));
        Process p = new ProcessBuilder(iasl.toString(), "-d", file.toString()).redirectErrorStream(true).start();
        String out = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(p.waitFor(20, TimeUnit.SECONDS));
        assertEquals(0, p.exitValue(), out);
        assertTrue(!out.contains("Error") && !out.contains("Warning") && !out.contains("Invalid"), out);
        return Files.readString(dir.resolve(name + ".dsl"));
    }
}
