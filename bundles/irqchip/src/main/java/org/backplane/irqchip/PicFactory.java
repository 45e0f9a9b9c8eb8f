package org.backplane.irqchip;

import java.util.List;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.Resource;
import org.osgi.service.component.annotations.Component;

/** Makes the PC/AT's pair of 8259A interrupt controllers. */
@Component(service = DeviceFactory.class)
public final class PicFactory implements DeviceFactory {
    @Override
    public String type() {
        return "pic";
    }

    @Override
    public String description() {
        return "interrupt controllers: two cascaded 8259A with edge/level control";
    }

    @Override
    public List<Resource> resources() {
        return List.of(Resource.ports("master", 0x20, 2), Resource.ports("slave", 0xa0, 2), Resource.ports("elcr", 0x4d0, 2));
    }

    @Override
    public Device create() {
        return new PicPair();
    }
}
