package org.backplane.devvga;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Map;
import org.backplane.kvm.spi.device.DisplaySource.Frame;
import org.junit.jupiter.api.Test;

/** Pictures. Each is also kept as a PNG in target/screens. */
class RendererTest {
    private static final int BLACK = 0;
    private static final int GREY = 0xaaaaaa;
    private static final int WHITE = 0xffffff;
    private static final int BLUE = 0x0000aa;

    private final VgaBench vga = new VgaBench();

    /** A screen as the Debian installer paints it, and every character. */
    private void paintDialog() {
        for (int row = 0; row < 25; row++) vga.print(row, 0, 0x17, " ".repeat(80));
        vga.print(0, 0, 0x17, "Backplane VGA: the quick brown fox jumps over the lazy dog 0123456789");
        String title = "┤ [!!] Select a language ├";
        int width = 70;
        vga.print(3, 5, 0x70, "┌" + "─".repeat(20) + title + "─".repeat(width - 22 - title.length()) + "┐");
        for (int i = 0; i < 16; i++) vga.print(4 + i, 5, 0x70, "│" + " ".repeat(width - 2) + "│");
        vga.print(20, 5, 0x70, "└" + "─".repeat(width - 2) + "┘");
        for (int i = 0; i < 17; i++) vga.print(4 + i, 5 + width, 0x07, "  ");
        vga.print(21, 7, 0x07, " ".repeat(width));
        String[] languages = {"Català", "Dansk", "Deutsch", "English", "Español", "Français", "Italiano", "Português", "Svenska"};
        for (int i = 0; i < languages.length; i++) {
            vga.print(6 + i, 15, i == 4 ? 0x4f : 0x70, String.format("%-30s", languages[i]));
            vga.print(6 + i, 46, 0x70, i == 0 ? "▲" : i == 4 ? "█" : "▒");
        }
        vga.print(18, 10, 0x70, "<Go Back>");
        vga.print(22, 0, 0x1f, "╔═╤═╗ ╓─╥─╖ ╒═╤═╕ ┌─╥─┐ ░░▒▒▓▓██ ▀▄▌▐ ╠═╪═╣ ╟─╫─╢ ╞═╪═╡ ├─╫─┤");
        vga.print(23, 0, 0x1f, "║ │ ║ ║ ║ ║ │ │ │ │ ║ │ αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ ☺☻♥♦♣♠•◘○◙♂♀♪♫☼");
        vga.print(24, 0, 0x30, "<Tab> moves; <Space> selects; <Enter> activates buttons");
    }

    @Test
    void textScreenIs720By400() throws Exception {
        paintDialog();
        Frame f = vga.frame();
        VgaBench.keep("text", f);
        assertEquals(720, f.width());
        assertEquals(400, f.height());
        assertTrue(vga.text()[3].startsWith("     ┌────────────────────┤ [!!] Select a language ├"), vga.text()[3]);
        assertEquals(25, vga.text().length);
        assertEquals(80, vga.text()[0].length());
    }

    @Test
    void glyphIsDrawnFromPlane2() {
        vga.crtc(0x0a, 0x20);
        vga.print(0, 0, 0x07, "█A");
        byte[] font = Font8x16.load();
        Frame f = vga.frame();
        for (int y = 0; y < 16; y++) {
            for (int x = 0; x < 8; x++) {
                int expected = (font['A' * 16 + y] >> 7 - x & 1) != 0 ? GREY : BLACK;
                assertEquals(expected, vga.pixel(f, 9 + x, y), "row " + y + " column " + x);
            }
        }
    }

    @Test
    void ninthColumnRepeatsTheEighthForLineGraphicsOnly() {
        vga.crtc(0x0a, 0x20);
        vga.print(0, 0, 0x07, "─");
        vga.print(1, 0, 0x07, "░");
        vga.bench.mmioWrite(VgaBench.TEXT + 2 * 160, 2, 0x0700 | 0xb2);
        Frame f = vga.frame();
        assertEquals(GREY, vga.pixel(f, 8, 7));
        for (int y = 16; y < 48; y++) assertEquals(BLACK, vga.pixel(f, 8, y));
        vga.attribute(0x10, 0x08);
        assertEquals(BLACK, vga.pixel(vga.frame(), 8, 7));
    }

    @Test
    void linesOfABoxMeet() {
        vga.crtc(0x0a, 0x20);
        vga.print(0, 0, 0x07, "┌┐");
        vga.print(1, 0, 0x07, "└┘");
        Frame f = vga.frame();
        for (int x = 3; x <= 9 + 4; x++) {
            assertEquals(GREY, vga.pixel(f, x, 7));
            assertEquals(GREY, vga.pixel(f, x, 23));
        }
        for (int y = 7; y <= 23; y++) {
            assertEquals(GREY, vga.pixel(f, 3, y));
            assertEquals(GREY, vga.pixel(f, 9 + 4, y));
        }
        assertEquals(BLACK, vga.pixel(f, 9, 15));
    }

