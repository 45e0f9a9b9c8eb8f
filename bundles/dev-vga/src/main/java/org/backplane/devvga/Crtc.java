package org.backplane.devvga;

import org.backplane.devicekit.Access;
import org.backplane.devicekit.Field;
import org.backplane.devicekit.Register;
import org.backplane.devicekit.RegisterBank;
import org.backplane.devicekit.RegisterFile;

/**
 * The CRT controller: 25 registers behind an index and a data port. It says which part of video memory is shown, in which order,
 * and where the cursor is. Vertical counts have their high bits in the overflow register.
 *
 * <p>Source: IBM, PS/2 Hardware Interface Technical Reference, Video Subsystem (1992), CRT Controller Registers. Reset values are
 * those of text mode 3 at 720 by 400.
 */
final class Crtc {
    private static final int COUNT = 25;
    /** Registers up to this one are under write protection. */
    private static final int LAST_PROTECTED = 7;

    private static final int OVERFLOW = 7;
    /** The bit of the overflow register that write protection leaves open: bit 8 of line compare. */
    private static final int OVERFLOW_OPEN = 0x10;

    private final RegisterBank space;
    private final Register index;
    /** Index and data port, at 3D4h or 3B4h. */
    final RegisterBank ports;

    final Register horizontalTotal;
    final Register horizontalDisplayEnd;
    private final Register verticalTotal;
    private final Register overflow;
    private final Register presetRowScan;
    private final Register maximumScanLine;
    private final Register cursorStart;
    private final Register cursorEnd;
    private final Register startHigh;
    private final Register startLow;
    private final Register cursorHigh;
    private final Register cursorLow;
    private final Register retraceStart;
    private final Register retraceEnd;
    private final Register verticalDisplayEnd;
    private final Register offset;
    private final Register underline;
    private final Register modeControl;
    private final Register lineCompare;

    private final Field protect;
    private final Field byteMode;
    private final Field doubleWord;
    private final Field wrapBit15;
    private final Field keepBit13;
    private final Field keepBit14;

    Crtc(RegisterFile file) {
        horizontalTotal = file.register("crtc.horizontal-total", 8).resetValue(0x5f);
        horizontalDisplayEnd = file.register("crtc.horizontal-display-end", 8).resetValue(0x4f);
        Register blankStart = file.register("crtc.horizontal-blank-start", 8).resetValue(0x50);
        Register blankEnd = file.register("crtc.horizontal-blank-end", 8).resetValue(0x82);
        Register syncStart = file.register("crtc.horizontal-retrace-start", 8).resetValue(0x55);
        Register syncEnd = file.register("crtc.horizontal-retrace-end", 8).resetValue(0x81);
        verticalTotal = file.register("crtc.vertical-total", 8).resetValue(0xbf);
        overflow = file.register("crtc.overflow", 8).resetValue(0x1f);
        presetRowScan = file.register("crtc.preset-row-scan", 8).bits("row", 0, 5).bits("byte-pan", 5, 2);
        maximumScanLine = file.register("crtc.maximum-scan-line", 8)
                .bits("last-row", 0, 5)
                .bits("blank-start-9", 5)
                .bits("line-compare-9", 6)
                .bits("double", 7)
                .resetValue(0x4f);
        cursorStart = file.register("crtc.cursor-start", 8).bits("row", 0, 5).bits("off", 5).resetValue(0x0d);
        cursorEnd = file.register("crtc.cursor-end", 8)
                .bits("row", 0, 5)
                .bits("skew", 5, 2, Access.UNIMPLEMENTED)
                .resetValue(0x0e);
        startHigh = file.register("crtc.start-address-high", 8);
        startLow = file.register("crtc.start-address-low", 8);
        cursorHigh = file.register("crtc.cursor-location-high", 8);
        cursorLow = file.register("crtc.cursor-location-low", 8);
        retraceStart = file.register("crtc.vertical-retrace-start", 8).resetValue(0x9c);
        retraceEnd = file.register("crtc.vertical-retrace-end", 8)
                .bits("line", 0, 4)
                .bits("clear-interrupt", 4)
                .bits("disable-interrupt", 5)
                .bits("refresh-5", 6)
                .bits("protect", 7)
                .resetValue(0x8e);
        verticalDisplayEnd = file.register("crtc.vertical-display-end", 8).resetValue(0x8f);
        offset = file.register("crtc.offset", 8).resetValue(0x28);
        underline = file.register("crtc.underline-location", 8)
                .bits("row", 0, 5)
                .bits("count-by-4", 5)
                .bits("double-word", 6)
                .resetValue(0x1f);
        Register verticalBlankStart = file.register("crtc.vertical-blank-start", 8).resetValue(0x96);
        Register verticalBlankEnd = file.register("crtc.vertical-blank-end", 8).resetValue(0xb9);
        modeControl = file.register("crtc.mode-control", 8)
                .bits("keep-13", 0)
                .bits("keep-14", 1)
                .bits("half-vertical-rate", 2, 1, Access.UNIMPLEMENTED)
                .bits("count-by-2", 3)
                .bits("wrap-15", 5)
                .bits("byte-mode", 6)
                .bits("sync-enable", 7)
                .resetValue(0xa3);
        lineCompare = file.register("crtc.line-compare", 8).resetValue(0xff);
        protect = retraceEnd.field("protect");
        byteMode = modeControl.field("byte-mode");
        wrapBit15 = modeControl.field("wrap-15");
        keepBit13 = modeControl.field("keep-13");
        keepBit14 = modeControl.field("keep-14");
        doubleWord = underline.field("double-word");

        space = new RegisterBank(file, COUNT);
        Register[] inOrder = {
            horizontalTotal, horizontalDisplayEnd, blankStart, blankEnd, syncStart, syncEnd, verticalTotal, overflow,
            presetRowScan, maximumScanLine, cursorStart, cursorEnd, startHigh, startLow, cursorHigh, cursorLow,
            retraceStart, retraceEnd, verticalDisplayEnd, offset, underline, verticalBlankStart, verticalBlankEnd, modeControl,
            lineCompare
        };
        for (int i = 0; i < COUNT; i++) space.at(i, inOrder[i]);
        index = file.register("crtc.index", 8).bits("index", 0, 6);
        Register data = file.register("crtc.data", 8)
                .derived()
                .onRead(() -> space.busRead(index.intValue()))
                .onWrite(this::writeData);
        ports = new RegisterBank(file, 2).at(0, index).at(1, data);
    }

