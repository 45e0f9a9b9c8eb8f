package org.backplane.devdma;

import java.util.SplittableRandom;
import org.backplane.devicekit.test.DeviceBench;
import org.backplane.devicekit.test.DeviceFuzzTest;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.IsaDmaController;

class DmaFuzzTest extends DeviceFuzzTest {
    @Override
    protected DeviceFactory factory() {
        return new DmaFactory();
    }

    /** Cards ask for transfers. */
    @Override
    protected void disturb(DeviceBench bench, SplittableRandom random) {
        IsaDmaController dma = bench.facet(IsaDmaController.class);
        int length = random.nextInt(4096) & ~1;
        dma.transfer(random.nextInt(8), random.nextBoolean(), new byte[length], 0, length);
    }
}
