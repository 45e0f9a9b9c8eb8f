package org.backplane.devi8042;

import java.util.SplittableRandom;
import org.backplane.devicekit.test.DeviceBench;
import org.backplane.devicekit.test.DeviceFuzzTest;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.KeyboardInput;

class I8042FuzzTest extends DeviceFuzzTest {
    @Override
    protected DeviceFactory factory() {
        return new I8042Factory();
    }

    /** Keys are pressed and released. */
    @Override
    protected void disturb(DeviceBench bench, SplittableRandom random) {
        bench.facet(KeyboardInput.class).key(random.nextInt(1, 0x59), random.nextBoolean());
    }
}
