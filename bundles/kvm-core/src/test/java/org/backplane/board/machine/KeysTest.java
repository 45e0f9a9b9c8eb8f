package org.backplane.board.machine;

import static org.junit.jupiter.api.Assertions.*;

import java.util.List;
import org.backplane.board.api.BoardException;
import org.junit.jupiter.api.Test;

class KeysTest {
    @Test
    void namesHaveSet1MakeCodes() throws BoardException {
        assertEquals(List.of(0x1e), Keys.chord("a").keys());
        assertEquals(List.of(0x1c), Keys.chord("ret").keys());
        assertEquals(List.of(0x58), Keys.chord("f12").keys());
        assertEquals(List.of(0x39), Keys.chord("spc").keys());
        assertEquals(List.of(0x53), Keys.chord("kp_decimal").keys());
        assertEquals(List.of(0x35), Keys.chord("slash").keys());
        assertEquals(List.of(0x1d, 0x38, 0xe053), Keys.chord("ctrl-alt-delete").keys());
    }

    @Test
    void everyPrintableAsciiCharacterCanBeTyped() throws BoardException {
        for (char c = ' '; c < 127; c++) assertEquals(1, Keys.typing(String.valueOf(c)).size(), "character " + c);
    }

    @Test
    void capitalsAreTypedWithShift() throws BoardException {
        assertEquals(List.of(0x2a, 0x10), Keys.typing("Q").getFirst().keys());
    }

    @Test
    void anUnknownKeyIsNamed() {
        assertTrue(assertThrows(BoardException.class, () -> Keys.chord("ctrl-any")).getMessage().contains("'any'"));
    }
}
