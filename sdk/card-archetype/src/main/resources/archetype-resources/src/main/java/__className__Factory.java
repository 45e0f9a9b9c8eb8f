package ${package};

import java.util.List;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.Resource;
import org.osgi.service.component.annotations.Component;

/** {@code -device ${artifactId}[,regs=GPA][,irq=GSI]}. */
@Component(service = DeviceFactory.class)
public final class ${className}Factory implements DeviceFactory {
    @Override
    public String type() {
        return "${artifactId}";
    }

    @Override
    public String description() {
        return "counter with an interrupt";
    }

    @Override
    public List<Resource> resources() {
        return List.of(Resource.mmio("regs", 0xfeb10000L, ${className}.LENGTH), Resource.irq("irq", 5));
    }

    @Override
    public Device create() {
        return new ${className}();
    }
}
