package org.backplane.devdma;

import java.util.List;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.Resource;
import org.osgi.service.component.annotations.Component;

/** Makes the DMA controllers of a PC. */
@Component(service = DeviceFactory.class)
public final class DmaFactory implements DeviceFactory {
    static final String DMA1 = "dma1";
    static final String DMA2 = "dma2";
    static final String PAGES = "pages";

    @Override
    public String type() {
        return "dma";
    }

    @Override
    public String description() {
        return "8237 pair with page registers: ISA DMA channels 0 to 3 and 5 to 7";
    }

    /** The page registers begin at 81h: port 80h, the unused first one, is where POST codes go. */
    @Override
    public List<Resource> resources() {
        return List.of(
                Resource.ports(DMA1, 0x00, 16), Resource.ports(DMA2, 0xc0, 32), Resource.ports(PAGES, 0x81, DmaPair.PAGE_PORTS));
    }

    @Override
    public Device create() {
        return new DmaPair();
    }
}