    @Test
    void attributesChooseColours() {
        vga.crtc(0x0a, 0x20);
        vga.print(0, 0, 0x1f, "█ ");
        vga.print(0, 2, 0x06, "█");
        Frame f = vga.frame();
        assertEquals(WHITE, vga.pixel(f, 0, 0));
        assertEquals(BLUE, vga.pixel(f, 9, 0));
        assertEquals(0xaa5500, vga.pixel(f, 18, 0), "brown");
    }

    @Test
    void backgroundBit7IsBlinkOrBright() {
        vga.crtc(0x0a, 0x20);
        vga.print(0, 0, 0x90, " ");
        assertEquals(BLUE, vga.pixel(vga.frame(), 0, 0));
        vga.attribute(0x10, 0x04);
        assertEquals(0x5555ff, vga.pixel(vga.frame(), 0, 0));
    }

    @Test
    void cursorIsAtItsAddressAndMayBeOff() {
        vga.crtc(0x0f, 81);
        Frame f = vga.frame();
        assertEquals(GREY, vga.pixel(f, 9, 16 + 13));
        assertEquals(BLACK, vga.pixel(f, 9, 16 + 12));
        assertEquals(BLACK, vga.pixel(f, 0, 16 + 13));
        vga.crtc(0x0a, 0x2d);
        assertEquals(BLACK, vga.pixel(vga.frame(), 9, 16 + 13));
    }

    @Test
    void picturesOfAStillScreenAreEqualUnlessBlinkIsOn() {
        Frame before = vga.frame();
        VgaBench blinking = new VgaBench(Map.of("blink", "on"));
        int[] shown = blinking.frame().pixels();
        vga.bench.clock().advance(150_000_000);
        blinking.bench.clock().advance(150_000_000);
        assertArrayEquals(before.pixels(), vga.frame().pixels());
        assertNotEquals(Arrays.hashCode(shown), Arrays.hashCode(blinking.frame().pixels()));
    }

    @Test
    void startAddressScrolls() {
        vga.print(1, 0, 0x07, "second");
        vga.crtc(0x0d, 80);
        assertTrue(vga.text()[0].startsWith("second"));
        vga.crtc(0x0a, 0x20);
        vga.crtc(0x0d, 79);
        Frame f = vga.frame();
        vga.crtc(0x0d, 0);
        Frame still = vga.frame();
        assertEquals(vga.pixel(still, 4, 16 + 8), vga.pixel(f, 9 + 4, 8));
    }

    @Test
    void lineCompareStartsASecondPicture() {
        vga.print(0, 0, 0x07, "status");
        vga.print(5, 0, 0x07, "top");
        vga.crtc(0x0c, 1); // start at 190h, row 5
        vga.crtc(0x0d, 0x90);
        vga.crtc(0x11, 0x0e);
        vga.crtc(0x09, 0x0f);
        vga.crtc(0x18, (319) & 0xff);
        vga.crtc(0x07, 0x1f);
        String[] text = vga.text();
        assertTrue(text[0].startsWith("top"));
        assertTrue(text[20].startsWith("status"), text[20]);
        Frame f = vga.frame();
        vga.crtc(0x0c, 0);
        vga.crtc(0x0d, 0);
        vga.crtc(0x0a, 0x20);
        Frame whole = vga.frame();
        for (int x = 0; x < 720; x++) assertEquals(vga.pixel(whole, x, 8), vga.pixel(f, x, 328));
    }

    @Test
    void fontsAAndBMakeFiveHundredAndTwelveCharacters() {
        vga.seq(2, 4);
        vga.seq(4, 7);
        vga.gc(5, 0);
        vga.gc(6, 0);
        for (int i = 0; i < 16; i++) vga.bench.mmioWrite(VgaBench.GRAPHICS + 0x4000 + 'A' * 32 + i, 1, 0xff);
        vga.gc(6, 0x0e);
        vga.gc(5, 0x10);
        vga.seq(4, 2);
        vga.seq(2, 3);
        vga.seq(3, 0x04); // A is the second font, B the first
        vga.crtc(0x0a, 0x20);
        vga.print(0, 0, 0x0f, "A");
        vga.print(0, 1, 0x07, "A");
        Frame f = vga.frame();
        assertEquals(WHITE, vga.pixel(f, 0, 0));
        assertEquals(BLACK, vga.pixel(f, 9, 0));
    }

    @Test
    void textPanMovesByDots() {
        vga.crtc(0x0a, 0x20);
        vga.print(0, 1, 0x07, "█");
        vga.attribute(0x13, 2); // three dots in a mode of nine
        Frame f = vga.frame();
        assertEquals(BLACK, vga.pixel(f, 5, 0));
        assertEquals(GREY, vga.pixel(f, 6, 0));
    }

