package org.backplane.devvga;

import org.backplane.devicekit.Register;
import org.backplane.devicekit.RegisterBank;
import org.backplane.devicekit.RegisterFile;

/**
 * The graphics controller: what happens between the CPU's data bus and the four planes, and where video memory appears to the CPU.
 *
 * <p>Source: IBM, PS/2 Hardware Interface Technical Reference, Video Subsystem (1992), Graphics Controller Registers. Reset values
 * are those of text mode 3.
 */
final class GraphicsController {
    private static final int COUNT = 9;

    private final Register setReset;
    private final Register enableSetReset;
    private final Register colorCompare;
    private final Register rotate;
    private final Register readMap;
    private final Register mode;
    private final Register misc;
    private final Register colorDontCare;
    private final Register bitMask;

    /** @param changed called when the CPU's access to memory may have changed */
    GraphicsController(RegisterFile file, RegisterBank ports, int offset, Runnable changed) {
        setReset = file.register("gc.set-reset", 8).bits("planes", 0, 4);
        enableSetReset = file.register("gc.enable-set-reset", 8).bits("planes", 0, 4);
        colorCompare = file.register("gc.color-compare", 8).bits("planes", 0, 4);
        rotate = file.register("gc.data-rotate", 8).bits("count", 0, 3).bits("function", 3, 2);
        readMap = file.register("gc.read-map-select", 8).bits("plane", 0, 2);
        mode = file.register("gc.mode", 8)
                .bits("write-mode", 0, 2)
                .bits("read-compare", 3)
                .bits("odd-even", 4)
                .bits("shift-interleaved", 5)
                .bits("shift-256", 6)
                .resetValue(0x10);
        misc = file.register("gc.miscellaneous", 8)
                .bits("graphics", 0)
                .bits("chain-odd-even", 1)
                .bits("memory-map", 2, 2)
                .resetValue(0x0e);
        colorDontCare = file.register("gc.color-dont-care", 8).bits("planes", 0, 4);
        bitMask = file.register("gc.bit-mask", 8).resetValue(0xff);
        Register[] inOrder = {
            setReset, enableSetReset, colorCompare, rotate, readMap, mode, misc, colorDontCare, bitMask
        };
        RegisterBank space = new RegisterBank(file, COUNT);
        for (int i = 0; i < COUNT; i++) space.at(i, inOrder[i].onWrite(v -> changed.run()));
        Register index = file.register("gc.index", 8).bits("index", 0, 4);
        ports.at(offset, index).window(offset + 1, index::intValue, space);
    }

    /** The planes' fill bits, 0 to 15. */
    int setReset() {
        return setReset.intValue();
    }

    /** Planes that write mode 0 fills from set/reset instead of CPU data. */
    int enableSetReset() {
        return enableSetReset.intValue();
    }

    int colorCompare() {
        return colorCompare.intValue();
    }

    /** Planes that take part in colour compare. */
    int colorCare() {
        return colorDontCare.intValue();
    }

    /** Bits by which CPU data is rotated to the right, 0 to 7. */
    int rotateCount() {
        return rotate.intValue() & 7;
    }

    /** What is done with data and latch: 0 nothing, 1 AND, 2 OR, 3 XOR. */
    int function() {
        return rotate.intValue() >> 3;
    }

    int readMap() {
        return readMap.intValue();
    }

    int writeMode() {
        return mode.intValue() & 3;
    }

    /** Reads compare colours (read mode 1). */
    boolean readCompare() {
        return mode.test(8);
    }

    /** CPU address bit 0 chooses between even and odd planes on reads. */
    boolean oddEven() {
        return mode.test(0x10);
    }

    /** Pixels are pairs of bits (the CGA's four colours). */
    boolean shiftInterleaved() {
        return mode.test(0x20);
    }

    /** Pixels are bytes. */
    boolean shift256() {
        return mode.test(0x40);
    }

    /** Where memory appears: 0 A0000h 128 KiB, 1 A0000h 64 KiB, 2 B0000h 32 KiB, 3 B8000h 32 KiB. */
    int memoryMap() {
        return misc.intValue() >> 2;
    }

    int bitMask() {
        return bitMask.intValue();
    }
}
