package org.backplane.board.machine;

import static org.junit.jupiter.api.Assertions.*;

import java.util.List;
import java.util.Map;
import org.backplane.board.api.BoardException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MachineConfigTest {
    private static MachineConfig config(String key, String value) throws BoardException {
        return new MachineConfig(Map.of(key, List.of(value)));
    }

    @ParameterizedTest
    @CsvSource({"256, 268435456", "64M, 67108864", "1G, 1073741824", "2048K, 2097152"})
    void sizesHaveQemusSuffixes(String text, long bytes) throws BoardException {
        assertEquals(bytes, config("m", text).ram);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "m|lots|is not a size",
                "m|0|memory must be",
                "m|999999G|memory must be",
                "kernel|/no/such/file|no such file",
                "fda|/no/such/file|no such file",
                "rtc|yesterday|expects base=",
                "rtc|base=tomorrow|is no date",
                "overcommit|mem-lock|expects mem-lock",
                "d|everything|unknown log item",
                "device|serial,regs|is not property=value",
                "append|quiet|needs -kernel",
                "realmode|real|not 'real'",
                "kernel-entry|16|needs -kernel",
                "kernel-entry|64|16 or 32, not '64'",
                "nosuch|1|unknown option 'nosuch'",
                "icount|maybe|on or off",
                "shadow-pages|63|at least 64",
                "shadow-pages|many|is not a number",
                "audit|0|at least 1",
                "audit|-5|is not a number",
            })
    void aBadValueNamesTheKeyAndWhatIsWrong(String key, String value, String message) {
        BoardException e = assertThrows(BoardException.class, () -> config(key, value));
        assertTrue(e.getMessage().contains(message), e.getMessage());
        assertTrue(e.getMessage().contains(key), e.getMessage());
        assertFalse(e.getMessage().contains("\n"));
    }

    @Test
    void anOptionThatMayComeOnceIsRefusedTwice() {
        assertThrows(BoardException.class, () -> new MachineConfig(Map.of("m", List.of("1", "2"))));
    }

    @Test
    void aDeviceHasTypeIdAndProperties() throws BoardException {
        MachineConfig.DeviceOption d = config("device", "serial,id=com9,regs=0x100,irq=").devices.getFirst();
        assertEquals("serial", d.type());
        assertEquals("com9", d.id());
        assertEquals(Map.of("regs", "0x100", "irq", ""), d.properties());
    }

    @Test
    void rtcBaseTakesADateOrADateTime() throws BoardException {
        assertEquals(1769860800000L, config("rtc", "base=2026-01-31T12:00:00").wallBaseMillis);
        assertEquals(1769817600000L, config("rtc", "base=2026-01-31").wallBaseMillis);
    }
}