    private void writeData(long v) {
        int i = index.intValue();
        if (protect.isSet() && i <= LAST_PROTECTED) {
            if (i != OVERFLOW) return;
            v = overflow.value() & ~OVERFLOW_OPEN | v & OVERFLOW_OPEN;
        }
        space.busWrite(i, v);
    }

    // ---- what is shown ----

    /** Address, in character units, of the first character or byte of the screen. */
    int startAddress() {
        return startHigh.intValue() << 8 | startLow.intValue();
    }

    /** Bytes to skip on the left, 0 to 3 (for panning by more than a character). */
    int bytePan() {
        return presetRowScan.intValue() >> 5 & 3;
    }

    /** Row of the character that the first scan line shows. */
    int firstRow() {
        return presetRowScan.intValue() & 0x1f;
    }

    /** Last row of a character, 0 to 31: characters are one higher. */
    int lastRow() {
        return maximumScanLine.intValue() & 0x1f;
    }

    /** Every scan line is shown twice. */
    boolean doubleScan() {
        return maximumScanLine.test(0x80);
    }

    /** Distance from one row of characters to the next, in character units. */
    int pitch() {
        return offset.intValue() * 2;
    }

    int columns() {
        return horizontalDisplayEnd.intValue() + 1;
    }

    /** Visible scan lines. */
    int lines() {
        return tenBits(verticalDisplayEnd, 1, 6) + 1;
    }

    /** All scan lines of a frame. */
    int totalLines() {
        return tenBits(verticalTotal, 0, 5) + 2;
    }

    /** The scan line on which vertical retrace starts. */
    int retraceLine() {
        return tenBits(retraceStart, 2, 7);
    }

    /** Length of the vertical retrace in scan lines, 1 to 16: the end register has the low four bits of the line it ends on. */
    int retraceLines() {
        int lines = retraceEnd.intValue() - retraceStart.intValue() & 15;
        return lines == 0 ? 16 : lines;
    }

    /** After this scan line the picture starts again at address 0; beyond the last line there is no split. */
    int lineCompare() {
        return tenBits(lineCompare, 4, -1) | (maximumScanLine.intValue() & 0x40) << 3;
    }

    /** Row of the underline, 0 to 31. */
    int underlineRow() {
        return underline.intValue() & 0x1f;
    }

    boolean cursorOn() {
        return !cursorStart.test(0x20);
    }

    int cursorFirstRow() {
        return cursorStart.intValue() & 0x1f;
    }

    int cursorLastRow() {
        return cursorEnd.intValue() & 0x1f;
    }

    /** Address of the cursor in character units. */
    int cursorAddress() {
        return cursorHigh.intValue() << 8 | cursorLow.intValue();
    }

    /**
     * The offset in each plane that a character address means, in byte, word or double word mode; address lines 13 and 14 may come
     * from the row counter instead (the interleaved memory of the CGA and Hercules).
     */
    int planeOffset(int address, int row) {
        int a = address & 0xffff;
        if (doubleWord.isSet()) a = a << 2 & 0xffff | a >> 14;
        else if (!byteMode.isSet()) a = a << 1 & 0xffff | a >> (wrapBit15.isSet() ? 15 : 13) & 1;
        if (!keepBit13.isSet()) a = a & ~0x2000 | (row & 1) << 13;
        if (!keepBit14.isSet()) a = a & ~0x4000 | (row & 2) << 13;
        return a;
    }

    /** @param bit9 bit of the overflow register that is bit 9 of the value, -1 for none */
    private int tenBits(Register low, int bit8, int bit9) {
        int o = overflow.intValue();
        int high = (o >> bit8 & 1) << 8;
        if (bit9 >= 0) high |= (o >> bit9 & 1) << 9;
        return low.intValue() | high;
    }
}
