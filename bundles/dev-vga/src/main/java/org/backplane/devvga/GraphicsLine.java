package org.backplane.devvga;

/**
 * Draws a scan line of a graphics mode. In each character clock the four bytes at one offset become eight dots: as four planes of
 * eight bits (modes 0Dh to 12h), as two bits a pixel from pairs of planes (modes 4 and 5), or as four pixels of a byte each, twice
 * as wide (mode 13h).
 */
final class GraphicsLine {
    private final VgaRegisters registers;
    private final Crtc crtc;
    private final VgaMemory memory;
    private final int[] colors = new int[16];

    GraphicsLine(VgaRegisters registers, VgaMemory memory) {
        this.registers = registers;
        this.crtc = registers.crtc;
        this.memory = memory;
    }

    /** A frame begins: takes over the palette. */
    void begin() {
        for (int i = 0; i < 16; i++) colors[i] = registers.dac.rgb(registers.attributes.dacIndex(i));
    }

    /**
     * @param dots receives {@code columns} times eight dots
     * @param address of the first byte, in character units
     * @param row of the row counter
     */
    void draw(int[] dots, int columns, int address, int row) {
        boolean bytes = registers.graphics.shift256();
        boolean pairs = registers.graphics.shiftInterleaved();
        for (int column = 0; column < columns; column++) {
            int cell = memory.cell(crtc.planeOffset(address + column, row));
            int at = column * 8;
            if (bytes) drawBytes(dots, at, cell);
            else if (pairs) drawPairs(dots, at, cell);
            else drawPlanes(dots, at, cell);
        }
    }

    private void drawBytes(int[] dots, int at, int cell) {
        for (int i = 0; i < 4; i++) {
            int color = registers.dac.rgb(cell >>> i * 8 & 0xff);
            dots[at + 2 * i] = color;
            dots[at + 2 * i + 1] = color;
        }
    }

    /** Four pixels from planes 0 and 2, then four from planes 1 and 3: two low bits from the first, two high bits from the second. */
    private void drawPairs(int[] dots, int at, int cell) {
        for (int i = 0; i < 8; i++) {
            int two = cell >>> (i < 4 ? 0 : 8);
            int shift = 6 - 2 * (i & 3);
            dots[at + i] = colors[two >> shift & 3 | (two >> 16 + shift & 3) << 2];
        }
    }

    private void drawPlanes(int[] dots, int at, int cell) {
        for (int i = 0; i < 8; i++) {
            int bits = cell >>> 7 - i;
            dots[at + i] = colors[bits & 1 | bits >> 7 & 2 | bits >> 14 & 4 | bits >> 21 & 8];
        }
    }
}
