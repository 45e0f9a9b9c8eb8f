package com.example.gpio;

import org.backplane.devicekit.Register;
import org.backplane.devicekit.RegisterBank;
import org.backplane.devicekit.RegisterFile;
import org.backplane.kvm.spi.device.CardControls;
import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceContext;
import org.backplane.kvm.spi.device.IrqLine;
import org.backplane.kvm.spi.device.StateException;
import org.backplane.kvm.spi.device.VmTimer;

/**
 * Two ports of eight pins. Port A has an LED at each pin, port B a button that pulls its pin high; {@link FrontPanel} shows both.
 *
 * <p><b>State.</b> What is pressed belongs to the outside: a reset of the machine does not let go of a button, but a new version of the card
 * takes it over. When a button that was pressed briefly comes up is a timer of the core's.
 */
final class Gpio implements Device {
    static final int LENGTH = 2 * Port.LENGTH;

    /** How long a press lasts, on the VM's clock. */
    static final long PRESS_NANOS = 200_000_000;

    private final RegisterFile file = new RegisterFile("gpio");
    private final Port a = new Port(file, "a", this::refresh);
    private final Port b = new Port(file, "b", this::refresh);
    private final Register buttons = file.register("buttons", 8).retained();
    private final RegisterBank regs = new RegisterBank(file, LENGTH);
    private final FrontPanel panel = new FrontPanel(() -> a.levels() & a.outputs(), buttons::intValue);
    private final VmTimer[] comesUp = new VmTimer[FrontPanel.BUTTONS];

    private DeviceContext context;
    private IrqLine irq;

    Gpio() {
        a.placeIn(regs, 0);
        b.placeIn(regs, Port.LENGTH);
    }

    @Override
    public void attach(DeviceContext c) {
        context = c;
        file.attach(c);
        irq = c.irq("irq");
        for (int i = 0; i < comesUp.length; i++) {
            int button = i;
            comesUp[i] = c.timer("comes_up" + i, () -> release(button));
        }
        c.claimPorts("regs", 1, regs);
        c.provide(CardControls.class, panel.controls(this::press, this::hold, this::release));
    }

    private void refresh() {
        irq.set(a.interrupts() || b.interrupts());
    }

    // ---- the front panel ----

    private void press(int button) {
        move(button, true);
        comesUp[button].arm(context.clock().nanos() + PRESS_NANOS);
    }

    private void hold(int button) {
        move(button, true);
        comesUp[button].cancel();
    }

    private void release(int button) {
        move(button, false);
        comesUp[button].cancel();
    }

    private void move(int button, boolean down) {
        long bit = 1L << button;
        if (down) buttons.setBits(bit);
        else buttons.clearBits(bit);
        b.outside(buttons.intValue());
        refresh();
    }

    // ---- life ----

    @Override
    public void reset() {
        file.reset();
        refresh();
    }

    @Override
    public void save(CardState state) {
        file.save(state);
    }

    @Override
    public void load(CardState state) throws StateException {
        file.load(state);
        b.restoreOutside(buttons.intValue());
        refresh();
    }
}
