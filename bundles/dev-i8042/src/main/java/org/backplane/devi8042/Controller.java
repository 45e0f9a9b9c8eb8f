package org.backplane.devi8042;

import org.backplane.devicekit.Access;
import org.backplane.devicekit.Field;
import org.backplane.devicekit.Register;
import org.backplane.devicekit.RegisterArray;
import org.backplane.devicekit.RegisterBank;
import org.backplane.devicekit.RegisterFile;
import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.DeviceContext;
import org.backplane.kvm.spi.device.IrqLine;
import org.backplane.kvm.spi.device.Platform;
import org.backplane.kvm.spi.device.StateException;
import org.backplane.kvm.spi.device.VmClock;
import org.backplane.kvm.spi.device.VmTimer;

/**
 * The 8042: a microcontroller between the CPU and two serial lines, one to the keyboard and one to the mouse.
 *
 * <p><b>The output buffer</b> holds one byte for the CPU, and the status register tells from whom. While it is full, its sender's
 * interrupt line is high (if the command byte enables it); reading port 60h empties it and lowers the line. So every byte makes an
 * edge of its own.
 *
 * <p><b>What fills it.</b> Answers of the controller itself come first and at once. A byte of a device comes over its line, {@link
 * #BYTE_NANOS} after the buffer became empty: a program that reads port 60h twice sees the same byte twice, as it should. A
 * disabled line is held: its device waits. If both have something to say, the keyboard is first.
 *
 * <p><b>Translation.</b> With bit 6 of the command byte set, bytes from the keyboard (answers too) are translated from set 2 to set
 * 1; a break prefix is kept and sets bit 7 of the byte after it.
 *
 * <p>A20 and reset: the chipset has one A20 gate ({@link Platform#setA20}), which the output port and port 92h both switch; the
 * last one wins.
 *
 * <p>Sources: IBM PC AT Technical Reference (1984), Keyboard Controller; IBM, PS/2 Hardware Interface Technical Reference, Keyboard
 * and Auxiliary Device Controller.
 */
final class Controller {
    /** Time that a byte needs on a serial line: 11 bits at some 20 kHz. */
    static final long BYTE_NANOS = 500_000;

    /** As a BIOS leaves it: keyboard interrupt on, mouse off, translation on, self test passed. */
    private static final int COMMAND_BYTE_AFTER_POST = 0x65;
    /** Not locked, self test passed. */
    private static final int STATUS_AFTER_POST = 0x14;
    /** Input port: keyboard not locked, colour display, no manufacturing jumper, all RAM there. */
    private static final int INPUT_PORT = 0xb0;
    /** Output port, apart from what is computed: lines to the devices idle, reset not pulled. */
    private static final int OUTPUT_PORT = 0xcd;

    private static final int OUTPUT_A20 = 0x02;
    private static final int OUTPUT_NOT_RESET = 0x01;
    private static final int PORT_92_A20 = 0x02;

    private static final int SELF_TEST_PASSED = 0x55;
    private static final int LINE_TEST_PASSED = 0x00;
    private static final int COMMAND_BYTE = 0;
    private static final int RAM_SIZE = 32;

    private final Keyboard keyboard;
    private final Mouse mouse;
    private final Platform platform;
    private final VmClock clock;
    private final VmTimer transfer;
    private final IrqLine keyboardIrq;
    private final IrqLine mouseIrq;

    /** Answers of the controller: at most one waits while the output buffer is full of something else. */
    private final ByteQueue answers = new ByteQueue("answers", 4);

    private final Register output;
    private final Register status;
    private final RegisterArray ram;
    private final Register commandByte;
    /** Command whose parameter the next write to port 60h is, or 0. */
    private final Register pending;
    /** The keyboard sent a break prefix that was kept. */
    private final Register breakSeen;

    private final Field full;
    private final Field fromMouse;
    private final Field selfTested;
    private final Field wasCommand;
    private final Field keyboardInterrupt;
    private final Field mouseInterrupt;
    private final Field keyboardOff;
    private final Field mouseOff;
    private final Field translate;

    /** Port 60h. */
    final RegisterBank dataPort;
    /** Port 64h. */
    final RegisterBank commandPort;
    /** Port 92h of the PS/2: A20 and reset without the detour. */
    final RegisterBank port92;

