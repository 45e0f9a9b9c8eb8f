package org.backplane.devvga;

import org.backplane.kvm.spi.device.VmClock;

/**
 * Where the electron beam is: a function of the virtual clock and of the CRTC's timing, computed when somebody looks. Frames are
 * counted from virtual time 0, so that the beam needs no state.
 *
 * <p>A text screen has 449 lines of 900 dots at 28.322 MHz, that is 70 frames a second.
 */
final class Beam {
    /** Character clocks of the horizontal total that the register does not count. */
    private static final int UNCOUNTED = 5;
    /** Frames for which a blinking character is shown, and then not; the cursor blinks twice as fast. */
    private static final int BLINK_FRAMES = 16;

    private final Crtc crtc;
    private final Sequencer sequencer;
    private final VgaRegisters registers;
    private final VmClock clock;

    Beam(VgaRegisters registers, VmClock clock) {
        this.registers = registers;
        this.crtc = registers.crtc;
        this.sequencer = registers.sequencer;
        this.clock = clock;
    }

    private int dotsPerLine() {
        int dots = (crtc.horizontalTotal.intValue() + UNCOUNTED) * sequencer.characterWidth();
        return sequencer.halfDotClock() ? dots * 2 : dots;
    }

    /** Dots since virtual time 0, without drift. */
    private long dots() {
        return clock.ticks(registers.dotClock());
    }

    /** Bits 0 (no picture at this moment) and 3 (vertical retrace) of input status 1. */
    int status() {
        int perLine = dotsPerLine();
        long inFrame = dots() % ((long) perLine * crtc.totalLines());
        int line = (int) (inFrame / perLine);
        int visible = perLine * crtc.columns() / (crtc.horizontalTotal.intValue() + UNCOUNTED);
        int status = line >= crtc.lines() || inFrame % perLine >= visible ? 1 : 0;
        int intoRetrace = line - crtc.retraceLine();
        if (intoRetrace >= 0 && intoRetrace < crtc.retraceLines()) status |= 8;
        return status;
    }

    private long frames() {
        return dots() / ((long) dotsPerLine() * crtc.totalLines());
    }

    /** Blinking characters are shown now. */
    boolean blinkShown() {
        return frames() / BLINK_FRAMES % 2 == 0;
    }

    boolean cursorShown() {
        return frames() / (BLINK_FRAMES / 2) % 2 == 0;
    }
}
