package org.backplane.devvga;

import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceContext;
import org.backplane.kvm.spi.device.DisplaySource;
import org.backplane.kvm.spi.device.StateException;

/**
 * A VGA.
 *
 * <p><b>After reset</b> it is in text mode 3 with colours and font loaded and a blank screen, as a VGA BIOS leaves it: a kernel
 * that is started without a BIOS has a console, and a BIOS without a font of its own has nothing to load. {@code retain=on} keeps
 * what was on the screen over a reset of the machine.
 *
 * <p><b>State:</b> all registers by name, {@code vram} (byte {@code 4 * offset + plane}), {@code latch}, and the DAC's colours. The
 * beam is a function of the clock.
 *
 * <p><b>Not there:</b> the vertical retrace interrupt (no PC program of note relies on it, and many cards never had it), light pen,
 * cursor skew.
 */
final class VgaDevice implements Device {
    private static final int BYTES = 1;
    private static final int UP_TO_INTS = 1 | 2 | 4;
    private static final int FONT_PLANE = 2;
    private static final int GLYPH = 32;
    private static final int BLANK = 0x20;
    /** Grey on black. */
    private static final int NORMAL = 0x07;

    private final VgaMemory memory = new VgaMemory();
    private final VgaRegisters registers = new VgaRegisters(this::memoryChanged, this::inputStatus);
    private Beam beam;
    private boolean retain;
    /** There may be a picture to retain: the card has been reset or loaded before. */
    private boolean used;

    @Override
    public void attach(DeviceContext context) {
        registers.file.attach(context);
        beam = new Beam(registers, context.clock());
        retain = onOff(context, VgaFactory.RETAIN);
        context.claimPorts(VgaFactory.MONO_CRTC, BYTES, registers.crtcPorts(false));
        context.claimPorts(VgaFactory.MONO_STATUS, BYTES, registers.statusPort(false));
        context.claimPorts(VgaFactory.REGS, BYTES, registers.ports);
        context.claimPorts(VgaFactory.CRTC, BYTES, registers.crtcPorts(true));
        context.claimPorts(VgaFactory.STATUS, BYTES, registers.statusPort(true));
        context.claimMmio(VgaFactory.VRAM, UP_TO_INTS, memory);
        context.provide(DisplaySource.class, new Renderer(registers, memory, beam, onOff(context, VgaFactory.BLINK)));
    }

    private static boolean onOff(DeviceContext context, String property) {
        String value = context.property(property);
        if (value.equals("on")) return true;
        if (value.equals("off")) return false;
        throw new IllegalArgumentException(context.slot() + ": " + property + " is on or off, not " + value);
    }

    @Override
    public void reset() {
        registers.file.reset();
        registers.dac.reset();
        memoryChanged();
        if (!retain || !used) clearScreen();
        loadFont();
        used = true;
    }

    private void clearScreen() {
        memory.clear();
        for (int i = 0; i < VgaMemory.PLANE_SIZE / 2; i += 2) {
            memory.setPlaneByte(0, i, BLANK);
            memory.setPlaneByte(1, i, NORMAL);
        }
    }

    private void loadFont() {
        byte[] font = Font8x16.load();
        for (int i = 0; i < font.length; i++) {
            memory.setPlaneByte(FONT_PLANE, i / Font8x16.HEIGHT * GLYPH + i % Font8x16.HEIGHT, font[i]);
        }
    }

    private void memoryChanged() {
        memory.configure(registers.sequencer, registers.graphics, registers.ramEnabled());
    }

    private int inputStatus() {
        return beam.status();
    }

    @Override
    public void save(CardState state) {
        registers.file.save(state);
        registers.dac.save(state);
        state.put("vram", memory.bytes());
        state.put("latch", memory.latch());
    }

    @Override
    public void load(CardState state) throws StateException {
        registers.file.load(state);
        registers.dac.load(state);
        state.getBytesInto("vram", memory.bytes());
        memory.setLatch(state.getInt("latch", 0));
        memoryChanged();
        used = true;
    }
}
