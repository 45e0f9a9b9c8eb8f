package com.example.gpio;

import java.util.List;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.Resource;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;

/** {@code -device gpio[,regs=PORT][,irq=GSI][,panel=NAME]}. */
@Component(service = DeviceFactory.class)
public final class GpioFactory implements DeviceFactory {
    private final Panels panels;

    /** In the container: panels in service bring the shell's commands with them. */
    @Activate
    public GpioFactory(BundleContext context) {
        this(new Panels(new CommandService(context)));
    }

    GpioFactory(Panels panels) {
        this.panels = panels;
    }

    @Deactivate
    void deactivate() {
        panels.close();
    }

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
    public List<Property> properties() {
        return List.of(new Property("panel", "", "name of the front panel in the shell; the slot's if empty"));
    }

    @Override
    public Device create() {
        return new Gpio(panels);
    }
}
