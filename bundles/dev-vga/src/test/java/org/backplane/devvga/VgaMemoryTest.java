package org.backplane.devvga;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The CPU's way to video memory. */
class VgaMemoryTest {
    private static final int A = VgaBench.GRAPHICS;

    private final VgaBench vga = new VgaBench();

    @BeforeEach
    void planar() {
        vga.mode12();
    }

    private void write(int offset, int v) {
        vga.bench.mmioWrite(A + offset, 1, v);
    }

    /** Reads a plane in read mode 0. */
    private int plane(int plane, int offset) {
        vga.gc(5, 0);
        vga.gc(4, plane);
        return (int) vga.bench.mmioRead(A + offset, 1);
    }

    private void expectPlanes(int offset, int p0, int p1, int p2, int p3) {
        assertEquals(p0, plane(0, offset), "plane 0");
        assertEquals(p1, plane(1, offset), "plane 1");
        assertEquals(p2, plane(2, offset), "plane 2");
        assertEquals(p3, plane(3, offset), "plane 3");
    }

    /** Puts a byte into each plane and into the latch. */
    private void fill(int offset, int p0, int p1, int p2, int p3) {
        int[] v = {p0, p1, p2, p3};
        for (int i = 0; i < 4; i++) {
            vga.seq(2, 1 << i);
            write(offset, v[i]);
        }
        vga.seq(2, 15);
        vga.bench.mmioRead(A + offset, 1);
    }

    @Test
    void mapMaskChoosesPlanesToWrite() {
        vga.seq(2, 0x5);
        write(7, 0xa5);
        expectPlanes(7, 0xa5, 0, 0xa5, 0);
    }

    @Test
    void writeMode0RotatesThenCombinesThenMasks() {
        fill(0, 0xf0, 0x0f, 0xff, 0x00);
        vga.gc(3, 0x18 | 4); // XOR, rotate by 4
        vga.gc(8, 0x3c);
        write(0, 0x1e); // rotated: e1
        expectPlanes(0, 0xf0 & ~0x3c | (0xf0 ^ 0xe1) & 0x3c, 0x0f & ~0x3c | (0x0f ^ 0xe1) & 0x3c, 0xc3 | 0x1e & 0x3c, 0xe1 & 0x3c);
    }

    @Test
    void setResetReplacesDataOnEnabledPlanesBeforeTheFunction() {
        fill(0, 0x55, 0x55, 0x55, 0x55);
        vga.gc(0, 0x1);
        vga.gc(1, 0x3);
        vga.gc(3, 0x08); // AND
        write(0, 0x0f);
        expectPlanes(0, 0x55, 0x00, 0x05, 0x05);
    }

    @Test
    void orFunctionUsesTheLatch() {
        fill(0, 1, 2, 4, 8);
        vga.gc(3, 0x10);
        write(1, 0x80);
        expectPlanes(1, 0x81, 0x82, 0x84, 0x88);
    }

    @Test
    void writeMode1CopiesTheLatch() {
        fill(10, 1, 2, 3, 4);
        vga.gc(5, 1);
        vga.gc(8, 0);
        write(20, 0xff);
        vga.gc(5, 0);
        expectPlanes(20, 1, 2, 3, 4);
    }

    @Test
    void writeMode2SpreadsFourBitsOverThePlanes() {
        fill(0, 0, 0xff, 0, 0xff);
        vga.gc(5, 2);
        vga.gc(8, 0x0f);
        write(0, 0x5);
        expectPlanes(0, 0x0f, 0xf0, 0x0f, 0xf0);
    }

    @Test
    void writeMode3MasksSetResetWithRotatedData() {
        fill(0, 0xff, 0x00, 0xff, 0x00);
        vga.gc(0, 0x2);
        vga.gc(3, 4);
        vga.gc(5, 3);
        vga.gc(8, 0xf3);
        write(0, 0x1f); // rotated: f1; mask f1
        expectPlanes(0, 0x0e, 0xf1, 0x0e, 0x00);
    }

    @Test
    void readMode1ComparesColoursOfCaredPlanes() {
        fill(0, 0xff, 0x0f, 0x00, 0x55);
        vga.gc(2, 0x3);
        vga.gc(7, 0x7);
        vga.gc(5, 8);
        assertEquals(0x0f, vga.bench.mmioRead(A, 1));
        vga.gc(7, 0);
        assertEquals(0xff, vga.bench.mmioRead(A, 1));
    }

    @Test
    void readLoadsTheLatchInEveryMode() {
        fill(0, 9, 9, 9, 9);
        fill(1, 7, 7, 7, 7);
        vga.gc(5, 8);
        vga.bench.mmioRead(A, 1);
        vga.gc(5, 1);
        write(2, 0);
        vga.gc(5, 0);
        expectPlanes(2, 9, 9, 9, 9);
    }

    @Test
    void wideAccessesAreBytesInOrder() {
        vga.seq(2, 1);
        vga.bench.mmioWrite(A + 4, 4, 0x44332211);
        vga.gc(4, 0);
        assertEquals(0x11, plane(0, 4));
        assertEquals(0x44, plane(0, 7));
        assertEquals(0x3322, vga.bench.mmioRead(A + 5, 2));
    }

    @Test
    void chain4SpreadsAddressesOverPlanes() {
        vga.mode13();
        vga.bench.mmioWrite(A + 8, 4, 0x44332211);
        assertEquals(0x33, vga.bench.mmioRead(A + 10, 1));
        vga.seq(4, 6);
        expectPlanes(8, 0x11, 0x22, 0x33, 0x44);
    }

