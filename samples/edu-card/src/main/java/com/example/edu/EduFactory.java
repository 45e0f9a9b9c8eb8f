package com.example.edu;

import java.util.List;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.Resource;
import org.osgi.service.component.annotations.Component;

/** {@code -device edu[,regs=GPA][,irq=GSI][,dma_mask=MASK]}. */
@Component(service = DeviceFactory.class)
public final class EduFactory implements DeviceFactory {
    @Override
    public String type() {
        return "edu";
    }

    @Override
    public String description() {
        return "educational device of QEMU, on MMIO: liveness check, factorial, interrupts, DMA";
    }

    @Override
    public List<Resource> resources() {
        return List.of(Resource.mmio("regs", 0xfea00000L, Edu.LENGTH), Resource.irq("irq", 11));
    }

    @Override
    public List<Property> properties() {
        return List.of(new Property("dma_mask", "0xfffffff", "address bits that the bus master drives; 28 of them as QEMU has it"));
    }

    @Override
    public Device create() {
        return new Edu();
    }
}
