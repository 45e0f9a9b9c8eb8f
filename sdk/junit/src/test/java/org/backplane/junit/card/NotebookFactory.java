package org.backplane.junit.card;

import java.util.List;
import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceContext;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.IoHandler;
import org.backplane.kvm.spi.device.IrqLine;
import org.backplane.kvm.spi.device.Resource;
import org.backplane.kvm.spi.device.StateException;

/**
 * A device that keeps one value of up to 32 bits, at port 5E0 and at FEB00000, at every offset and in every width. Its line is high while that is not 0.
 */
public final class NotebookFactory implements DeviceFactory {
    @Override
    public String type() {
        return "notebook";
    }

    @Override
    public String description() {
        return "keeps one value";
    }

    @Override
    public List<Resource> resources() {
        return List.of(Resource.ports("ports", 0x5e0, 4), Resource.mmio("regs", 0xfeb00000L, 0x1000), Resource.irq("irq", 10));
    }

    @Override
    public Device create() {
        return new Notebook();
    }

    private static final class Notebook implements Device, IoHandler {
        private IrqLine irq;
        private long value;

        @Override
        public void attach(DeviceContext c) {
            irq = c.irq("irq");
            c.claimPorts("ports", 1 | 2 | 4, this);
            c.claimMmio("regs", 1 | 2 | 4, this);
        }

        @Override
        public void reset() {
            value = 0;
            irq.set(false);
        }

        @Override
        public void save(CardState state) {
            state.put("value", value);
        }

        @Override
        public void load(CardState state) throws StateException {
            value = state.getLong("value", 0);
            irq.set(value != 0);
        }

        @Override
        public long read(int vcpu, long offset, int size) {
            return value & -1L >>> 64 - 8 * size;
        }

        @Override
        public void write(int vcpu, long offset, int size, long written) {
            value = written;
            irq.set(value != 0);
        }
    }
}
