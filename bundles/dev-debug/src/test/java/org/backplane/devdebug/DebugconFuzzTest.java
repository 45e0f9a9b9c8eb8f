package org.backplane.devdebug;

import org.backplane.devicekit.test.DeviceFuzzTest;
import org.backplane.kvm.spi.device.DeviceFactory;

class DebugconFuzzTest extends DeviceFuzzTest {
    @Override
    protected DeviceFactory factory() {
        return new DebugconFactory();
    }
}
