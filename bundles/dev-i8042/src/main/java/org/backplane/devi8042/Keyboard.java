package org.backplane.devi8042;

import org.backplane.devicekit.Register;
import org.backplane.devicekit.RegisterFile;
import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.StateException;

/**
 * A 101-key keyboard: turns keys into scan codes and answers commands.
 *
 * <p>Answers go before scan codes. Scan codes wait in a buffer of 16 bytes; a key whose whole sequence does not fit is not taken
 * (the host offers it again, where a real keyboard would beep). Keys are ignored while scanning is disabled. Repeating is the
 * host's affair: a key held down comes as several presses. In set 3 all keys send make and break codes, as after command F8.
 *
 * <p>Source: IBM, PS/2 Hardware Interface Technical Reference, Keyboards (101/102-Key), Commands from the System.
 */
final class Keyboard implements Ps2Device {
    private static final int ACK = 0xfa;
    private static final int RESEND = 0xfe;
    private static final int SELF_TEST_PASSED = 0xaa;
    private static final int ECHO = 0xee;
    private static final int SET_LEDS = 0xed;
    private static final int SCANCODE_SET = 0xf0;
    private static final int SET_RATE = 0xf3;
    /** Bytes from here on are commands, also where a parameter is expected. */
    private static final int FIRST_COMMAND = 0xed;
    /** 500 ms until the first repetition, then 10.9 a second. */
    private static final int DEFAULT_RATE = 0x2b;

    private final ByteQueue answers = new ByteQueue("keyboard.answers", 16);
    private final ByteQueue codes = new ByteQueue("keyboard.codes", 16);
    private final Register set;
    private final Register leds;
    private final Register rate;
    private final Register scanning;
    /** Command whose parameter comes next, or 0. */
    private final Register command;

    private final Register last;
    private final int[] sequence = new int[Scancodes.LONGEST];

    Keyboard(RegisterFile file) {
        set = file.register("keyboard.set", 8).resetValue(2);
        leds = file.register("keyboard.leds", 8).bits("scroll", 0).bits("num", 1).bits("caps", 2);
        rate = file.register("keyboard.rate", 8).bits("rate", 0, 5).bits("delay", 5, 2).resetValue(DEFAULT_RATE);
        scanning = file.register("keyboard.scanning", 8).resetValue(1);
        command = file.register("keyboard.command", 8);
        last = file.register("keyboard.last", 8);
    }

    /** See {@link org.backplane.kvm.spi.device.KeyboardInput#key}. */
    boolean key(int key, boolean down) {
        if (scanning.value() == 0) return true;
        int n = Scancodes.sequence(set.intValue(), key, down, sequence);
        if (n > codes.free()) return false;
        for (int i = 0; i < n; i++) codes.add(sequence[i]);
        return true;
    }

    @Override
    public boolean hasByte() {
        return !answers.isEmpty() || !codes.isEmpty();
    }

    @Override
    public int nextByte() {
        int b = answers.isEmpty() ? codes.take() : answers.take();
        if (b != RESEND) last.set(b);
        return b;
    }

    @Override
    public void receive(int b) {
        int expecting = command.intValue();
        command.set(0);
        if (expecting != 0 && b < FIRST_COMMAND) parameter(expecting, b);
        else command(b);
    }

    private void command(int c) {
        switch (c) {
            case SET_LEDS, SCANCODE_SET, SET_RATE -> {
                command.set(c);
                answers.add(ACK);
            }
            case ECHO -> answers.add(ECHO);
            case 0xf2 -> { // identify
                answers.add(ACK);
                answers.add(0xab);
                answers.add(0x83);
            }
            case 0xf4 -> { // enable
                codes.clear();
                scanning.set(1);
                answers.add(ACK);
            }
            case 0xf5 -> { // defaults, disable
                defaults();
                scanning.set(0);
                answers.add(ACK);
            }
            case 0xf6 -> { // defaults
                defaults();
                answers.add(ACK);
            }
            case 0xf7, 0xf8, 0xf9, 0xfa -> answers.add(ACK); // kinds of keys in set 3
            case 0xfe -> answers.add(last.intValue()); // resend
            case 0xff -> { // reset
                defaults();
                scanning.set(1);
                leds.set(0);
                answers.clear();
                answers.add(ACK);
                answers.add(SELF_TEST_PASSED);
            }
            default -> answers.add(RESEND);
        }
    }

    private void parameter(int c, int b) {
        if (c == SCANCODE_SET && b > 3) {
            answers.add(RESEND);
            return;
        }
        answers.add(ACK);
        switch (c) {
            case SET_LEDS -> leds.busWrite(b);
            case SET_RATE -> rate.busWrite(b);
            default -> {
                if (b == 0) answers.add(set.intValue());
                else set.set(b);
                codes.clear();
            }
        }
    }

    private void defaults() {
        codes.clear();
        set.set(2);
        rate.set(DEFAULT_RATE);
    }

    /** Power-on, self test passed and fetched. The registers are reset with their file. */
    void reset() {
        answers.clear();
        codes.clear();
    }

    void save(CardState state) {
        answers.save(state);
        codes.save(state);
    }

    void load(CardState state) throws StateException {
        answers.load(state);
        codes.load(state);
    }
}
