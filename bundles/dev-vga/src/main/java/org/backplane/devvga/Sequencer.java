package org.backplane.devvga;

import org.backplane.devicekit.Access;
import org.backplane.devicekit.Register;
import org.backplane.devicekit.RegisterBank;
import org.backplane.devicekit.RegisterFile;

/**
 * The sequencer: which planes the CPU writes, how its addresses meet the planes, how wide characters are and where their fonts lie.
 *
 * <p>Source: IBM, PS/2 Hardware Interface Technical Reference, Video Subsystem (1992), Sequencer Registers. Reset values are those
 * of text mode 3.
 */
final class Sequencer {
    private static final int COUNT = 5;

    private final Register clocking;
    private final Register mapMask;
    private final Register fontSelect;
    private final Register memoryMode;

    /** @param changed called when the CPU's access to memory may have changed */
    Sequencer(RegisterFile file, RegisterBank ports, int offset, Runnable changed) {
        Register reset = file.register("seq.reset", 8).bits("asynchronous", 0).bits("synchronous", 1).resetValue(3);
        clocking = file.register("seq.clocking-mode", 8)
                .bits("eight-dots", 0)
                .bits("shift-load", 2)
                .bits("half-dot-clock", 3)
                .bits("shift-four", 4)
                .bits("screen-off", 5);
        mapMask = file.register("seq.map-mask", 8).bits("planes", 0, 4).resetValue(3).onWrite(v -> changed.run());
        fontSelect = file.register("seq.character-map-select", 8)
                .bits("b", 0, 2)
                .bits("a", 2, 2)
                .bits("b-high", 4)
                .bits("a-high", 5);
        memoryMode = file.register("seq.memory-mode", 8)
                .bits("alphanumeric", 0, 1, Access.RESERVED)
                .bits("extended-memory", 1)
                .bits("sequential", 2)
                .bits("chain-4", 3)
                .resetValue(2)
                .onWrite(v -> changed.run());
        RegisterBank space = new RegisterBank(file, COUNT)
                .at(0, reset).at(1, clocking).at(2, mapMask).at(3, fontSelect).at(4, memoryMode);
        Register index = file.register("seq.index", 8).bits("index", 0, 3);
        ports.at(offset, index).window(offset + 1, index::intValue, space);
    }

    /** Planes that CPU writes reach, 0 to 15. */
    int mapMask() {
        return mapMask.intValue();
    }

    /** CPU address bit 0 chooses between even and odd planes on writes. */
    boolean oddEven() {
        return !memoryMode.test(4);
    }

    /** CPU address bits 0 and 1 choose the plane. */
    boolean chain4() {
        return memoryMode.test(8);
    }

    /** Width of a character in dots, 8 or 9. */
    int characterWidth() {
        return clocking.test(1) ? 8 : 9;
    }

    /** Each dot is two dots of the dot clock wide. */
    boolean halfDotClock() {
        return clocking.test(8);
    }

    boolean screenOff() {
        return clocking.test(0x20);
    }

    /** Offset in plane 2 of the font for characters whose attribute bit 3 is set. */
    int fontA() {
        int v = fontSelect.intValue();
        return (v >> 2 & 3) << 14 | (v >> 5 & 1) << 13;
    }

    /** Offset in plane 2 of the font for characters whose attribute bit 3 is clear. */
    int fontB() {
        int v = fontSelect.intValue();
        return (v & 3) << 14 | (v >> 4 & 1) << 13;
    }
}
