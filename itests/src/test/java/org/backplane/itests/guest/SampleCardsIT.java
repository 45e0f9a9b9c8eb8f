package org.backplane.itests.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.backplane.itests.launcher.BackplaneProcess;
import org.backplane.itests.support.GuestProgram;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The sample cards {@code edu}, {@code sensor} and {@code gpio}, built as their authors build them, in machines. What the guest does with them is in
 * {@code cards.txt}, among the resources.
 */
class SampleCardsIT {
    private static final Duration SOON = Duration.ofSeconds(120);

    /** Exit statuses by isa-debug-exit: the guest writes 10 or 20. */
    private static final int ALL_RIGHT = 0x21, WRONG = 0x41;

    private static Path edu, sensor, gpio, kernel;

    @TempDir
    private Path directory;

    @BeforeAll
    static void buildTheSamples() throws Exception {
        SampleBuild build = new SampleBuild("sample-cards");
        edu = build.build("edu-card", "EduTest", "EduVmTest");
        sensor = build.build("sensor-card", "SensorTest", "SensorVmTest");
        gpio = build.build("gpio-card", "GpioTest", "GpioVmTest");
        kernel = Files.write(Path.of("target", "sample-cards", "cards.elf").toAbsolutePath(), GuestProgram.multibootOf("cards.txt"));
    }

    private static GuestProcess run(String name, String... devices) throws IOException {
        List<String> all = new ArrayList<>();
        for (Path bundle : List.of(edu, sensor, gpio)) all.addAll(List.of("-bundle", bundle.toString()));
        for (String d : devices) all.addAll(List.of("-device", d));
        all.addAll(List.of("-device", "isa-debug-exit,iobase=0xf4,iosize=4"));
        all.addAll(List.of("-kernel", kernel.toString(), "-m", "8", "-display", "none", "-serial", "stdio"));
        return GuestProcess.run(name, all);
    }

    @Test
    void guestDrivesTheCards() throws Exception {
        try (GuestProcess backplane = run("sample-cards", "edu", "sensor", "gpio")) {
            backplane.serial().expect("ILPRFDSG\n", SOON);
            assertEquals(ALL_RIGHT, backplane.status(SOON));
            assertEquals("", backplane.errors());
        }
    }

    @Test
    void guestNoticesACardElsewhere() throws Exception {
        try (GuestProcess backplane = run("sample-cards-elsewhere", "edu", "sensor,regs=0xfed00000", "gpio")) {
            backplane.serial().expect("ILPRFDS?", SOON);
            assertEquals(WRONG, backplane.status(SOON));
        }
    }

    @Test
    void frontPanelShowsWhatTheGuestLightsAndPressesWhatItReads() throws Exception {
        String script = String.join("; ",
                "card:install " + edu,
                "card:install " + sensor,
                "card:install " + gpio,
                "vm:boot g -kernel " + kernel + " -m 8 -device edu -device sensor -device gpio",
                // The guest stays at its HLT: nothing is at port F4.
                "sleep 8",
                "card:use gpio0 hold 3",
                "card:use gpio0 show",
                "card:state gpio0",
                "card:unplug gpio0");
        BackplaneProcess.Result r = BackplaneProcess.built(directory).run("-c", script);
        assertEquals("", r.err());
        assertEquals(0, r.status());
        String panel = String.format("           7 6 5 4 3 2 1 0%nA LEDs     * . * . . . . .%nB buttons  . . . . # . . .%n");
        assertTrue(r.out().contains(panel), r.out());
        assertTrue(r.out().contains("b.status=8"), r.out());
    }
}
