package org.backplane.devdebug;

import org.backplane.devicekit.Register;
import org.backplane.devicekit.RegisterBank;
import org.backplane.devicekit.RegisterFile;
import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.CharPort;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceContext;

/**
 * The debug console of Bochs and QEMU: each byte written goes to the host, at once and without handshake. Reading gives 0xE9, by which software
 * finds out that it is there. It has no state.
 */
final class Debugcon implements Device {
    private static final int PRESENT = 0xe9;

    private final RegisterFile file = new RegisterFile("debugcon");
    private final Register data = file.register("data", 8).derived().onRead(() -> PRESENT).onWrite(this::send);
    private final RegisterBank port = new RegisterBank(file, 1).at(0, data);
    private CharPort output;

    @Override
    public void attach(DeviceContext context) {
        file.attach(context);
        output = context.character("chardev");
        context.claimPorts("regs", 1, port);
        context.claimPorts("firmware", 1, port);
    }

    private void send(long b) {
        output.write((int) b);
    }

    @Override
    public void reset() {
        file.reset();
    }

    /** Nothing to save. */
    @Override
    public void save(CardState state) {}

    @Override
    public void load(CardState state) {}
}
