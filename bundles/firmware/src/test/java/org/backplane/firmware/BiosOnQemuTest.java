package org.backplane.firmware;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The BIOS on a machine that is not ours: QEMU's PC, without its own BIOS. The itests do the same on Backplane. */
class BiosOnQemuTest {
    /** QEMU 7.2's controller accepts FORMAT TRACK and writes nothing. */
    private static final String QEMU_DOES_NOT_FORMAT = "FAIL formatted sector";

    @TempDir
    Path temp;

    @BeforeEach
    void assumeQemu() {
        Nasm.assumeInstalled("qemu-system-i386");
    }

    @ParameterizedTest
    @ValueSource(strings = {"isapc", "pc"})
    void servicesAnswerAsTheyShould(String machine) throws Exception {
        Nasm.assumeInstalled("nasm");
        byte[] image = Nasm.assemble(Nasm.testSources(), "services.asm", temp.resolve("services"));
        List<String> lines = run(machine, Arrays.copyOf(image, 1440 << 10), "END");
        assertEquals(List.of(), lines.stream().filter(l -> l.startsWith("FAIL") && !l.startsWith(QEMU_DOES_NOT_FORMAT)).toList());
        assertTrue(lines.stream().filter(l -> l.contains("ok ")).count() > 100, "all checks were made");
    }

    @Test
    void demonstrationGuestCountsItsSeconds() throws Exception {
        List<String> lines = run("isapc", new DemoFloppy().image(), "[00002]");
        assertTrue(lines.getLast().matches("\\[00002] up 00:00:02  timer \\d+  keys 0  received 0  trouble 0"), lines.toString());
    }

    /** What the guest sends on COM1 until a line begins with {@code last}. */
    private List<String> run(String machine, byte[] floppy, String last) throws Exception {
        Path bios = Files.write(temp.resolve("bios.bin"), new BackplaneBios().image());
        Path disk = Files.write(temp.resolve("floppy.img"), floppy);
        Process qemu = new ProcessBuilder(
                        "qemu-system-i386", "-M", machine, "-bios", bios.toString(), "-m", "64", "-nodefaults", "-vga", "std", "-display", "none",
                        "-drive", "if=floppy,format=raw,file=" + disk, "-serial", "stdio", "-no-reboot", "-device", "isa-debug-exit,iobase=0xf4")
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        List<String> lines = new java.util.ArrayList<>();
        Thread killer = Thread.ofVirtual().start(() -> endAfter(qemu, 60));
        try (var reader = qemu.inputReader()) {
            for (String line; (line = reader.readLine()) != null; ) {
                lines.add(line);
                if (line.startsWith(last)) return lines;
            }
        } finally {
            qemu.destroyForcibly().waitFor();
            killer.interrupt();
        }
        throw new AssertionError("no line " + last + ": " + lines);
    }

    private static void endAfter(Process p, int seconds) {
        try {
            if (!p.waitFor(seconds, TimeUnit.SECONDS)) p.destroyForcibly();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // It ended in time.
        }
    }
}
