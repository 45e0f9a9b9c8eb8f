package org.backplane.devvga;

import java.util.Arrays;
import org.backplane.kvm.spi.device.DisplaySource;

/**
 * The screen as a monitor would show it at this moment: every visible dot and scan line, doubled ones included, border not. Called
 * rarely, as a callback of the card; reads registers and memory and changes neither.
 *
 * <p>A frame is drawn line by line as the CRTC counts: the row counter runs through the rows of a character (in graphics modes
 * through the repetitions of a line), then the address moves on by the pitch. After the line of {@code line compare} both start
 * again at 0: a second picture below the split. {@link TextLine} and {@link GraphicsLine} draw a line; panning and doubling of dots
 * are done here, for both.
 */
final class Renderer implements DisplaySource {
    private static final int BLANK = 0x20;

    private final VgaRegisters registers;
    private final Crtc crtc;
    private final VgaMemory memory;
    private final TextLine textLine;
    private final GraphicsLine graphicsLine;

    /**
     * @param blink characters and cursor blink with the clock; otherwise they are always shown, so that two pictures of a still
     *     screen are equal
     */
    Renderer(VgaRegisters registers, VgaMemory memory, Beam beam, boolean blink) {
        this.registers = registers;
        this.crtc = registers.crtc;
        this.memory = memory;
        this.textLine = new TextLine(registers, memory, beam, blink);
        this.graphicsLine = new GraphicsLine(registers, memory);
    }

    @Override
    public Frame render() {
        AttributeController attributes = registers.attributes;
        boolean graphics = attributes.graphics();
        int cellWidth = graphics ? 8 : registers.sequencer.characterWidth();
        int scale = registers.sequencer.halfDotClock() ? 2 : 1;
        int columns = crtc.columns();
        int width = columns * cellWidth * scale;
        int height = crtc.lines();
        int[] pixels = new int[width * height];
        if (registers.sequencer.screenOff() || !attributes.showing()) {
            if (!registers.sequencer.screenOff()) Arrays.fill(pixels, registers.dac.rgb(attributes.borderIndex()));
            return new Frame(width, height, pixels);
        }
        textLine.begin();
        graphicsLine.begin();
        int[] dots = new int[(columns + 1) * cellWidth];
        int repeats = crtc.doubleScan() ? 2 : 1;
        int repeat = 0;
        int address = crtc.startAddress() + crtc.bytePan();
        int row = crtc.firstRow();
        int pan = attributes.pan(cellWidth);
        for (int y = 0; y < height; y++) {
            if (repeat == 0) {
                if (graphics) graphicsLine.draw(dots, columns + 1, address, row);
                else textLine.draw(dots, columns + 1, address, row);
            }
            place(dots, pan, scale, pixels, y * width, width);
            if (y == crtc.lineCompare()) {
                address = 0;
                row = 0;
                repeat = 0;
                if (attributes.splitPan()) pan = 0;
            } else if (++repeat == repeats) {
                repeat = 0;
                row++;
                if (row > crtc.lastRow()) {
                    row = 0;
                    address += crtc.pitch();
                }
            }
        }
        return new Frame(width, height, pixels);
    }

    private static void place(int[] dots, int pan, int scale, int[] pixels, int at, int width) {
        if (scale == 1) System.arraycopy(dots, pan, pixels, at, width);
        else for (int x = 0; x < width; x++) pixels[at + x] = dots[pan + (x >> 1)];
    }

    @Override
    public String[] text() {
        if (registers.attributes.graphics()) return new String[0];
        int columns = crtc.columns();
        int rowHeight = (crtc.lastRow() + 1) * (crtc.doubleScan() ? 2 : 1);
        String[] rows = new String[crtc.lines() / rowHeight];
        int address = crtc.startAddress();
        StringBuilder s = new StringBuilder(columns);
        for (int r = 0; r < rows.length; r++) {
            s.setLength(0);
            for (int c = 0; c < columns; c++) {
                int code = memory.cell(crtc.planeOffset(address + c, 0)) & 0xff;
                s.append(Cp437.unicode(code == 0 ? BLANK : code));
            }
            rows[r] = s.toString();
            // A split screen goes on at address 0 with the row that begins after line compare.
            boolean split = crtc.lineCompare() / rowHeight == r && crtc.lineCompare() < crtc.lines() - 1;
            address = split ? 0 : address + crtc.pitch();
        }
        return rows;
    }
}
