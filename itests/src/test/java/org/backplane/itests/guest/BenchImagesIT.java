package org.backplane.itests.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The benchmark images compute what they compute under QEMU; {@code bench-checksums.properties} has what that is. How long they take is
 * {@code scripts/bench}'s business.
 */
@EnabledIf(
        value = "imagesPresent",
        disabledReason = "the benchmark images are not there: BACKPLANE_BENCH, or -Dbackplane.bench, names their directory")
class BenchImagesIT {
    private static final Path IMAGES =
            Path.of(Optional.ofNullable(System.getenv("BACKPLANE_BENCH")).orElseGet(() -> System.getProperty("backplane.bench", "")));
    private static final Duration PATIENCE = Duration.ofMinutes(20);
    private static final Pattern DONE = Pattern.compile("(?m)^DONE (\\S+) ([0-9a-f]+ \\d+)\r?$");

    /** isa-debug-exit's status for the 0 that the images write. */
    private static final int ENDED_BY_GUEST = 1;

    static boolean imagesPresent() {
        return Files.isRegularFile(IMAGES.resolve("int.elf"));
    }

    @ParameterizedTest
    @CsvSource({"fp87, kernel", "mem, kernel", "mmu, kernel", "exit, kernel", "smc, kernel", "exit, fda"})
    void shortImageGivesTheResultsOfQemu(String image, String boot) throws Exception {
        check(image, boot, "direct");
    }

    /** fpsse is not among them: its instructions are those of a CPU that comes later. */
    @Tag("full")
    @ParameterizedTest
    @CsvSource({
        "int, kernel", "call, kernel", "fp87, kernel", "mem, kernel", "mmu, kernel", "exit, kernel", "smc, kernel",
        "int, fda", "call, fda", "fp87, fda", "mem, fda", "mmu, fda", "exit, fda", "smc, fda"
    })
    void everyImageGivesTheResultsOfQemu(String image, String boot) throws Exception {
        check(image, boot, "direct");
    }

    @Tag("full")
    @ParameterizedTest
    @CsvSource({"mem", "mmu", "smc"})
    void shadowPagingGivesTheSameResults(String image) throws Exception {
        check(image, "kernel", "shadow");
    }

    /** From the BIOS over the boot sector's switch to protected mode. */
    @Tag("full")
    @ParameterizedTest
    @CsvSource({
        "direct, unrestricted", "direct, vm86", "direct, vm86-2007", "direct, emulate", "shadow, vm86", "shadow, vm86-2007", "shadow, emulate"
    })
    void everyRealModeGivesTheSameResults(String mmu, String realMode) throws Exception {
        check("exit", "fda", mmu, "-realmode", realMode);
        check("mmu", "fda", mmu, "-realmode", realMode);
    }

    private static void check(String image, String boot, String mmu, String... more) throws Exception {
        Path file = IMAGES.resolve(image + (boot.equals("kernel") ? ".elf" : ".img"));
        List<String> options = new ArrayList<>(List.of(
                "-" + boot, file.toString(),
                "-snapshot",
                "-m", "128",
                "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
                "-serial", "stdio",
                "-display", "none",
                "-mmu", mmu));
        options.addAll(List.of(more));
        String name = "bench-" + image + "-" + boot + "-" + mmu + String.join("", more);
        try (GuestProcess backplane = GuestProcess.run(name, options)) {
            assertEquals(ENDED_BY_GUEST, backplane.status(PATIENCE), backplane.errors());
            Map<String, String> results = new TreeMap<>();
            DONE.matcher(backplane.serial().text()).results().forEach((MatchResult m) -> results.put(m.group(1), m.group(2)));
            assertEquals(expected(image), results);
            assertTrue(backplane.serial().text().stripTrailing().endsWith("END"));
        }
    }

    /** An image has the workloads whose name begins with its own: {@code int.sieve} in {@code int}; those of floating point have an image each. */
    private static Map<String, String> expected(String image) throws IOException {
        Properties all = new Properties();
        try (InputStream in = BenchImagesIT.class.getResourceAsStream("/bench-checksums.properties")) {
            all.load(in);
        }
        String prefix = image.replaceFirst("^fp", "fp.").replace("fp.87", "fp.x87").replace("fp.sse", "fp.sse2");
        Map<String, String> expected = new TreeMap<>();
        for (String name : all.stringPropertyNames()) {
            if (name.equals(prefix) || name.startsWith(prefix + ".")) expected.put(name, all.getProperty(name));
        }
        assertTrue(!expected.isEmpty(), "there are workloads in image " + image);
        return expected;
    }
}
