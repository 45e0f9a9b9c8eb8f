package org.backplane.itests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.backplane.board.api.Machine;
import org.backplane.board.api.Machine.Console;
import org.backplane.board.api.Machines;
import org.backplane.itests.harness.InContainer;
import org.backplane.itests.support.Osgi;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The demonstration guest: from the reset vector through the BIOS and a floppy to 32-bit code with interrupts. */
@InContainer
class DemoGuestIT {
    /** [number] up time, timer ticks, keys, characters received, trouble. */
    private static final Pattern LINE =
            Pattern.compile("\\[(\\d{5})] up (\\d+:\\d\\d:\\d\\d)  timer (\\d+)  keys (\\d+)  received (\\d+)  trouble (\\d+)\r\n");

    private final ByteArrayOutputStream serial = new ByteArrayOutputStream();
    private Machine machine;
    private Console console;

    @BeforeEach
    void isThere() {
        Osgi.await("the demonstration floppy", () -> Osgi.service(Machines.class).cardTypes().stream().anyMatch(c -> c.kind().equals("image")));
    }

    @AfterEach
    void stop() {
        if (machine != null) machine.stop();
    }

    private void boot(String mmu, String realMode) throws Exception {
        machine = Osgi.service(Machines.class)
                .create(
                        "demo",
                        Map.of(
                                "m", List.of("16"),
                                "fda", List.of("builtin:demo"),
                                "mmu", List.of(mmu),
                                "realmode", List.of(realMode)));
        console = machine.attachConsole("com1", (bytes, offset, length) -> {
            synchronized (serial) {
                serial.write(bytes, offset, length);
            }
        });
        machine.start();
    }

    private String said() {
        synchronized (serial) {
            return serial.toString(StandardCharsets.US_ASCII);
        }
    }

    private void awaitLine(int number) {
        String mark = String.format("[%05d]", number);
        Osgi.await("line " + number, () -> said().indexOf('\n', Math.max(0, said().indexOf(mark))) > 0 && said().contains(mark));
    }

    @ParameterizedTest
    @CsvSource({
        "direct, unrestricted", "direct, vm86", "direct, vm86-2007", "direct, emulate", "shadow, vm86", "shadow, vm86-2007", "shadow, emulate"
    })
    void greetsCountsAndHasNoTrouble(String mmu, String realMode) throws Exception {
        boot(mmu, realMode);
        awaitLine(2);
        String text = said();
        assertTrue(text.startsWith("\r\nBackplane demonstration guest: "), text);
        Matcher lines = LINE.matcher(text);
        int count = 0;
        while (lines.find()) {
            count++;
            assertEquals(count, Integer.parseInt(lines.group(1)));
            assertEquals("0", lines.group(6), lines::group);
        }
        assertTrue(count >= 2, text);

        List<String> screen = machine.screenText();
        assertEquals(25, screen.size());
        assertTrue(screen.get(1).contains("B A C K P L A N E"), () -> String.join("\n", screen));
        assertTrue(screen.get(10).matches(".*pit, pic +timer interrupts, +100 +a second.*"), screen.get(10));
        assertEquals("0", screen.get(16).substring(65, 71).strip(), "pages read wrong");
        assertEquals("0", screen.get(17).substring(65, 71).strip(), "checksums wrong");
    }

    @Test
    void showsWhatIsTypedAndSendsBackWhatComesOnTheSerialPort() throws Exception {
        boot("direct", "unrestricted");
        awaitLine(1);
        machine.type("Hello, card!");
        Osgi.await("the text on the screen", () -> machine.screenText().get(19).contains("Hello, card!"));
        console.input("over the wire\r".getBytes(StandardCharsets.US_ASCII));
        Osgi.await("the echo", () -> said().contains("over the wire\r\n"));
    }
}
