package org.backplane.board.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MachineFileTest {
    @TempDir
    Path directory;

    private static String failure(Map<String, String> keys) {
        return assertThrows(BoardException.class, () -> MachineFile.options(keys)).getMessage();
    }

    @Test
    void repeatedOptionsAreInTheOrderOfTheirNumbers() throws BoardException {
        Map<String, String> keys = Map.of("device.10", "c", "device.2", "b", "device", "a", "m", " 64 ");
        assertEquals(Map.of("device", List.of("a", "b", "c"), "m", List.of("64")), MachineFile.options(keys));
    }

    @Test
    void aFlagIsOnOrOff() throws BoardException {
        assertEquals(Map.of("icount", List.of("")), MachineFile.options(Map.of("icount", "on", "snapshot", "off", "no-reboot", "false")));
        assertEquals("icount is on or off, not '1'", failure(Map.of("icount", "1")));
    }

    @Test
    void optionsOfTheFrontEndMayBeThereToo() throws BoardException {
        assertEquals(List.of("5"), MachineFile.options(Map.of("timeout", "5")).get("timeout"));
    }

    @Test
    void whatMakesNoSenseIsNamed() {
        assertEquals("unknown key 'foo'", failure(Map.of("foo", "1")));
        assertEquals("unknown key 'machine'", failure(Map.of("machine", "other")));
        assertEquals("m is given more than once", failure(Map.of("m", "1", "m.1", "2")));
        assertEquals("autostart is on or off, not 'maybe'", failure(Map.of("autostart", "maybe")));
    }

    @Test
    void autostartIsOffUnlessItIsOn() throws BoardException {
        assertTrue(MachineFile.autostart(Map.of("autostart", "on")));
        assertFalse(MachineFile.autostart(Map.of("autostart", "off")));
        assertFalse(MachineFile.autostart(Map.of()));
        assertEquals(Map.of(), MachineFile.options(Map.of("autostart", "on")));
    }

    @Test
    void bothFileNamesAreFound() throws Exception {
        Files.writeString(directory.resolve("a.cfg"), "m=1\n");
        Files.writeString(directory.resolve("org.backplane.machine-b.cfg"), "m=2\n");
        Files.writeString(directory.resolve("README"), "");
        assertEquals(List.of("a", "b"), MachineFile.names(directory));
        assertEquals(List.of("1"), MachineFile.read("a", directory).get("m"));
        assertEquals(List.of("2"), MachineFile.read("b", directory).get("m"));
    }

    @Test
    void aBadFileIsNamedWithItsKey() throws Exception {
        Path file = Files.writeString(directory.resolve("a.cfg"), "mm=1\n");
        assertEquals(
                "machine: " + file + ": unknown key 'mm'",
                assertThrows(BoardException.class, () -> MachineFile.read("a", directory)).getMessage());
        assertEquals(
                "machine: there is no machine '../a' (there is: a)",
                assertThrows(BoardException.class, () -> MachineFile.read("../a", directory)).getMessage());
    }
}
