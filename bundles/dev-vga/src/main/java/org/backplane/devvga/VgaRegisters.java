package org.backplane.devvga;

import java.util.function.IntSupplier;
import org.backplane.devicekit.Access;
import org.backplane.devicekit.Field;
import org.backplane.devicekit.Register;
import org.backplane.devicekit.RegisterBank;
import org.backplane.devicekit.RegisterFile;
import org.backplane.kvm.spi.device.IoHandler;

/**
 * All registers of the card: the general registers here, the others in their units. One bank is the range 3C0h to 3CFh; the CRTC
 * and input status 1 answer at 3D0h for a colour monitor or at 3B0h for a monochrome one, as the miscellaneous output register
 * says.
 *
 * <p>Source: IBM, PS/2 Hardware Interface Technical Reference, Video Subsystem (1992), General Registers.
 */
final class VgaRegisters {
    private static final int FLOATING = 0xff;
    private static final int DOT_CLOCK_640 = 25_175_000;
    private static final int DOT_CLOCK_720 = 28_322_000;

    final RegisterFile file = new RegisterFile("vga");
    /** 3C0h to 3CFh. */
    final RegisterBank ports = new RegisterBank(file, 16);
    /** 3DAh or 3BAh. */
    private final RegisterBank statusPort = new RegisterBank(file, 1);

    final Crtc crtc;
    final Sequencer sequencer;
    final GraphicsController graphics;
    final AttributeController attributes;
    final Dac dac;

    private final Register misc;
    private final Field color;
    private final Field ramEnable;
    private final Field clock;

    /**
     * @param memoryChanged called when the CPU's access to memory may have changed
     * @param inputStatus the changing bits of input status 1
     */
    VgaRegisters(Runnable memoryChanged, IntSupplier inputStatus) {
        misc = file.register("misc-output", 8)
                .bits("color", 0)
                .bits("ram-enable", 1)
                .bits("clock", 2, 2)
                .bits("page", 5)
                .bits("hsync-negative", 6)
                .bits("vsync-negative", 7)
                .resetValue(0x67)
                .onWrite(v -> memoryChanged.run());
        color = misc.field("color");
        ramEnable = misc.field("ram-enable");
        clock = misc.field("clock");
        // Switch sense says "colour monitor", as far as anybody asks; no vertical interrupt is ever pending.
        Register status0 = file.register("input-status-0", 8)
                .bits("sense", 4, 1, Access.RESERVED_ONES)
                .bits("vertical-interrupt", 7, 1, Access.READ_ONLY);
        Register feature = file.register("feature-control", 8)
                .bits("connector", 0, 2, Access.UNIMPLEMENTED)
                .bits("vsync-select", 3, 1, Access.UNIMPLEMENTED);
        Register subsystem = file.register("video-subsystem-enable", 8).bits("enable", 0).resetValue(1);

        attributes = new AttributeController(file, ports, 0);
        ports.readAt(2, status0).writeAt(2, misc).at(3, subsystem);
        sequencer = new Sequencer(file, ports, 4, memoryChanged);
        dac = new Dac(file, ports, 6);
        ports.readAt(0xa, feature).readAt(0xc, misc);
        graphics = new GraphicsController(file, ports, 0xe, memoryChanged);
        crtc = new Crtc(file);

        Register status1 = file.register("input-status-1", 8).derived().onRead(() -> {
            attributes.resetFlipFlop();
            return inputStatus.getAsInt();
        });
        statusPort.readAt(0, status1).writeAt(0, feature);
    }

    /** The card answers the CPU's accesses to video memory. */
    boolean ramEnabled() {
        return ramEnable.isSet();
    }

    /** In Hz. */
    int dotClock() {
        return clock.get() == 1 ? DOT_CLOCK_720 : DOT_CLOCK_640;
    }

    /** The CRTC's ports in the colour or in the monochrome range. */
    IoHandler crtcPorts(boolean inColorRange) {
        return new Selected(crtc.ports, inColorRange);
    }

    /** Input status 1 and feature control in the colour or in the monochrome range. */
    IoHandler statusPort(boolean inColorRange) {
        return new Selected(statusPort, inColorRange);
    }

    /** Ports that float while the other range is selected. */
    private final class Selected implements IoHandler {
        private final RegisterBank bank;
        private final boolean inColorRange;

        Selected(RegisterBank bank, boolean inColorRange) {
            this.bank = bank;
            this.inColorRange = inColorRange;
        }

        @Override
        public long read(int vcpu, long offset, int size) {
            return color.isSet() == inColorRange ? bank.read(vcpu, offset, size) : FLOATING;
        }

        @Override
        public void write(int vcpu, long offset, int size, long value) {
            if (color.isSet() == inColorRange) bank.write(vcpu, offset, size, value);
        }
    }
}
