package org.backplane.devicekit.example;

import java.util.List;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.Resource;

/** In a bundle of its own this carries {@code @Component}, and the card is there as soon as the bundle is started. */
final class MiniUartFactory implements DeviceFactory {
    @Override
    public String type() {
        return "mini-uart";
    }

    @Override
    public String description() {
        return "a small UART, the example of the device kit";
    }

    @Override
    public List<Resource> resources() {
        return List.of(Resource.ports("regs", 0x2e0, 8), Resource.irq("irq", 10), Resource.character("chardev"));
    }

    @Override
    public Device create() {
        return new MiniUart();
    }
}
