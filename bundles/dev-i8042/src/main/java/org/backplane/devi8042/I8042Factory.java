package org.backplane.devi8042;

import java.util.List;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.Resource;
import org.osgi.service.component.annotations.Component;

/** Makes keyboard controllers. */
@Component(service = DeviceFactory.class)
public final class I8042Factory implements DeviceFactory {
    static final String DATA = "data";
    static final String COMMAND = "command";
    static final String FAST_A20 = "fast-a20";
    static final String KEYBOARD_IRQ = "irq";
    static final String MOUSE_IRQ = "aux-irq";

    @Override
    public String type() {
        return "i8042";
    }

    @Override
    public String description() {
        return "keyboard controller with keyboard, PS/2 mouse, A20 gate and reset line";
    }

    @Override
    public List<Resource> resources() {
        return List.of(
                Resource.ports(DATA, 0x60, 1),
                Resource.ports(COMMAND, 0x64, 1),
                Resource.ports(FAST_A20, 0x92, 1),
                Resource.irq(KEYBOARD_IRQ, 1),
                Resource.irq(MOUSE_IRQ, 12));
    }

    @Override
    public Device create() {
        return new I8042Device();
    }
}
