package org.backplane.devpit;

import org.backplane.devicekit.test.DeviceFuzzTest;
import org.backplane.kvm.spi.device.DeviceFactory;

class PitFuzzTest extends DeviceFuzzTest {
    @Override
    protected DeviceFactory factory() {
        return new PitFactory();
    }
}
