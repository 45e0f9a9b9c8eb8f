package org.backplane.devvga;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import javax.imageio.ImageIO;
import org.backplane.devicekit.test.DeviceBench;
import org.backplane.kvm.spi.device.DisplaySource;

/** A VGA on the bench, programmed as its drivers do. */
final class VgaBench {
    static final int TEXT = 0xb8000;
    static final int GRAPHICS = 0xa0000;

    /** Sequencer, CRTC, graphics controller and attribute mode of the graphics modes, from the IBM manual's tables. */
    private static final int[] MODE_12 = {
        0xe3, 0x03, 0x01, 0x0f, 0x00, 0x06, 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0b, 0x3e, 0x00, 0x40, 0, 0, 0, 0, 0, 0, 0xea, 0x8c,
        0xdf, 0x28, 0x00, 0xe7, 0x04, 0xe3, 0xff, 0, 0, 0, 0, 0, 0x00, 0x05, 0x0f, 0xff, 0x01
    };
    private static final int[] MODE_0D = {
        0x63, 0x03, 0x09, 0x0f, 0x00, 0x06, 0x2d, 0x27, 0x28, 0x90, 0x2b, 0x80, 0xbf, 0x1f, 0x00, 0xc0, 0, 0, 0, 0, 0, 0, 0x9c, 0x8e,
        0x8f, 0x14, 0x00, 0x96, 0xb9, 0xe3, 0xff, 0, 0, 0, 0, 0, 0x00, 0x05, 0x0f, 0xff, 0x01
    };
    private static final int[] MODE_13 = {
        0x63, 0x03, 0x01, 0x0f, 0x00, 0x0e, 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0x00, 0x41, 0, 0, 0, 0, 0, 0, 0x9c, 0x8e,
        0x8f, 0x28, 0x40, 0x96, 0xb9, 0xa3, 0xff, 0, 0, 0, 0, 0, 0x40, 0x05, 0x0f, 0xff, 0x41
    };

    final DeviceBench bench;

    VgaBench() {
        this(Map.of());
    }

    VgaBench(Map<String, String> properties) {
        bench = DeviceBench.of(new VgaFactory(), properties);
    }

    VgaBench(DeviceBench bench) {
        this.bench = bench;
    }

    void seq(int index, int value) {
        bench.out(0x3c4, 2, index | value << 8);
    }

    void gc(int index, int value) {
        bench.out(0x3ce, 2, index | value << 8);
    }

    void crtc(int index, int value) {
        bench.out(0x3d4, 2, index | value << 8);
    }

    int crtc(int index) {
        bench.outb(0x3d4, index);
        return bench.inb(0x3d5);
    }

    /** Writes an attribute register with the palette disconnected, and connects it again. */
    void attribute(int index, int value) {
        bench.inb(0x3da);
        bench.outb(0x3c0, index);
        bench.outb(0x3c0, value);
        bench.outb(0x3c0, 0x20);
        bench.inb(0x3da);
    }

    void print(int row, int column, int attribute, String s) {
        for (int i = 0; i < s.length(); i++) {
            int code = 0;
            while (Cp437.unicode(code) != s.charAt(i)) code++;
            bench.mmioWrite(TEXT + (row * 80 + column + i) * 2, 2, code == 0 ? 0x20 | attribute << 8 : code | attribute << 8);
        }
    }

    void mode12() {
        mode(MODE_12);
    }

    void mode0d() {
        mode(MODE_0D);
    }

    void mode13() {
        mode(MODE_13);
    }

    private void mode(int[] m) {
        bench.outb(0x3c2, m[0]);
        for (int i = 0; i < 5; i++) seq(i, m[1 + i]);
        crtc(0x11, 0);
        for (int i = 0; i < 25; i++) crtc(i, m[6 + i]);
        for (int i = 0; i < 9; i++) gc(i, m[31 + i]);
        attribute(0x10, m[40]);
        attribute(0x13, 0);
    }

    DisplaySource.Frame frame() {
        return bench.facet(DisplaySource.class).render();
    }

    String[] text() {
        return bench.facet(DisplaySource.class).text();
    }

    int pixel(DisplaySource.Frame f, int x, int y) {
        return f.pixels()[y * f.width() + x];
    }

    /** Puts a picture into the build directory, for looking at. */
    static void keep(String name, DisplaySource.Frame f) throws IOException {
        BufferedImage image = new BufferedImage(f.width(), f.height(), BufferedImage.TYPE_INT_RGB);
        image.setRGB(0, 0, f.width(), f.height(), f.pixels(), 0, f.width());
        Path to = Path.of("target", "screens", name + ".png");
        Files.createDirectories(to.getParent());
        ImageIO.write(image, "png", to.toFile());
    }
}
