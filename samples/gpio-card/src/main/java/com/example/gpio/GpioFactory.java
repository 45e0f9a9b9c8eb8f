package com.example.gpio;

import java.util.List;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.Resource;
import org.osgi.service.component.annotations.Component;

/** {@code -device gpio[,regs=PORT][,irq=GSI]}. */
@Component(service = DeviceFactory.class)
public final class GpioFactory implements DeviceFactory {
    @Override
    public String type() {
        return "gpio";
    }

    @Override
    public String description() {
        return "two ports of general purpose I/O: LEDs on one, buttons on the other, a front panel in the shell";
    }

    @Override
    public List<Resource> resources() {
        return List.of(Resource.ports("regs", 0x240, Gpio.LENGTH), Resource.irq("irq", 5));
    }

    @Override
    public Device create() {
        return new Gpio();
    }
}
