package org.backplane.devicekit.example;

import org.backplane.devicekit.Access;
import org.backplane.devicekit.Field;
import org.backplane.devicekit.Register;
import org.backplane.devicekit.RegisterBank;
import org.backplane.devicekit.RegisterFile;
import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.CharPort;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceContext;
import org.backplane.kvm.spi.device.IrqLine;
import org.backplane.kvm.spi.device.StateException;
import org.backplane.kvm.spi.device.VmClock;
import org.backplane.kvm.spi.device.VmTimer;

/**
 * A small UART with most of what a card is made of: registers, a line, a timer, a host back end, state. A character takes {@code divisor}
 * microseconds on the wire; the transmitter holds one beside the one being sent.
 */
final class MiniUart implements Device {
    private static final long MICROSECOND = 1000;

    // ---- the registers: everything about bits is said here, and nothing below decodes any ----

    private final RegisterFile file = new RegisterFile("mini-uart");
    private final Register rx = file.register("rx", 8).readOnly().afterRead(this::taken);
    private final Register tx = file.register("tx", 8).onWrite(this::send);
    private final Register status = file.register("status", 8)
            .bits("rx-full", 0, 1, Access.READ_ONLY)
            .bits("tx-empty", 1, 1, Access.READ_ONLY)
            .bits("overrun", 2, 1, Access.READ_TO_CLEAR)
            .bits("sent", 3, 1, Access.WRITE_ONE_TO_CLEAR)
            .resetValue(0b0010)
            .onWrite(v -> update());
    private final Register control = file.register("control", 8)
            .bits("rx-irq", 0)
            .bits("sent-irq", 1)
            .bits("loop", 2)
            .bits("parity", 4, 2, Access.UNIMPLEMENTED)
            .bits("led", 7, 1, Access.WRITE_ONE_TO_TOGGLE)
            .onWrite(v -> update());
    private final Register divisor = file.register("divisor", 16).resetValue(87);
    private final RegisterBank regs = new RegisterBank(file, 8)
            .readAt(0, rx).writeAt(0, tx)
            .at(1, status)
            .at(2, control)
            .at(4, divisor)
            .at(6, file.array("scratch", 2, 8));

    private final Field rxFull = status.field("rx-full");
    private final Field txEmpty = status.field("tx-empty");
    private final Field overrun = status.field("overrun");
    private final Field sent = status.field("sent");
    private final Field rxIrq = control.field("rx-irq");
    private final Field sentIrq = control.field("sent-irq");
    private final Field loop = control.field("loop");

    private VmClock clock;
    private VmTimer wire;
    private IrqLine irq;
    private CharPort port;

    @Override
    public void attach(DeviceContext context) {
        file.attach(context);
        clock = context.clock();
        wire = context.timer("wire", this::arrived);
        irq = context.irq("irq");
        port = context.character("chardev");
        port.onInput(this::receive);
        context.claimPorts("regs", 1 | 2, regs);
    }

    // ---- the transmitter ----

    private void send(long character) {
        if (!txEmpty.isSet()) overrun.set(true);
        txEmpty.set(false);
        wire.arm(clock.nanos() + divisor.value() * MICROSECOND);
    }

    /** The character is at the other end. */
    private void arrived() {
        txEmpty.set(true);
        sent.set(true);
        if (loop.isSet()) received(tx.intValue());
        else port.write(tx.intValue());
        update();
    }

    // ---- the receiver ----

    /** Takes a character from the host if there is room; what there is no room for waits in the back end. */
    private void receive() {
        int character = rxFull.isSet() ? -1 : port.read();
        if (character >= 0) received(character);
        update();
    }

    private void received(int character) {
        overrun.set(overrun.isSet() || rxFull.isSet());
        rx.set(character);
        rxFull.set(true);
    }

    /** The guest has read the character. */
    private void taken() {
        rxFull.set(false);
        receive();
    }

    private void update() {
        irq.set(rxIrq.isSet() && rxFull.isSet() || sentIrq.isSet() && sent.isSet());
    }

    // ---- life ----

    /** What has come in before is not for the guest that starts now. */
    @Override
    public void reset() {
        file.reset();
        wire.cancel();
        while (port.read() >= 0) continue;
        update();
    }

    @Override
    public void save(CardState state) {
        file.save(state);
    }

    /** Registers by name; the wire's deadline is kept by the core. What follows from the registers is derived again. */
    @Override
    public void load(CardState state) throws StateException {
        file.load(state);
        update();
    }

    /** What came in while the card was being replaced. */
    @Override
    public void resume() {
        receive();
    }
}
