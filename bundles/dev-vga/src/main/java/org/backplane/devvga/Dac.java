package org.backplane.devvga;

import org.backplane.devicekit.Access;
import org.backplane.devicekit.Register;
import org.backplane.devicekit.RegisterBank;
import org.backplane.devicekit.RegisterFile;
import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.StateException;

/**
 * The video DAC (Inmos IMSG171): 256 colours of three times six bits. A colour is read or written through one port, red, green and
 * blue in turn; the index then moves to the next.
 */
final class Dac {
    private static final int READING = 3;
    /** Colours that are loaded at reset; the others are black. */
    private static final int EGA_COLORS = 64;

    private final byte[] colors = new byte[256 * 3];
    private final Register mask;
    private final Register index;
    private final Register component;
    private final Register state;

    Dac(RegisterFile file, RegisterBank ports, int offset) {
        mask = file.register("dac.pixel-mask", 8).resetValue(0xff);
        index = file.register("dac.index", 8).onWrite(v -> start(0));
        component = file.register("dac.component", 8);
        state = file.register("dac.state", 8).bits("mode", 0, 2, Access.READ_ONLY);
        Register readIndex = file.register("dac.read-index", 8).derived().onWrite(v -> {
            index.set(v);
            start(READING);
        });
        Register data = file.register("dac.data", 8).derived().onRead(this::read).onWrite(this::write);
        ports.at(offset, mask).readAt(offset + 1, state).writeAt(offset + 1, readIndex).at(offset + 2, index).at(offset + 3, data);
    }

    private void start(int mode) {
        state.set(mode);
        component.set(0);
    }

    private long read() {
        return colors[next()];
    }

    private void write(long v) {
        colors[next()] = (byte) (v & 0x3f);
    }

    private int next() {
        int c = component.intValue();
        int at = index.intValue() * 3 + c;
        component.set(c == 2 ? 0 : c + 1);
        if (c == 2) index.set(index.value() + 1);
        return at;
    }

    /**
     * The colours of a text mode: the EGA's 64, whose number has the bits rgbRGB, capitals for two thirds and small letters for one
     * third of full brightness.
     */
    void reset() {
        for (int i = 0; i < 256; i++) {
            for (int c = 0; c < 3; c++) {
                int strong = i >> 2 - c & 1;
                int weak = i >> 5 - c & 1;
                colors[i * 3 + c] = (byte) (i < EGA_COLORS ? strong * 42 + weak * 21 : 0);
            }
        }
    }

    /** The colour that a number has on the screen, {@code 0xRRGGBB}: six bits become eight by repeating the highest two. */
    int rgb(int number) {
        int at = (number & mask.intValue()) * 3;
        return eight(colors[at]) << 16 | eight(colors[at + 1]) << 8 | eight(colors[at + 2]);
    }

    private static int eight(int six) {
        return six << 2 | six >> 4;
    }

    void save(CardState state) {
        state.put("dac.colors", colors);
    }

    void load(CardState state) throws StateException {
        state.getBytesInto("dac.colors", colors);
    }
}
