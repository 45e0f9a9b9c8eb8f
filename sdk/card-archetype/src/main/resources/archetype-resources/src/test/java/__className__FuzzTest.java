package ${package};

import org.backplane.devicekit.test.DeviceFuzzTest;
import org.backplane.kvm.spi.device.DeviceFactory;

/** Random accesses, with save, load and swap in between: nothing is thrown, and nothing is lost. */
class ${className}FuzzTest extends DeviceFuzzTest {
    @Override
    protected DeviceFactory factory() {
        return new ${className}Factory();
    }
}
