package org.backplane.devfdc;

import java.util.List;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.Resource;
import org.osgi.service.component.annotations.Component;

/** Makes floppy controllers with two drives. */
@Component(service = DeviceFactory.class)
public final class FdcFactory implements DeviceFactory {
    static final String REGS = "regs";
    static final String DIR = "dir";
    static final String IRQ = "irq";
    static final String DMA = "dma";
    static final String DRIVE_A = "drive-a";
    static final String DRIVE_B = "drive-b";

    @Override
    public String type() {
        return "fdc";
    }

    @Override
    public String description() {
        return "82077AA floppy controller with two drives, 160K to 2.88M";
    }

    @Override
    public List<Resource> resources() {
        return List.of(
                Resource.ports(REGS, 0x3f0, 6),
                Resource.ports(DIR, 0x3f7, 1),
                Resource.irq(IRQ, 6),
                Resource.dma(DMA, 2),
                Resource.block(DRIVE_A),
                Resource.block(DRIVE_B));
    }

    @Override
    public Device create() {
        return new Fdc();
    }
}