    @Test
    void fortyColumnsAreTwiceAsWide() {
        vga.crtc(0x11, 0x0e);
        vga.seq(1, 0x08);
        vga.crtc(1, 39);
        vga.crtc(0x13, 20);
        vga.crtc(0x0a, 0x20);
        vga.print(0, 1, 0x07, "█");
        Frame f = vga.frame();
        assertEquals(720, f.width());
        assertEquals(BLACK, vga.pixel(f, 17, 0));
        assertEquals(GREY, vga.pixel(f, 18, 0));
        assertEquals(GREY, vga.pixel(f, 35, 0));
    }

    @Test
    void screenOffIsBlackAndNothingIsLost() {
        vga.print(0, 0, 0x07, "█");
        vga.seq(1, 0x20);
        assertEquals(BLACK, vga.pixel(vga.frame(), 0, 0));
        vga.seq(1, 0);
        assertEquals(GREY, vga.pixel(vga.frame(), 0, 0));
    }

    @Test
    void disconnectedPaletteShowsTheBorder() {
        vga.attribute(0x11, 1);
        vga.bench.inb(0x3da);
        vga.bench.outb(0x3c0, 0);
        assertEquals(BLUE, vga.pixel(vga.frame(), 300, 200));
    }

    @Test
    void mode12hShowsFourPlanes() throws Exception {
        vga.mode12();
        for (int color = 0; color < 16; color++) {
            vga.gc(0, color);
            vga.gc(1, 0x0f);
            for (int y = 0; y < 480; y++) for (int x = 0; x < 5; x++) vga.bench.mmioWrite(VgaBench.GRAPHICS + y * 80 + color * 5 + x, 1, 0);
        }
        vga.gc(0, 15);
        for (int y = 0; y < 480; y++) { // a diagonal, with the bit mask
            int x = y * 4 / 3;
            vga.gc(8, 0x80 >> (x & 7));
            vga.bench.mmioRead(VgaBench.GRAPHICS + y * 80 + x / 8, 1);
            vga.bench.mmioWrite(VgaBench.GRAPHICS + y * 80 + x / 8, 1, 0);
        }
        Frame f = vga.frame();
        VgaBench.keep("mode12h", f);
        assertEquals(640, f.width());
        assertEquals(480, f.height());
        assertEquals(0, vga.text().length);
        assertEquals(0xaa5500, vga.pixel(f, 6 * 40 + 1, 0));
        assertEquals(0xff5555, vga.pixel(f, 12 * 40 + 1, 479));
        assertEquals(WHITE, vga.pixel(f, 400, 300));
        assertEquals(0x555555 + 0xaa, vga.pixel(f, 9 * 40 + 1, 200) & 0xffffff);
    }

    @Test
    void mode0dhDoublesDotsAndLines() throws Exception {
        vga.mode0d();
        vga.seq(2, 4); // red
        vga.bench.mmioWrite(VgaBench.GRAPHICS + 40, 1, 0x80);
        Frame f = vga.frame();
        VgaBench.keep("mode0dh", f);
        assertEquals(640, f.width());
        assertEquals(400, f.height());
        for (int y = 2; y < 4; y++) for (int x = 0; x < 2; x++) assertEquals(0xaa0000, vga.pixel(f, x, y));
        assertEquals(BLACK, vga.pixel(f, 0, 1));
        assertEquals(BLACK, vga.pixel(f, 0, 4));
        assertEquals(BLACK, vga.pixel(f, 2, 2));
    }

    @Test
    void mode13hShowsBytes() throws Exception {
        vga.mode13();
        vga.bench.outb(0x3c8, 0);
        for (int i = 0; i < 256; i++) {
            vga.bench.outb(0x3c9, i >> 2);
            vga.bench.outb(0x3c9, 63 - (i >> 2));
            vga.bench.outb(0x3c9, 21);
        }
        for (int y = 0; y < 200; y++) for (int x = 0; x < 320; x += 4) {
            long four = 0;
            for (int i = 0; i < 4; i++) four |= (long) (x + i + y & 255) << i * 8;
            vga.bench.mmioWrite(VgaBench.GRAPHICS + y * 320 + x, 4, four);
        }
        Frame f = vga.frame();
        VgaBench.keep("mode13h", f);
        assertEquals(640, f.width());
        assertEquals(400, f.height());
        for (int y = 0; y < 200; y += 7) for (int x = 0; x < 320; x++) {
            int i = x + y & 255;
            int six = i >> 2;
            int rest = 63 - six;
            int expected = (six << 2 | six >> 4) << 16 | (rest << 2 | rest >> 4) << 8 | 0x55;
            assertEquals(expected, vga.pixel(f, 2 * x + 1, 2 * y + 1), x + "," + y);
        }
    }
}
