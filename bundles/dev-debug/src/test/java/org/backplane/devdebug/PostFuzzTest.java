package org.backplane.devdebug;

import org.backplane.devicekit.test.DeviceFuzzTest;
import org.backplane.kvm.spi.device.DeviceFactory;

class PostFuzzTest extends DeviceFuzzTest {
    @Override
    protected DeviceFactory factory() {
        return new PostFactory();
    }
}
