package org.backplane.devdebug;

import java.util.List;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.Resource;
import org.osgi.service.component.annotations.Component;

/** Makes debug consoles: a write-only line to the host, at Bochs' port and at the one that firmware uses. */
@Component(service = DeviceFactory.class)
public final class DebugconFactory implements DeviceFactory {
    @Override
    public String type() {
        return "debugcon";
    }

    @Override
    public String description() {
        return "debug console: port 0xE9, and 0x402 for firmware";
    }

    @Override
    public List<Resource> resources() {
        return List.of(Resource.ports("regs", 0xe9, 1), Resource.ports("firmware", 0x402, 1), Resource.character("chardev"));
    }

    @Override
    public Device create() {
        return new Debugcon();
    }
}
