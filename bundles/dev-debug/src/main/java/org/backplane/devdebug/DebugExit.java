package org.backplane.devdebug;

import org.backplane.devicekit.Register;
import org.backplane.devicekit.RegisterBank;
import org.backplane.devicekit.RegisterFile;
import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceContext;

/** A port that ends the machine. Odd statuses only, so that it is never mistaken for a power-off. Reads as zero; no state. */
final class DebugExit implements Device {
    private final RegisterFile file = new RegisterFile("isa-debug-exit");

    @Override
    public void attach(DeviceContext context) {
        file.attach(context);
        String iosize = context.property("iosize");
        if (!iosize.matches("(0x)?0*[124]")) {
            throw new IllegalArgumentException("isa-debug-exit: iosize should be 1, 2 or 4, is " + iosize);
        }
        Register code = file.register("code", 8 * Integer.decode(iosize))
                .readOnly()
                .onWrite(v -> context.platform().exit((int) v << 1 | 1));
        context.claimPorts("iobase", 1 | 2 | 4, new RegisterBank(file, 4).at(0, code));
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
