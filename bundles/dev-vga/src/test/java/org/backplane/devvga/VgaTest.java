package org.backplane.devvga;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.Random;
import org.backplane.devicekit.test.DeviceBench;
import org.backplane.devicekit.test.DeviceContractTest;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.DisplaySource;
import org.junit.jupiter.api.Test;

/** The contract of all devices, and the registers. */
class VgaTest extends DeviceContractTest {
    private final VgaBench vga = new VgaBench();

    @Override
    protected DeviceFactory factory() {
        return new VgaFactory();
    }

    @Override
    protected void exercise(DeviceBench bench) {
        VgaBench v = new VgaBench(bench);
        v.mode12();
        bench.mmioWrite(VgaBench.GRAPHICS + 123, 4, 0x12345678);
        bench.mmioRead(VgaBench.GRAPHICS + 123, 1);
        bench.outb(0x3c8, 5);
        bench.outb(0x3c9, 1);
        bench.outb(0x3c0, 3);
    }

    @Test
    void readBackRegistersReadBack() {
        for (int i : new int[] {0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x13, 0x18}) {
            vga.crtc(i, 0x15);
            assertEquals(0x15, vga.crtc(i));
        }
        vga.gc(3, 0xff);
        vga.bench.outb(0x3ce, 3);
        assertEquals(0x1f, vga.bench.inb(0x3cf), "reserved bits read as zeros");
        vga.bench.outb(0x3ce, 9);
        assertEquals(0xff, vga.bench.inb(0x3cf), "there is no register 9");
        assertEquals(0x67, vga.bench.inb(0x3cc));
    }

    @Test
    void protectBitGuardsRegisters0To7ButLineCompare() {
        int before = vga.crtc(0);
        vga.crtc(0, 0x11);
        assertEquals(before, vga.crtc(0));
        vga.crtc(7, 0x00);
        assertEquals(0x0f, vga.crtc(7), "bit 4 alone is open");
        vga.crtc(0x11, 0x0e);
        vga.crtc(0, 0x11);
        assertEquals(0x11, vga.crtc(0));
    }

    @Test
    void crtcAnswersInTheRangeThatMiscOutputSelects() {
        vga.crtc(0x0f, 0x42);
        assertEquals(0xff, vga.bench.inb(0x3b5));
        vga.bench.outb(0x3c2, 0x66);
        assertEquals(0xff, vga.bench.inb(0x3d5));
        assertEquals(0x42, vga.bench.inb(0x3b5));
        vga.bench.outb(0x3c0, 1);
        vga.bench.inb(0x3ba);
        vga.bench.outb(0x3c0, 2);
        assertEquals(2, vga.bench.inb(0x3c0), "input status at 3BA reset the flip-flop");
    }

    @Test
    void attributePortTakesIndexAndDataInTurn() {
        vga.bench.inb(0x3da);
        vga.bench.outb(0x3c0, 0x31);
        vga.bench.outb(0x3c0, 0x07);
        vga.bench.outb(0x3c0, 0x31);
        assertEquals(0x07, vga.bench.inb(0x3c1));
    }

    @Test
    void paletteIsWritableOnlyWhileDisconnected() {
        vga.bench.inb(0x3da);
        vga.bench.outb(0x3c0, 0x21);
        vga.bench.outb(0x3c0, 0x3f);
        assertEquals(1, vga.bench.inb(0x3c1));
        vga.attribute(1, 0x3f);
        vga.bench.outb(0x3c0, 0x21);
        assertEquals(0x3f, vga.bench.inb(0x3c1));
    }

    @Test
    void dacTakesAndGivesColoursInTurn() {
        vga.bench.outb(0x3c8, 254);
        for (int i = 1; i <= 6; i++) vga.bench.outb(0x3c9, 0xc0 | i);
        assertEquals(0, vga.bench.inb(0x3c8), "the index wraps");
        vga.bench.outb(0x3c7, 254);
        assertEquals(3, vga.bench.inb(0x3c7));
        for (int i = 1; i <= 6; i++) assertEquals(i, vga.bench.inb(0x3c9));
        vga.bench.outb(0x3c8, 0);
        assertEquals(0, vga.bench.inb(0x3c7));
    }