    @Test
    void memoryMapMovesTheWindowAndTheRestFloats() {
        write(0, 0x5a);
        vga.gc(6, 0x05);
        assertEquals(0x5a, vga.bench.mmioRead(A, 1));
        assertEquals(0xff, vga.bench.mmioRead(0xb0000, 1));
        vga.gc(6, 0x09);
        assertEquals(0xff, vga.bench.mmioRead(A, 1));
        assertEquals(0x5a, vga.bench.mmioRead(0xb0000, 1));
        assertEquals(0xff, vga.bench.mmioRead(0xb8000, 1));
        vga.gc(6, 0x0d);
        assertEquals(0xffff, vga.bench.mmioRead(0xb0000, 2));
        assertEquals(0x5a, vga.bench.mmioRead(0xb8000, 1));
        vga.gc(6, 0x01);
        assertEquals(0x5a, vga.bench.mmioRead(0xb0000, 1), "128 KiB show the planes twice");
    }

    @Test
    void ramDisableMakesMemoryFloat() {
        write(0, 0x5a);
        vga.bench.outb(0x3c2, 0xe1);
        write(0, 0x11);
        assertEquals(0xff, vga.bench.mmioRead(A, 1));
        vga.bench.outb(0x3c2, 0xe3);
        assertEquals(0x5a, vga.bench.mmioRead(A, 1));
    }

    /** The short way for text leaves the planes as the VGA's long way does, which a map mask with plane 2 in it forces. */
    @Test
    void textWritesAreTheGeneralOnesInShort() {
        VgaBench quick = new VgaBench();
        VgaBench general = new VgaBench();
        general.seq(2, 7);
        Random random = new Random(42);
        for (int i = 0; i < 20_000; i++) {
            int size = 1 << random.nextInt(3);
            int address = VgaBench.TEXT + random.nextInt(0x8000 - 4);
            long v = random.nextInt() & 0xffffffffL;
            quick.bench.mmioWrite(address, size, v);
            general.bench.mmioWrite(address, size, v);
        }
        for (VgaBench b : new VgaBench[] {quick, general}) {
            b.seq(4, 6);
            b.gc(5, 0);
        }
        for (int plane = 0; plane < 2; plane++) {
            quick.gc(4, plane);
            general.gc(4, plane);
            for (int i = 0; i < 0x8000; i++) {
                assertEquals(general.bench.mmioRead(VgaBench.TEXT + i, 1), quick.bench.mmioRead(VgaBench.TEXT + i, 1), plane + ":" + i);
            }
        }
    }

    /** Neighbouring characters are two offsets apart: the odd ones stay free. */
    @Test
    void textReadsSeeEvenOffsetsOfPlanes0And1() {
        vga.seq(4, 6);
        for (int plane = 0; plane < 2; plane++) {
            vga.seq(2, 1 << plane);
            for (int i = 0; i < 16; i++) write(i, plane << 4 | i);
        }
        vga.seq(4, 2);
        vga.gc(5, 0x10);
        vga.gc(6, 0x0e);
        for (int i = 0; i < 16; i++) assertEquals((i & 1) << 4 | i & ~1, vga.bench.mmioRead(VgaBench.TEXT + i, 1));
        assertEquals(0x1202, vga.bench.mmioRead(VgaBench.TEXT + 2, 2));
        assertEquals(0x1606_1404L, vga.bench.mmioRead(VgaBench.TEXT + 4, 4));
    }

    @Test
    void everyByteOfATextScreenReadsBack() {
        VgaBench text = new VgaBench();
        for (int i = 0; i < 0x8000; i++) text.bench.mmioWrite(VgaBench.TEXT + i, 1, i * 7 + (i >> 8) & 0xff);
        for (int i = 0; i < 0x8000; i++) assertEquals(i * 7 + (i >> 8) & 0xff, text.bench.mmioRead(VgaBench.TEXT + i, 1));
        for (int i = 0; i < 0x8000; i += 4) {
            long expected = 0;
            for (int j = 0; j < 4; j++) expected |= (long) ((i + j) * 7 + (i + j >> 8) & 0xff) << j * 8;
            assertEquals(expected, text.bench.mmioRead(VgaBench.TEXT + i, 4));
        }
    }

    /** As Linux does it (drivers/video/console/vgacon.c, font operations): the font goes through the planes and the text survives. */
    @Test
    void fontLoadThroughThePlanesLeavesTheTextAlone() {
        VgaBench text = new VgaBench();
        text.print(0, 0, 0x07, "Hello");
        text.seq(0, 1);
        text.seq(2, 4);
        text.seq(4, 7);
        text.seq(0, 3);
        text.gc(4, 2);
        text.gc(5, 0);
        text.gc(6, 0);
        byte[] old = Font8x16.load();
        for (int i = 0; i < 16; i++) assertEquals(old['A' * 16 + i] & 0xff, text.bench.mmioRead(A + 'A' * 32 + i, 1), "the old font reads back");
        for (int i = 0; i < 8192; i++) text.bench.mmioWrite(A + i, 1, i & 0xff);
        text.seq(0, 1);
        text.seq(2, 3);
        text.seq(4, 3);
        text.seq(0, 3);
        text.gc(4, 0);
        text.gc(5, 0x10);
        text.gc(6, 0x0e);
        assertEquals("Hello", text.text()[0].trim());
        text.crtc(0x0a, 0x20);
        assertEquals(0xaaaaaa, text.pixel(text.frame(), 7, 1), "row 1 of the new H (48h) is 01h");
        assertEquals(0, text.pixel(text.frame(), 0, 1));
    }
}
