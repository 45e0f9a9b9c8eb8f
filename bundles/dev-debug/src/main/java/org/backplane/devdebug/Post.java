package org.backplane.devdebug;

import org.backplane.devicekit.Register;
import org.backplane.devicekit.RegisterBank;
import org.backplane.devicekit.RegisterFile;
import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceContext;
import org.backplane.kvm.spi.device.Platform;
import org.backplane.kvm.spi.device.StateException;

/**
 * Port 0x80. Firmware shows there how far its self-test has come; everyone else writes to it to wait for a bus cycle. Those writes mostly
 * repeat the same value, so the board hears of a code only when it changes. On a PC this is a spare DMA page register, hence it reads back.
 */
final class Post implements Device {
    private final RegisterFile file = new RegisterFile("post");
    private final Register code = file.register("code", 8).onWrite(this::show);
    private final RegisterBank regs = new RegisterBank(file, 1).at(0, code);
    private Platform platform;

    @Override
    public void attach(DeviceContext context) {
        file.attach(context);
        platform = context.platform();
        context.claimPorts("regs", 1, regs);
    }

    private void show(long v) {
        if (v != code.before()) platform.postCode((int) v);
    }

    @Override
    public void reset() {
        file.reset();
    }

    @Override
    public void save(CardState state) {
        file.save(state);
    }

    @Override
    public void load(CardState state) throws StateException {
        file.load(state);
    }
}
