package org.backplane.devi8042;

import org.backplane.devicekit.RegisterFile;
import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceContext;
import org.backplane.kvm.spi.device.KeyboardInput;
import org.backplane.kvm.spi.device.StateException;

/** Keyboard controller, keyboard and mouse: a card, because on a PC nobody ever saw them apart. */
final class I8042Device implements Device {
    private static final int BYTES = 1;

    private final RegisterFile file = new RegisterFile("i8042");
    private final Keyboard keyboard = new Keyboard(file);
    private final Mouse mouse = new Mouse(file);
    private Controller controller;

    @Override
    public void attach(DeviceContext context) {
        file.attach(context);
        controller = new Controller(file, context, keyboard, mouse);
        context.claimPorts(I8042Factory.DATA, BYTES, controller.dataPort);
        context.claimPorts(I8042Factory.COMMAND, BYTES, controller.commandPort);
        context.claimPorts(I8042Factory.FAST_A20, BYTES, controller.port92);
        context.provide(KeyboardInput.class, this::key);
    }

    private boolean key(int key, boolean down) {
        boolean taken = keyboard.key(key, down);
        controller.schedule();
        return taken;
    }

    @Override
    public void reset() {
        file.reset();
        keyboard.reset();
        mouse.reset();
        controller.reset();
    }

    @Override
    public void save(CardState state) {
        file.save(state);
        keyboard.save(state);
        mouse.save(state);
        controller.save(state);
    }

    @Override
    public void load(CardState state) throws StateException {
        file.load(state);
        keyboard.load(state);
        mouse.load(state);
        controller.load(state);
    }
}
