package org.backplane.junit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class SerialConsoleTest {
    private static final Duration SHORT = Duration.ofMillis(50), LONG = Duration.ofSeconds(20);

    private final ByteArrayOutputStream typed = new ByteArrayOutputStream();
    private final SerialConsole console = new SerialConsole(typed::writeBytes, () -> "The machine is fine", LONG);

    private void says(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
        console.output(bytes, 0, bytes.length);
    }

    @Test
    void expectAnswersWhatCameBeforeAndGoesOnBehind() {
        says("one two one three");
        assertEquals("", console.expect("one"));
        assertEquals(" two ", console.expect("one"));
        assertThrows(AssertionError.class, () -> console.expect("two", SHORT), "two is behind us");
        assertEquals(" th", console.expect("r"), "a failure moves nothing");
    }

    @Test
    void expectWaitsForWhatComesInPieces() throws Exception {
        Thread guest = new Thread(() -> {
            for (String piece : new String[] {"debian lo", "gin", ": "}) {
                says(piece);
                try {
                    Thread.sleep(20);
                } catch (InterruptedException e) {
                    return;
                }
            }
        });
        guest.start();
        assertEquals("debian ", console.expect("login:"));
        guest.join();
    }

    @Test
    void patternsAnswerTheirGroups() {
        says("temperature = 17 C\r\ntemperature = 18 C\r\n");
        Pattern p = Pattern.compile("= (\\d+) C");
        assertEquals("17", console.expect(p).group(1));
        assertEquals("18", console.expect(p).group(1));
    }

    @Test
    void patienceThatEndsTellsWhatWasWantedAndTheLastLines() {
        for (int i = 1; i <= 30; i++) says("line " + i + "\r\n");
        AssertionError e = assertThrows(AssertionError.class, () -> console.expect("login:\r\n", SHORT));
        assertTrue(e.getMessage().startsWith("the guest did not say in 50 ms: \"login:\\r\\n\"\nThe machine is fine\n"), e.getMessage());
        assertTrue(e.getMessage().endsWith("| line 29\n  | line 30"), e.getMessage());
        assertFalse(e.getMessage().contains("line 10\n"), e.getMessage());
    }

    @Test
    void endOfTheGuestEndsTheWaitAtOnce() {
        says("bye\n");
        console.end();
        assertEquals("", console.expect("bye"), "what was said before still counts");
        AssertionError e = assertThrows(AssertionError.class, () -> console.expect("login:"));
        assertTrue(e.getMessage().startsWith("the guest has ended and did not say \"login:\""), e.getMessage());
    }

    @Test
    void sendTypes() {
        console.send("root\n");
        assertEquals("root\n", typed.toString(StandardCharsets.ISO_8859_1));
    }
}
