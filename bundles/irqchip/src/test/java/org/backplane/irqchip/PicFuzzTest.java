package org.backplane.irqchip;

import java.util.SplittableRandom;
import org.backplane.devicekit.test.DeviceBench;
import org.backplane.devicekit.test.DeviceFuzzTest;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.InterruptController;

class PicFuzzTest extends DeviceFuzzTest {
    @Override
    protected DeviceFactory factory() {
        return new PicFactory();
    }

    /** Lines change, and the processor acknowledges. */
    @Override
    protected void disturb(DeviceBench bench, SplittableRandom random) {
        InterruptController pic = bench.facet(InterruptController.class);
        for (int i = random.nextInt(6); i > 0; i--) pic.setLine(random.nextInt(16), random.nextBoolean());
        if (pic.pending(0) && random.nextBoolean()) pic.acknowledge(0);
    }
}
