package org.backplane.devrtc;

import java.util.List;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.Resource;
import org.osgi.service.component.annotations.Component;

/** Makes the PC/AT's real-time clock with its CMOS memory. */
@Component(service = DeviceFactory.class)
public final class RtcFactory implements DeviceFactory {
    @Override
    public String type() {
        return "rtc";
    }

    @Override
    public String description() {
        return "real-time clock: MC146818 with 128 bytes of CMOS memory";
    }

    @Override
    public List<Resource> resources() {
        return List.of(Resource.ports("regs", 0x70, 2), Resource.irq("irq", 8));
    }

    @Override
    public List<Property> properties() {
        return List.of(new Property("floppy", "1", "1.44 MB drives that CMOS tells of: 0, 1 or 2"));
    }

    @Override
    public Device create() {
        return new Rtc();
    }
}
