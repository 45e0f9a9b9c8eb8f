package org.backplane.devicekit.example;

import org.backplane.devicekit.test.DeviceFuzzTest;
import org.backplane.kvm.spi.device.DeviceFactory;

class MiniUartFuzzTest extends DeviceFuzzTest {
    @Override
    protected DeviceFactory factory() {
        return new MiniUartFactory();
    }
}
