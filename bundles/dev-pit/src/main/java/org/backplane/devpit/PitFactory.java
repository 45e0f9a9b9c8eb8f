package org.backplane.devpit;

import java.util.List;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.Resource;
import org.osgi.service.component.annotations.Component;

/** Makes the PC's interval timer with the port that gates its third channel. */
@Component(service = DeviceFactory.class)
public final class PitFactory implements DeviceFactory {
    @Override
    public String type() {
        return "pit";
    }

    @Override
    public String description() {
        return "interval timer: 8254 with speaker gate and refresh bit (port 0x61)";
    }

    @Override
    public List<Resource> resources() {
        return List.of(Resource.ports("counters", 0x40, 4), Resource.ports("gate", 0x61, 1), Resource.irq("irq", 0));
    }

    @Override
    public Device create() {
        return new Pit();
    }
}
