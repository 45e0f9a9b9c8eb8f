package com.example.sensor;

import java.util.List;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.Resource;
import org.osgi.service.component.annotations.Component;

/** {@code -device sensor[,regs=GPA][,irq=GSI][,coldest=C][,hottest=C][,cycle=S]}. */
@Component(service = DeviceFactory.class)
public final class SensorFactory implements DeviceFactory {
    @Override
    public String type() {
        return "sensor";
    }

    @Override
    public String description() {
        return "temperature sensor with limits and an alarm, in a room that warms up and cools down";
    }

    @Override
    public List<Resource> resources() {
        return List.of(Resource.mmio("regs", 0xfeb00000L, Sensor.LENGTH), Resource.irq("irq", 10));
    }

    @Override
    public List<Property> properties() {
        return List.of(
                new Property("coldest", "15", "temperature of the room when it is coldest, in degrees Celsius"),
                new Property("hottest", "35", "temperature of the room when it is hottest, in degrees Celsius"),
                new Property("cycle", "60", "seconds from coldest to hottest and back"));
    }

    @Override
    public Device create() {
        return new Sensor();
    }
}
