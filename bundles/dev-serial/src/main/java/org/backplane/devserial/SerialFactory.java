package org.backplane.devserial;

import java.util.List;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.Resource;
import org.osgi.service.component.annotations.Component;

/** Makes 16550A serial ports. Usual places are COM1 0x3f8/4, COM2 0x2f8/3, COM3 0x3e8/4 and COM4 0x2e8/3. */
@Component(service = DeviceFactory.class)
public final class SerialFactory implements DeviceFactory {
    @Override
    public String type() {
        return "serial";
    }

    @Override
    public String description() {
        return "serial port: 16550A with FIFOs";
    }

    @Override
    public List<Resource> resources() {
        return List.of(Resource.ports("regs", 0x3f8, 8), Resource.irq("irq", 4), Resource.character("chardev"));
    }

    @Override
    public List<Property> properties() {
        return List.of(new Property("out2", "ignore", "ignore, or gate: OUT2 of MCR switches the IRQ as on a PC/AT"));
    }

    @Override
    public Device create() {
        return new Uart();
    }
}
