package org.backplane.itests.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Debian's kernels from their first instruction on: the BIOS, then their 16-bit setup code, which asks the BIOS about memory, video modes and
 * disks, then the switch to protected mode; with each way to run real mode under each MMU that allows it. The counters tell that it was that way.
 */
@NeedsGuests
class RealModeGuestIT {
    private static final Duration BOOT = Duration.ofMinutes(20);

    @Test
    void theInstallersKernelBootsThroughVirtual8086Mode() throws Exception {
        boot(DebianFiles.KERNEL, "shadow", "vm86");
    }

    @Tag("full")
    @ParameterizedTest
    @CsvSource({"shadow, emulate", "shadow, vm86-2007", "direct, vm86", "direct, vm86-2007", "direct, emulate", "direct, unrestricted"})
    void theInstallersKernelBootsInEveryCombination(String mmu, String realMode) throws Exception {
        boot(DebianFiles.KERNEL, mmu, realMode);
    }

    @Tag("full")
    @ParameterizedTest
    @CsvSource({
        "shadow, vm86", "shadow, vm86-2007", "shadow, emulate", "direct, vm86", "direct, vm86-2007", "direct, emulate", "direct, unrestricted"
    })
    void thePaeKernelBootsInEveryCombination(String mmu, String realMode) throws Exception {
        assumeTrue(Files.isRegularFile(DebianFiles.PAE_KERNEL), "scripts/fetch-guests --all fetches it");
        boot(DebianFiles.PAE_KERNEL, mmu, realMode);
    }

    private static void boot(Path kernel, String mmu, String realMode) throws Exception {
        String name = "realmode-" + kernel.getParent().getFileName() + "-" + mmu + "-" + realMode;
        try (GuestProcess backplane = GuestProcess.run(name, List.of(
                "-kernel", kernel.toString(),
                "-kernel-entry", "16",
                "-initrd", DebianFiles.INITRAMFS.toString(),
                "-append", "console=ttyS0" + DebianFiles.QUICK,
                "-m", "256",
                "-serial", "stdio",
                "-display", "none",
                "-mmu", mmu,
                "-realmode", realMode,
                "-stats"))) {
            GuestShell shell = GuestShell.boot(backplane.serial(), BOOT);
            assertFalse(backplane.serial().text().matches("(?s).*(Call Trace:|BUG:|WARNING:).*"), "the kernel has nothing to complain about");
            assertTrue(backplane.serial().text().contains("BIOS-e820: [mem 0x00000000fffc0000"), "the memory map is the BIOS's");
            shell.powerOff();
            assertEquals(0, backplane.status(Duration.ofSeconds(60)));
            assertWay(backplane.errors(), mmu, realMode);
        }
    }

    private static void assertWay(String stats, String mmu, String realMode) {
        assertTrue(stats.contains("realmode: " + realMode + "\n"), stats);
        boolean vm86 = realMode.startsWith("vm86");
        assertEquals(vm86, counter(stats, "vm86_entries") > 0, stats);
        assertEquals(vm86, counter(stats, "vm86_traps_emulated") > 0, stats);
        assertEquals(!realMode.equals("unrestricted"), counter(stats, "injected_by_hand") > 0, stats);
        assertEquals(mmu.equals("direct") && !realMode.equals("unrestricted"), counter(stats, "identity_entries") > 0, stats);
        long emulated = counter(stats, "instructions_emulated");
        if (vm86) assertTrue(emulated < 1_000, "the emulator has but the moments between the modes: " + emulated);
        else assertEquals(realMode.equals("emulate"), emulated > 10_000, stats);
    }

    private static long counter(String stats, String name) {
        Matcher m = Pattern.compile("(?m)^realmode\\." + name + ": (\\d+)$").matcher(stats);
        assertTrue(m.find(), name);
        return Long.parseLong(m.group(1));
    }
}