    @Test
    void pixelMaskMasksColourNumbers() {
        vga.print(0, 0, 0x0f, "█");
        vga.bench.outb(0x3c6, 0x07);
        assertEquals(0xaaaaaa, vga.pixel(vga.frame(), 0, 0), "3F becomes 07");
    }

    @Test
    void verticalRetraceComesSeventyTimesASecond() {
        int edges = 0;
        int retrace = 0;
        int blank = 0;
        boolean before = false;
        int steps = 100_000;
        for (int i = 0; i < steps; i++) {
            vga.bench.clock().advance(10_000);
            int s = vga.bench.inb(0x3da);
            boolean now = (s & 8) != 0;
            if (now && !before) edges++;
            if (now) retrace++;
            if ((s & 1) != 0) blank++;
            before = now;
        }
        assertEquals(70, edges);
        assertEquals(2.0 / 449, (double) retrace / steps, 0.0005);
        assertEquals(1 - 400.0 / 449 * 720 / 900, (double) blank / steps, 0.01);
    }

    @Test
    void resetShowsABlankTextScreenInMode3() {
        vga.mode12();
        vga.bench.mmioWrite(VgaBench.GRAPHICS, 4, -1);
        vga.bench.reset();
        assertEquals(" ".repeat(80), vga.text()[0]);
        assertEquals(0x0720, vga.bench.mmioRead(VgaBench.TEXT + 3998, 2));
        assertEquals(720, vga.frame().width());
    }

    @Test
    void retainKeepsTheScreenOverAReset() {
        VgaBench kept = new VgaBench(Map.of("retain", "on"));
        assertEquals(" ".repeat(80), kept.text()[24]);
        kept.print(3, 0, 0x07, "Kernel panic");
        kept.bench.reset();
        assertEquals("Kernel panic", kept.text()[3].trim());
        assertThrows(IllegalArgumentException.class, () -> new VgaBench(Map.of("retain", "maybe")));
    }

    @Test
    void pictureSurvivesASwap() throws Exception {
        vga.print(0, 0, 0x1e, "still here");
        int[] before = vga.frame().pixels();
        vga.bench.swap(new VgaFactory());
        assertArrayEquals(before, vga.bench.facet(DisplaySource.class).render().pixels());
        vga.print(1, 0, 0x1e, "and going on");
        assertEquals("and going on", vga.text()[1].trim());
    }

    @Test
    void unimplementedBitsAreToldOnce() {
        vga.crtc(0x17, 0xa7);
        vga.crtc(0x17, 0xa3);
        assertEquals(1, vga.bench.log().size());
        assertTrue(vga.bench.log().getFirst().contains("half-vertical-rate"), vga.bench.log().getFirst());
    }

    @Test
    void anyRegisterContentsGiveAPicture() {
        Random random = new Random(7);
        for (int round = 0; round < 60; round++) {
            vga.crtc(0x11, 0);
            for (int i = 0; i < 200; i++) vga.bench.outb(0x3c0 + random.nextInt(16), random.nextInt(256));
            vga.bench.outb(0x3c2, 0x67);
            vga.crtc(0x11, 0);
            for (int i = 0; i < 25; i++) vga.crtc(i, random.nextInt(256));
            for (int i = 0; i < 50; i++) vga.bench.mmioWrite(VgaBench.GRAPHICS + random.nextInt(0x1fff0), 4, random.nextInt());
            DisplaySource.Frame f = vga.frame();
            assertEquals(f.pixels().length, f.width() * f.height());
            vga.text();
            vga.bench.inb(0x3da);
        }
    }
}
