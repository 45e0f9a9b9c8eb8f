package org.backplane.devfdc;

import org.backplane.devicekit.test.DeviceBench;
import org.backplane.devicekit.test.DeviceFuzzTest;
import org.backplane.kvm.spi.device.DeviceFactory;

class FdcFuzzTest extends DeviceFuzzTest {
    @Override
    protected DeviceFactory factory() {
        return new FdcFactory();
    }

    @Override
    protected void prepare(DeviceBench bench) {
        bench.insert("drive-a", Driver.image(1440));
    }
}
