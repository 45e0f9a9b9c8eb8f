package org.backplane.devvga;

import org.backplane.devicekit.Register;
import org.backplane.devicekit.RegisterArray;
import org.backplane.devicekit.RegisterBank;
import org.backplane.devicekit.RegisterFile;

/**
 * The attribute controller: from four bits a pixel to a colour number of the DAC. One port takes index and data in turn; a read of
 * input status 1 makes the next write an index.
 *
 * <p>Source: IBM, PS/2 Hardware Interface Technical Reference, Video Subsystem (1992), Attribute Controller Registers. Reset values
 * are those of text mode 3.
 */
final class AttributeController {
    private static final int COUNT = 21;
    private static final int PALETTE = 16;
    /** The sixteen colours among the 64 that the EGA has: brown is 14h, bright ones are 38h to 3Fh. */
    private static final byte[] COLORS = {0, 1, 2, 3, 4, 5, 0x14, 7, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f};

    private final RegisterBank space;
    /** Index and, in bit 5, the palette's address source: set while the screen shows a picture. */
    private final Register index;

    private final Register dataIsNext;
    private final RegisterArray palette;
    private final Register mode;
    private final Register overscan;
    private final Register planeEnable;
    private final Register pan;
    private final Register colorSelect;

    AttributeController(RegisterFile file, RegisterBank ports, int offset) {
        palette = file.array("attr.palette", PALETTE, 8);
        mode = file.register("attr.mode", 8)
                .bits("graphics", 0)
                .bits("mono", 1)
                .bits("line-graphics", 2)
                .bits("blink", 3)
                .bits("split-pan", 5)
                .bits("pixel-clock", 6)
                .bits("palette-size", 7)
                .resetValue(0x0c);
        overscan = file.register("attr.overscan", 8);
        planeEnable = file.register("attr.color-plane-enable", 8).bits("planes", 0, 4).bits("status", 4, 2).resetValue(0x0f);
        pan = file.register("attr.horizontal-pan", 8).bits("dots", 0, 4).resetValue(8);
        colorSelect = file.register("attr.color-select", 8).bits("middle", 0, 2).bits("high", 2, 2);
        index = file.register("attr.index", 8).bits("index", 0, 5).bits("show", 5).resetValue(0x20);
        dataIsNext = file.register("attr.data-is-next", 8);
        space = new RegisterBank(file, COUNT)
                .at(0, palette)
                .at(16, mode).at(17, overscan).at(18, planeEnable).at(19, pan).at(20, colorSelect);
        for (int i = 0; i < PALETTE; i++) palette.get(i).bits("color", 0, 6).resetValue(COLORS[i]);
        Register port = file.register("attr.port", 8).derived().onRead(index::busRead).onWrite(this::write);
        Register data = file.register("attr.data", 8).derived().onRead(() -> space.busRead(index.intValue() & 0x1f));
        ports.at(offset, port).readAt(offset + 1, data);
    }

    private void write(long v) {
        boolean data = dataIsNext.value() != 0;
        dataIsNext.set(data ? 0 : 1);
        if (!data) index.busWrite(v);
        // The palette cannot be written while it is in use (bit 5 of the index).
        else if ((index.intValue() & 0x1f) >= PALETTE || !showing()) space.busWrite(index.intValue() & 0x1f, v);
    }

    /** Input status 1 was read: the next write is an index. */
    void resetFlipFlop() {
        dataIsNext.set(0);
    }

    /** The palette is connected to the picture; while it is not, the screen has the border's colour. */
    boolean showing() {
        return index.test(0x20);
    }

    boolean graphics() {
        return mode.test(1);
    }

    /** The ninth column of characters C0h to DFh repeats the eighth. */
    boolean lineGraphics() {
        return mode.test(4);
    }

    /** Attribute bit 7 means blinking, not a bright background. */
    boolean blink() {
        return mode.test(8);
    }

    /** Below the split the picture is not panned. */
    boolean splitPan() {
        return mode.test(0x20);
    }

    /** Dots by which the picture is moved to the left, from the register's encoding for this width. */
    int pan(int characterWidth) {
        int v = pan.intValue();
        if (characterWidth == 9) return v >= 8 ? 0 : v + 1;
        return v & 7;
    }

    /** The DAC's colour number for four bits of a pixel. */
    int dacIndex(int pixel) {
        int v = palette.value(pixel & planeEnable.intValue() & 15);
        int select = colorSelect.intValue();
        if (mode.test(0x80)) v = v & 15 | (select & 3) << 4;
        return v | (select & 12) << 4;
    }

    /** The DAC's colour number of the border. */
    int borderIndex() {
        return overscan.intValue();
    }
}
