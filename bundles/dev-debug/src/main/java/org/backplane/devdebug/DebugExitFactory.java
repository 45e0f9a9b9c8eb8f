package org.backplane.devdebug;

import java.util.List;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.Resource;
import org.osgi.service.component.annotations.Component;

/** Makes the port by which a guest ends its machine with an exit status. Type and properties are QEMU's. */
@Component(service = DeviceFactory.class)
public final class DebugExitFactory implements DeviceFactory {
    @Override
    public String type() {
        return "isa-debug-exit";
    }

    @Override
    public String description() {
        return "a write of V ends the machine with exit status (V << 1) | 1";
    }

    /** The place for the widest; {@code iosize} says how many of the ports answer. */
    @Override
    public List<Resource> resources() {
        return List.of(Resource.ports("iobase", 0x501, 4));
    }

    @Override
    public List<Property> properties() {
        return List.of(new Property("iosize", "2", "width in bytes: 1, 2 or 4"));
    }

    @Override
    public Device create() {
        return new DebugExit();
    }
}