    Controller(RegisterFile file, DeviceContext context, Keyboard keyboard, Mouse mouse) {
        this.keyboard = keyboard;
        this.mouse = mouse;
        platform = context.platform();
        clock = context.clock();
        transfer = context.timer("transfer", this::transferDone);
        keyboardIrq = context.irq(I8042Factory.KEYBOARD_IRQ);
        mouseIrq = context.irq(I8042Factory.MOUSE_IRQ);

        output = file.register("output-buffer", 8).onRead(this::readData);
        Register input = file.register("input-buffer", 8).derived().onWrite(v -> data((int) v));
        status = file.register("status", 8)
                .bits("output-full", 0, 1, Access.READ_ONLY)
                .bits("input-full", 1, 1, Access.READ_ONLY)
                .bits("self-tested", 2, 1, Access.READ_ONLY)
                .bits("command", 3, 1, Access.READ_ONLY)
                .bits("unlocked", 4, 1, Access.READ_ONLY)
                .bits("output-from-mouse", 5, 1, Access.READ_ONLY)
                .bits("timeout", 6, 1, Access.READ_ONLY)
                .bits("parity-error", 7, 1, Access.READ_ONLY)
                .resetValue(STATUS_AFTER_POST);
        Register command = file.register("command", 8).derived().onWrite(v -> command((int) v));
        ram = file.array("ram", RAM_SIZE, 8);
        commandByte = ram.get(COMMAND_BYTE)
                .bits("keyboard-interrupt", 0)
                .bits("mouse-interrupt", 1)
                .bits("self-tested", 2)
                .bits("ignore-lock", 3)
                .bits("keyboard-off", 4)
                .bits("mouse-off", 5)
                .bits("translate", 6)
                .resetValue(COMMAND_BYTE_AFTER_POST)
                .onWrite(v -> commandByteWritten());
        pending = file.register("pending-command", 8);
        breakSeen = file.register("break-seen", 8);
        full = status.field("output-full");
        fromMouse = status.field("output-from-mouse");
        selfTested = status.field("self-tested");
        wasCommand = status.field("command");
        keyboardInterrupt = commandByte.field("keyboard-interrupt");
        mouseInterrupt = commandByte.field("mouse-interrupt");
        keyboardOff = commandByte.field("keyboard-off");
        mouseOff = commandByte.field("mouse-off");
        translate = commandByte.field("translate");
        dataPort = new RegisterBank(file, 1).readAt(0, output).writeAt(0, input);
        commandPort = new RegisterBank(file, 1).readAt(0, status).writeAt(0, command);
        Register chipset = file.register("port-92", 8).derived().onRead(() -> platform.a20() ? PORT_92_A20 : 0).onWrite(this::writePort92);
        port92 = new RegisterBank(file, 1).at(0, chipset);
    }

    // ---- what the CPU does ----

    private long readData() {
        int b = output.intValue();
        if (full.isSet()) {
            full.set(false);
            fromMouse.set(false);
            updateIrqs();
            refill();
        }
        return b;
    }

    /** A write to port 60h: the parameter of a controller command, or something for the keyboard. */
    private void data(int b) {
        wasCommand.set(false);
        int command = pending.intValue();
        pending.set(0);
        switch (command) {
            case 0 -> sendToKeyboard(b);
            case 0xd1 -> writeOutputPort(b);
            case 0xd2 -> fill(b, false);
            case 0xd3 -> fill(b, true);
            case 0xd4 -> sendToMouse(b);
            default -> ram.get(command & RAM_SIZE - 1).busWrite(b); // 60h to 7Fh
        }
    }

    private void command(int c) {
        wasCommand.set(true);
        pending.set(0);
        if (c >= 0x20 && c < 0x40) {
            answer(ram.value(c & RAM_SIZE - 1));
            return;
        }
        if (c >= 0x60 && c < 0x80 || c >= 0xd1 && c <= 0xd4) {
            pending.set(c);
            return;
        }
        if (c >= 0xf0) {
            // Pulses low the lines of the output port whose bit is 0; only bit 0, reset, is wired so.
            if ((c & OUTPUT_NOT_RESET) == 0) platform.reset("keyboard controller");
            return;
        }
        switch (c) {
            case 0xa7 -> disable(mouseOff, true);
            case 0xa8 -> disable(mouseOff, false);
            case 0xa9, 0xab -> answer(LINE_TEST_PASSED);
            case 0xaa -> selfTest();
            case 0xad -> disable(keyboardOff, true);
            case 0xae -> disable(keyboardOff, false);
            case 0xc0 -> answer(INPUT_PORT);
            case 0xd0 -> answer(outputPort());
            case 0xdd -> platform.setA20(false);
            case 0xdf -> platform.setA20(true);
            default -> {} // the microcontroller ignores what it does not know
        }
    }

