package org.backplane.junit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The probe in a VM with a card that keeps what it is given. */
class ProbeTest {
    private static final int PORT = 0x5e0;
    private static final long REGS = 0xfeb00000L;

    @RegisterExtension
    static final TestVm vm = TestVm.builder().card(CardFiles.NOTEBOOK).device("notebook").build();

    private final Probe probe = vm.probe();

    @Test
    void accessesPortsInEveryWidth() {
        probe.out32(PORT, 0xdeadbeefL);
        assertEquals(0xdeadbeefL, probe.in32(PORT));
        assertEquals(0xbeef, probe.in16(PORT));
        assertEquals(0xef, probe.in8(PORT));
        probe.out16(PORT, 0x89ab);
        assertEquals(0x89ab, probe.in32(PORT));
        probe.out8(PORT, 0x12);
        assertEquals(0x12, probe.in32(PORT));
    }

    @Test
    void accessesDevicesInMemoryInEveryWidth() {
        probe.write32(REGS, 0xfedcba98L);
        assertEquals(0xfedcba98L, probe.read32(REGS));
        assertEquals(0xba98, probe.read16(REGS));
        assertEquals(0x98, probe.read8(REGS));
        probe.write16(REGS, 0x7654);
        assertEquals(0x7654, probe.read32(REGS));
        probe.write8(REGS, 0x32);
        assertEquals(0x32, probe.read32(REGS));
    }

    @Test
    void accessesMemory() {
        probe.write32(0x200000, 0x44332211);
        probe.write8(0x200003, 0x55);
        assertEquals(0x55332211, probe.read32(0x200000));
        assertArrayEquals(new byte[] {0x11, 0x22, 0x33, 0x55}, vm.machine().readPhysical(0x200000, 4));
    }

    @Test
    void countsInterruptsSinceItWasAskedLast() {
        probe.out8(PORT, 0);
        probe.interrupts(10);
        for (int i = 0; i < 3; i++) {
            probe.out8(PORT, 1);
            probe.out8(PORT, 0);
        }
        assertEquals(3, probe.interrupts(10));
        assertEquals(0, probe.interrupts(10));
        probe.out8(PORT, 1);
        assertEquals(1, probe.awaitInterrupt(10));
    }

    @Test
    void refusesALineThatIsNone() {
        assertThrows(IllegalArgumentException.class, () -> probe.interrupts(16));
    }

    @Test
    void isWhatItsSourceAssemblesTo(@TempDir Path temp) throws Exception {
        assumeTrue(Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator)).anyMatch(d -> Files.isExecutable(Path.of(d, "nasm"))),
                "nasm is not installed");
        Path image = temp.resolve("probe.bin");
        Process p = new ProcessBuilder("nasm", "-f", "bin", "-o", image.toString(), "src/main/asm/probe.asm").inheritIO().start();
        assertEquals(0, p.waitFor());
        try (InputStream in = Probe.class.getResourceAsStream("probe.bin")) {
            assertArrayEquals(Files.readAllBytes(image), in.readAllBytes(), "run scripts/assemble-firmware");
        }
    }
}
