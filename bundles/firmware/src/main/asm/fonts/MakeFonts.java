import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Makes the BIOS's fonts of the VGA card's, so that both look alike: {@code font16.bin} is that font, {@code font8.bin} the same squeezed to 8 rows.
 * Run by {@code scripts/assemble-firmware fonts}, with the built card in the class path; the results are committed.
 */
public class MakeFonts {
    /** Rows of a glyph of 16 that become one row of 8, as bits: capitals are rows 2 to 11, descenders go down to 14. */
    private static final int[] ROWS = {0x0007, 0x0010, 0x0020, 0x00c0, 0x0300, 0x0400, 0x0800, 0xf000};

    public static void main(String[] args) throws Exception {
        Method load = Class.forName("org.backplane.devvga.Font8x16").getDeclaredMethod("load");
        load.setAccessible(true);
        byte[] tall = (byte[]) load.invoke(null);
        byte[] low = new byte[tall.length / 2];
        for (int i = 0; i < low.length; i++) {
            for (int row = 0; row < 16; row++) {
                if ((ROWS[i % 8] & 1 << row) != 0) low[i] |= tall[i / 8 * 16 + row];
            }
        }
        Files.write(Path.of(args[0], "font16.bin"), tall);
        Files.write(Path.of(args[0], "font8.bin"), low);
    }
}
