package org.backplane.devdebug;

import java.util.List;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.Resource;
import org.osgi.service.component.annotations.Component;

/** Makes POST code ports. */
@Component(service = DeviceFactory.class)
public final class PostFactory implements DeviceFactory {
    @Override
    public String type() {
        return "post";
    }

    @Override
    public String description() {
        return "POST codes: port 0x80, also the classic delay port";
    }

    @Override
    public List<Resource> resources() {
        return List.of(Resource.ports("regs", 0x80, 1));
    }

    @Override
    public Device create() {
        return new Post();
    }
}
