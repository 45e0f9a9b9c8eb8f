package org.backplane.devvga;

/**
 * Draws a scan line of a text mode. Characters are in plane 0, attributes in plane 1, and the fonts in plane 2, 32 bytes a
 * character whatever its height.
 */
final class TextLine {
    private static final int FONT_PLANE = 2;
    /** Bytes from one character of a font to the next. */
    private static final int GLYPH = 32;

    private static final int FIRST_LINE_GRAPHIC = 0xc0;
    private static final int LAST_LINE_GRAPHIC = 0xdf;

    private final VgaRegisters registers;
    private final Crtc crtc;
    private final VgaMemory memory;
    private final Beam beam;
    private final boolean blink;
    private final int[] colors = new int[16];
    private boolean blinkShown;
    private boolean cursorShown;

    TextLine(VgaRegisters registers, VgaMemory memory, Beam beam, boolean blink) {
        this.registers = registers;
        this.crtc = registers.crtc;
        this.memory = memory;
        this.beam = beam;
        this.blink = blink;
    }

    /** A frame begins: takes over palette and blink phase. */
    void begin() {
        for (int i = 0; i < 16; i++) colors[i] = registers.dac.rgb(registers.attributes.dacIndex(i));
        blinkShown = !blink || beam.blinkShown();
        cursorShown = crtc.cursorOn() && (!blink || beam.cursorShown());
    }

    /**
     * @param dots receives {@code columns} characters
     * @param address of the first character, in character units
     * @param row of the characters
     */
    void draw(int[] dots, int columns, int address, int row) {
        AttributeController attributes = registers.attributes;
        int width = registers.sequencer.characterWidth();
        int fontA = registers.sequencer.fontA();
        int fontB = registers.sequencer.fontB();
        boolean cursorRow = cursorShown && row >= crtc.cursorFirstRow() && row <= crtc.cursorLastRow();
        for (int column = 0; column < columns; column++) {
            int character = address + column & 0xffff;
            int cell = memory.cell(crtc.planeOffset(character, row));
            int code = cell & 0xff;
            int attribute = cell >> 8 & 0xff;
            int font = (attribute & 8) != 0 ? fontA : fontB;
            int bits = memory.planeByte(FONT_PLANE, font + code * GLYPH + row) << 1;
            if (attributes.lineGraphics() && code >= FIRST_LINE_GRAPHIC && code <= LAST_LINE_GRAPHIC) bits |= bits >> 1 & 1;
            // Underlined are characters with foreground 1 on background 0, the attributes of the monochrome adapter.
            if (row == crtc.underlineRow() && (attribute & 0x77) == 1) bits = 0x1ff;
            int background = attribute >> 4;
            if (attributes.blink()) {
                if ((background & 8) != 0 && !blinkShown) bits = 0;
                background &= 7;
            }
            if (cursorRow && character == crtc.cursorAddress()) bits = 0x1ff;
            int ink = colors[attribute & 15];
            int paper = colors[background];
            int at = column * width;
            for (int x = 0; x < width; x++) dots[at + x] = (bits >> 8 - x & 1) != 0 ? ink : paper;
        }
    }
}
