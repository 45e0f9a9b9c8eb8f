package org.backplane.devi8042;

import org.backplane.devicekit.Access;
import org.backplane.devicekit.Register;
import org.backplane.devicekit.RegisterFile;
import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.StateException;

/**
 * A standard PS/2 mouse that nobody moves: it answers all commands, so that drivers find it at once, and reports no movement unless
 * asked.
 *
 * <p>Source: IBM, PS/2 Hardware Interface Technical Reference, Mouse, Commands.
 */
final class Mouse implements Ps2Device {
    private static final int ACK = 0xfa;
    private static final int RESEND = 0xfe;
    private static final int SELF_TEST_PASSED = 0xaa;
    private static final int SET_RESOLUTION = 0xe8;
    private static final int SET_RATE = 0xf3;
    private static final int RESET_WRAP = 0xec;
    private static final int RESET = 0xff;
    private static final int DEFAULT_RATE = 100;
    private static final int DEFAULT_RESOLUTION = 2;
    /** First byte of a report: no button, no movement. Bit 3 is always set. */
    private static final int STILL = 0x08;

    private final ByteQueue answers = new ByteQueue("mouse.answers", 16);
    private final Register status;
    private final Register rate;
    private final Register resolution;
    private final Register wrap;
    /** Command whose parameter comes next, or 0. */
    private final Register command;

    private final Register last;

    Mouse(RegisterFile file) {
        status = file.register("mouse.status", 8)
                .bits("buttons", 0, 3, Access.READ_ONLY)
                .bits("double", 4)
                .bits("enabled", 5)
                .bits("remote", 6);
        rate = file.register("mouse.rate", 8).resetValue(DEFAULT_RATE);
        resolution = file.register("mouse.resolution", 8).bits("log2-per-mm", 0, 2).resetValue(DEFAULT_RESOLUTION);
        wrap = file.register("mouse.wrap", 8);
        command = file.register("mouse.command", 8);
        last = file.register("mouse.last", 8);
    }

    @Override
    public boolean hasByte() {
        return !answers.isEmpty();
    }

    @Override
    public int nextByte() {
        int b = answers.take();
        if (b != RESEND) last.set(b);
        return b;
    }

    @Override
    public void receive(int b) {
        int expecting = command.intValue();
        command.set(0);
        if (wrap.value() != 0 && b != RESET_WRAP && b != RESET) {
            answers.add(b);
        } else if (expecting != 0) {
            (expecting == SET_RATE ? rate : resolution).busWrite(b);
            answers.add(ACK);
        } else {
            // An answer that was not fetched is given up when the next command comes.
            answers.clear();
            command(b);
        }
    }

    private void command(int c) {
        answers.add(known(c) ? ACK : RESEND);
        switch (c) {
            case 0xe6 -> status.field("double").set(false);
            case 0xe7 -> status.field("double").set(true);
            case SET_RESOLUTION, SET_RATE -> command.set(c);
            case 0xe9 -> { // status
                answers.add(status.intValue());
                answers.add(resolution.intValue());
                answers.add(rate.intValue());
            }
            case 0xea -> status.field("remote").set(false);
            case 0xeb -> { // read data
                answers.add(STILL);
                answers.add(0);
                answers.add(0);
            }
            case RESET_WRAP -> wrap.set(0);
            case 0xee -> wrap.set(1);
            case 0xf0 -> status.field("remote").set(true);
            case 0xf2 -> answers.add(0); // identify: a mouse without wheel
            case 0xf4 -> status.field("enabled").set(true);
            case 0xf5 -> status.field("enabled").set(false);
            case 0xf6 -> defaults();
            case 0xfe -> { // resend
                answers.clear();
                answers.add(last.intValue());
            }
            case RESET -> {
                defaults();
                wrap.set(0);
                answers.add(SELF_TEST_PASSED);
                answers.add(0);
            }
            default -> {}
        }
    }

    private static boolean known(int c) {
        return switch (c) {
            case 0xe6, 0xe7, SET_RESOLUTION, 0xe9, 0xea, 0xeb, RESET_WRAP, 0xee, 0xf0, 0xf2, SET_RATE, 0xf4, 0xf5, 0xf6, 0xfe, RESET -> true;
            default -> false;
        };
    }

    private void defaults() {
        status.set(0);
        rate.set(DEFAULT_RATE);
        resolution.set(DEFAULT_RESOLUTION);
    }

    /** Power-on, self test passed and fetched. The registers are reset with their file. */
    void reset() {
        answers.clear();
    }

    void save(CardState state) {
        answers.save(state);
    }

    void load(CardState state) throws StateException {
        answers.load(state);
    }
}