    private void commandByteWritten() {
        selfTested.set(commandByte.field("self-tested").get());
        updateIrqs();
        schedule();
    }

    private void disable(Field line, boolean off) {
        line.set(off);
        schedule();
    }

    /** Both lines are off afterwards; what was in the buffer is lost. */
    private void selfTest() {
        full.set(false);
        fromMouse.set(false);
        answers.clear();
        breakSeen.set(0);
        keyboardOff.set(true);
        mouseOff.set(true);
        selfTested.set(true);
        commandByte.field("self-tested").set(true);
        answer(SELF_TEST_PASSED);
    }

    /** Sending to a device switches its line on. */
    private void sendToKeyboard(int b) {
        keyboardOff.set(false);
        keyboard.receive(b);
        schedule();
    }

    private void sendToMouse(int b) {
        mouseOff.set(false);
        mouse.receive(b);
        schedule();
    }

    private int outputPort() {
        int v = OUTPUT_PORT | (platform.a20() ? OUTPUT_A20 : 0);
        if (full.isSet()) v |= fromMouse.isSet() ? 0x20 : 0x10;
        return v;
    }

    private void writeOutputPort(int v) {
        platform.setA20((v & OUTPUT_A20) != 0);
        if ((v & OUTPUT_NOT_RESET) == 0) platform.reset("keyboard controller");
    }

    private void writePort92(long v) {
        platform.setA20((v & PORT_92_A20) != 0);
        if ((v & 1) != 0) platform.reset("port 92h");
    }

    // ---- the output buffer ----

    private void answer(int b) {
        if (full.isSet()) answers.add(b);
        else fill(b, false);
    }

    private void fill(int b, boolean mouseByte) {
        output.set(b);
        full.set(true);
        fromMouse.set(mouseByte);
        updateIrqs();
    }

    /** The buffer has become empty. */
    private void refill() {
        if (answers.isEmpty()) schedule();
        else fill(answers.take(), false);
    }

    private boolean keyboardReady() {
        return !keyboardOff.isSet() && keyboard.hasByte();
    }

    private boolean mouseReady() {
        return !mouseOff.isSet() && mouse.hasByte();
    }

    /** Lets a device send, if one may and wants to, and the buffer is empty. */
    void schedule() {
        if (!full.isSet() && !transfer.armed() && (keyboardReady() || mouseReady())) transfer.arm(clock.nanos() + BYTE_NANOS);
    }

    private void transferDone() {
        if (full.isSet()) return; // An answer of the controller was faster: the byte is sent again when that has been read.
        if (keyboardReady()) fromKeyboard(keyboard.nextByte());
        else if (mouseReady()) fill(mouse.nextByte(), true);
        schedule();
    }

    private void fromKeyboard(int b) {
        if (!translate.isSet()) {
            fill(b, false);
        } else if (b == Scancodes.BREAK) {
            breakSeen.set(1);
        } else {
            fill(Scancodes.translate(b) | (breakSeen.value() != 0 ? 0x80 : 0), false);
            breakSeen.set(0);
        }
    }

    private void updateIrqs() {
        keyboardIrq.set(full.isSet() && !fromMouse.isSet() && keyboardInterrupt.isSet());
        mouseIrq.set(full.isSet() && fromMouse.isSet() && mouseInterrupt.isSet());
    }

    // ---- life ----

    /** The registers are reset with their file. */
    void reset() {
        answers.clear();
        transfer.cancel();
        platform.setA20(true);
        updateIrqs();
    }

    void save(CardState state) {
        answers.save(state);
        state.put("transfer-at", transfer.armed() ? transfer.deadline() : -1);
    }

    void load(CardState state) throws StateException {
        answers.load(state);
        long at = state.getLong("transfer-at", -1);
        if (at >= 0) transfer.arm(at);
        else transfer.cancel();
        updateIrqs();
    }
}
