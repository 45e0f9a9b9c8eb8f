package org.backplane.devdma;

import org.backplane.devicekit.test.DeviceBench;
import org.backplane.devicekit.test.DeviceContractTest;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.IsaDmaController;

class DmaContractTest extends DeviceContractTest {
    @Override
    protected DeviceFactory factory() {
        return new DmaFactory();
    }

    @Override
    protected void exercise(DeviceBench bench) {
        Dma dma = new Dma(bench);
        dma.program(2, Dma.TO_MEMORY, 0x12345, 16);
        bench.facet(IsaDmaController.class).transfer(2, true, new byte[16], 0, 16);
        dma.program(5, Dma.FROM_MEMORY, 0x20000, 100);
        bench.out(0x08, 1, 0x10);
        bench.out(0x04, 1, 0x55); // leaves the flip-flop at the high byte
        bench.out(0x8c, 1, 0x77);
    }
}
