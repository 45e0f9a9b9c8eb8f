package org.backplane.devserial;

import org.backplane.devicekit.test.DeviceFuzzTest;
import org.backplane.kvm.spi.device.DeviceFactory;

class UartFuzzTest extends DeviceFuzzTest {
    @Override
    protected DeviceFactory factory() {
        return new SerialFactory();
    }
}
