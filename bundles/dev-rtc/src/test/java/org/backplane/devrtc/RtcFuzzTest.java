package org.backplane.devrtc;

import org.backplane.devicekit.test.DeviceFuzzTest;
import org.backplane.kvm.spi.device.DeviceFactory;

class RtcFuzzTest extends DeviceFuzzTest {
    @Override
    protected DeviceFactory factory() {
        return new RtcFactory();
    }
}
