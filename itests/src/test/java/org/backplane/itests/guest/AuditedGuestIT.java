package org.backplane.itests.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A whole boot of Linux with shadow paging, audited all the way; also with as few shadow pages as there may be. */
@Tag("full")
@NeedsGuests
class AuditedGuestIT {
    private static final Pattern RESULT = Pattern.compile("\\naudit: (\\d+) checks, (\\d+) violations\\n$");

    @ParameterizedTest(name = "{0} shadow pages, an audit every {1} exits")
    @CsvSource({"4096,1000", "64,1000"})
    void noAuditOfABootFindsAViolation(int pages, int exits) throws Exception {
        try (GuestProcess backplane = GuestProcess.run("audited-" + pages, List.of(
                "-kernel", DebianFiles.KERNEL.toString(),
                "-initrd", DebianFiles.INITRAMFS.toString(),
                "-append", "console=ttyS0" + DebianFiles.QUICK,
                "-m", "256",
                "-serial", "stdio",
                "-display", "none",
                "-mmu", "shadow",
                "-shadow-pages", Integer.toString(pages),
                "-audit", Integer.toString(exits),
                "-stats"))) {
            GuestShell shell = GuestShell.boot(backplane.serial(), Duration.ofMinutes(30));
            shell.run("i=0; while [ $i -lt 100 ]; do /bin/true; i=$((i+1)); done");
            assertEquals("100 processes", shell.run("echo $i processes"));
            shell.powerOff();
            assertEquals(0, backplane.status(Duration.ofSeconds(60)));
            Matcher result = RESULT.matcher(backplane.errors());
            assertTrue(result.find(), backplane.errors());
            assertEquals("0", result.group(2), backplane.errors());
            assertTrue(Long.parseLong(result.group(1)) > 1_000_000, result.group());
            long reclaimed = counter(backplane.errors(), "mmu.mmu_recycled");
            assertEquals(pages == 64, reclaimed > 0, "reclaimed: " + reclaimed);
            assertTrue(counter(backplane.errors(), "mmu.shadow_pages") <= pages);
        }
    }

    private static long counter(String stats, String name) {
        Matcher m = Pattern.compile("\\n" + Pattern.quote(name) + ": (\\d+)\\n").matcher(stats);
        assertTrue(m.find(), name);
        return Long.parseLong(m.group(1));
    }
}
