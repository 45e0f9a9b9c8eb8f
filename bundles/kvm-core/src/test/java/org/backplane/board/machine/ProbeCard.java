package org.backplane.board.machine;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceContext;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.IoHandler;
import org.backplane.kvm.spi.device.IrqLine;
import org.backplane.kvm.spi.device.Resource;
import org.backplane.kvm.spi.device.StateException;
import org.backplane.kvm.spi.device.StateRules;

/**
 * A card for tests: one byte register at port 500 (and on MMIO if the slot places it), whose value is its state; what happens in its callbacks
 * is the test's.
 */
final class ProbeCard implements DeviceFactory {
    final List<Probe> made = new ArrayList<>();
    final List<Property> properties = new ArrayList<>();
    int stateVersion = 1;
    int oldestStateVersion = 1;
    StateRules stateRules = StateRules.NONE;

    /** What it calls its value when it saves it. */
    String valueName = "value";

    Consumer<Probe> onAttach = p -> {};
    Consumer<Probe> onReset = p -> {};
    Consumer<Probe> onSave = p -> {};
    Consumer<Probe> onLoad = p -> {};

    /** What a write to the register does; the probe has the value already. */
    Consumer<Probe> onWrite = p -> {};

    /** The one made last. */
    Probe last() {
        return made.getLast();
    }

    @Override
    public String type() {
        return "probe";
    }

    @Override
    public String description() {
        return "a register for tests";
    }

    @Override
    public int stateVersion() {
        return stateVersion;
    }

    @Override
    public int oldestStateVersion() {
        return oldestStateVersion;
    }

    @Override
    public StateRules stateRules() {
        return stateRules;
    }

    @Override
    public List<Resource> resources() {
        return List.of(Resource.ports("regs", 0x500, 4), new Resource(Resource.Kind.MMIO, "window", -1, 4096), Resource.irq("irq", 5));
    }

    @Override
    public List<Property> properties() {
        return properties;
    }

    @Override
    public Device create() {
        Probe p = new Probe();
        made.add(p);
        return p;
    }

    /** The device. */
    final class Probe implements Device, IoHandler {
        DeviceContext context;
        IrqLine irq;
        volatile long value;
        volatile int resets;
        volatile boolean detached;

        @Override
        public void attach(DeviceContext c) {
            context = c;
            irq = c.irq("irq");
            c.claimPorts("regs", 1, this);
            c.claimMmio("window", 4, this);
            onAttach.accept(this);
        }

        @Override
        public void reset() {
            resets++;
            value = 0;
            irq.set(false);
            onReset.accept(this);
        }

        @Override
        public void save(CardState state) {
            onSave.accept(this);
            state.put(valueName, value);
            state.put("irq", irq.level());
        }

        @Override
        public void load(CardState state) throws StateException {
            onLoad.accept(this);
            value = state.getLong(valueName, 0);
            irq.set(state.getBoolean("irq", false));
        }

        @Override
        public void detach() {
            detached = true;
        }

        @Override
        public long read(int vcpu, long offset, int size) {
            return value;
        }

        @Override
        public void write(int vcpu, long offset, int size, long next) {
            value = next;
            onWrite.accept(this);
        }
    }
}
