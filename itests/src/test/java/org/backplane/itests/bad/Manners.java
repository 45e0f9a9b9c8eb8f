package org.backplane.itests.bad;

import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceContext;
import org.backplane.kvm.spi.device.IoHandler;
import org.backplane.kvm.spi.device.IrqLine;
import org.backplane.kvm.spi.device.StateException;

/** A card that knows how to behave: it counts writes. The bad ones differ from it in one thing. */
public class Manners implements Device, IoHandler {
    protected DeviceContext context;
    protected IrqLine irq;
    protected long writes;

    @Override
    public void attach(DeviceContext c) {
        context = c;
        irq = c.irq("irq");
        c.claimPorts("port", 1, this);
        c.claimMmio("window", 4, this);
    }

    @Override
    public void reset() {
        writes = 0;
    }

    @Override
    public void save(CardState state) {
        state.put("writes", writes);
    }

    @Override
    public void load(CardState state) throws StateException {
        writes = state.getLong("writes", 0);
    }

    @Override
    public long read(int vcpu, long offset, int size) {
        return writes;
    }

    @Override
    public void write(int vcpu, long offset, int size, long value) {
        writes++;
    }
}
