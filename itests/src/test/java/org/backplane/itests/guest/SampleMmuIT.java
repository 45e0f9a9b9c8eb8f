package org.backplane.itests.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/** {@code samples/vtlb-mmu}, built as its author builds it, under guests. */
class SampleMmuIT {
    private static final Duration BOOT = Duration.ofMinutes(20), SOON = Duration.ofSeconds(120);
    private static Path jar;

    @BeforeAll
    static void buildTheSample() throws Exception {
        jar = new SampleBuild("sample-mmu").build("vtlb-mmu", "VtlbMmuContractTest");
    }

    private static GuestProcess run(String name, String... options) throws IOException {
        List<String> all = new ArrayList<>(List.of("-bundle", jar.toString(), "-mmu", "vtlb", "-display", "none", "-serial", "stdio"));
        all.addAll(List.of(options));
        return GuestProcess.run(name, all);
    }

    @Test
    void sampleRunsTheDemonstrationGuest() throws Exception {
        try (GuestProcess backplane = run("sample-demo", "-fda", "builtin:demo", "-m", "16")) {
            String said = backplane.serial().expect("[00003] up", SOON);
            assertFalse(said.contains("trouble 1"), said);
        }
    }

    @Tag("guest")
    @Tag("full")
    @EnabledIf(value = "org.backplane.itests.guest.DebianFiles#present", disabledReason = "the Debian guests are not there")
    @Test
    void sampleBootsLinux() throws Exception {
        try (GuestProcess backplane = run(
                "sample-linux",
                "-kernel", DebianFiles.KERNEL.toString(),
                "-initrd", DebianFiles.INITRAMFS.toString(),
                "-append", "console=ttyS0" + DebianFiles.QUICK,
                "-m", "256")) {
            GuestShell shell = GuestShell.boot(backplane.serial(), BOOT);
            shell.run("i=0; while [ $i -lt 50 ]; do /bin/true; i=$((i+1)); done");
            assertEquals("50 processes", shell.run("echo $i processes"));
            assertEquals("none", shell.run("dmesg | grep -E 'BUG|Call Trace|WARNING' || echo none"));
            shell.powerOff();
            assertEquals(0, backplane.status(SOON));
        }
    }
}
