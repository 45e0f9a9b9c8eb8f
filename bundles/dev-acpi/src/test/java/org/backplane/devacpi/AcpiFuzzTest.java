package org.backplane.devacpi;

import java.util.SplittableRandom;
import org.backplane.devicekit.test.DeviceBench;
import org.backplane.devicekit.test.DeviceFuzzTest;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.PowerButton;

class AcpiFuzzTest extends DeviceFuzzTest {
    @Override
    protected DeviceFactory factory() {
        return new AcpiFactory();
    }

    /** The power button is pressed. */
    @Override
    protected void disturb(DeviceBench bench, SplittableRandom random) {
        bench.facet(PowerButton.class).press();
    }
}
