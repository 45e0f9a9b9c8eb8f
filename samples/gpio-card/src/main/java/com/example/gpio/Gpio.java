package com.example.gpio;

import java.util.concurrent.CompletableFuture;
import org.backplane.devicekit.Register;
import org.backplane.devicekit.RegisterBank;
import org.backplane.devicekit.RegisterFile;
import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceContext;
import org.backplane.kvm.spi.device.IrqLine;
import org.backplane.kvm.spi.device.RevokedException;
import org.backplane.kvm.spi.device.StateException;
import org.backplane.kvm.spi.device.VmTimer;

/**
 * Two ports of eight pins. Port A has an LED at each pin, port B a button that pulls its pin high.
 *
 * <p><b>Threads.</b> The device is the machine's thread's. The front panel is the shell's: it sees {@link #view}, one volatile word that is
 * written after every change, and whatever it wants done to a button is posted.
 *
 * <p><b>In service</b> is the device from resume to quiesce, and only then its panel is known to the shell. So during a swap, when there
 * are two instances, there are never two panels.
 *
 * <p><b>State.</b> What is pressed belongs to the outside: a reset of the machine does not let go of a button, but a new version of the card
 * takes it over. When a button that was pressed briefly comes up is a timer of the core's.
 */
final class Gpio implements Device, Panel {
    static final int LENGTH = 2 * Port.LENGTH;
    static final int PINS = 8;

    /** How long a press lasts, on the VM's clock. */
    static final long PRESS_NANOS = 200_000_000;

    private final RegisterFile file = new RegisterFile("gpio");
    private final Port a = new Port(file, "a", this::refresh);
    private final Port b = new Port(file, "b", this::refresh);
    private final Register buttons = file.register("buttons", 8).retained();
    private final RegisterBank regs = new RegisterBank(file, LENGTH);
    private final VmTimer[] comesUp = new VmTimer[PINS];
    private final Panels panels;

    private DeviceContext context;
    private IrqLine irq;
    private String name;
    private volatile int view;

    Gpio(Panels panels) {
        this.panels = panels;
        a.placeIn(regs, 0);
        b.placeIn(regs, Port.LENGTH);
    }

    @Override
    public void attach(DeviceContext c) {
        context = c;
        name = c.property("panel").isEmpty() ? c.slot() : c.property("panel");
        irq = c.irq("irq");
        for (int i = 0; i < PINS; i++) {
            int pin = i;
            comesUp[i] = c.timer("comes_up" + i, () -> move(pin, false));
        }
        c.claimPorts("regs", 1, regs);
    }

    /** After every change: the line, and what the panel shows. */
    private void refresh() {
        irq.set(a.interrupts() || b.interrupts());
        view = Panel.view(a.levels() & a.outputs(), buttons.intValue());
    }

    private void move(int button, boolean down) {
        long bit = 1L << button;
        if (down) buttons.setBits(bit);
        else buttons.clearBits(bit);
        b.outside(buttons.intValue());
        refresh();
    }

    // ---- the front panel, from any thread ----

    @Override
    public String name() {
        return name;
    }

    @Override
    public int view() {
        return view;
    }

    @Override
    public CompletableFuture<Void> press(int button) {
        return post(() -> {
            move(button, true);
            comesUp[button].arm(context.clock().nanos() + PRESS_NANOS);
        });
    }

    @Override
    public CompletableFuture<Void> hold(int button) {
        return post(() -> {
            move(button, true);
            comesUp[button].cancel();
        });
    }

    @Override
    public CompletableFuture<Void> release(int button) {
        return post(() -> {
            move(button, false);
            comesUp[button].cancel();
        });
    }

    private CompletableFuture<Void> post(Runnable task) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        try {
            context.post(() -> {
                task.run();
                done.complete(null);
            });
            return done;
        } catch (RevokedException e) {
            throw new IllegalArgumentException("the card behind panel " + name + " has just left: try again", e);
        }
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

    @Override
    public void quiesce() {
        panels.remove(this);
    }

    @Override
    public void resume() {
        panels.add(this);
    }

    @Override
    public void detach() {
        panels.remove(this);
    }
}
