package org.backplane.itests.card;

import java.util.List;
import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceContext;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.IoHandler;
import org.backplane.kvm.spi.device.Resource;
import org.backplane.kvm.spi.device.StateException;

/** A port from which a guest reads letter after letter. Writing to it is more than it can bear. */
public final class AlphabetFactory implements DeviceFactory {
    @Override
    public String type() {
        return "alphabet";
    }

    @Override
    public String description() {
        return "A to Z, over and over";
    }

    @Override
    public List<Resource> resources() {
        return List.of(Resource.ports("port", 0x5e0, 1));
    }

    @Override
    public List<Property> properties() {
        return List.of(new Property("first", "A", "the letter to begin with"));
    }

    @Override
    public Device create() {
        return new Alphabet();
    }

    private static final class Alphabet implements Device, IoHandler {
        private DeviceContext context;
        private int position;

        @Override
        public void attach(DeviceContext c) {
            context = c;
            c.claimPorts("port", 1, this);
        }

        @Override
        public void reset() {
            position = context.property("first").charAt(0) - 'A';
        }

        @Override
        public void save(CardState state) {
            state.put("position", position);
        }

        @Override
        public void load(CardState state) throws StateException {
            position = state.getInt("position", 0);
        }

        @Override
        public long read(int vcpu, long offset, int size) {
            int letter = 'A' + position;
            position = (position + 1) % 26;
            return letter;
        }

        @Override
        public void write(int vcpu, long offset, int size, long value) {
            throw new IllegalStateException("nobody writes to the alphabet");
        }
    }
}
