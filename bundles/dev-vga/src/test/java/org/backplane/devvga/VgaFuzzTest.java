package org.backplane.devvga;

import java.util.SplittableRandom;
import org.backplane.devicekit.test.DeviceBench;
import org.backplane.devicekit.test.DeviceFuzzTest;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.DisplaySource;

class VgaFuzzTest extends DeviceFuzzTest {
    @Override
    protected DeviceFactory factory() {
        return new VgaFactory();
    }

    /** Somebody looks at the screen. */
    @Override
    protected void disturb(DeviceBench bench, SplittableRandom random) {
        bench.facet(DisplaySource.class).render();
        bench.facet(DisplaySource.class).text();
    }
}
