package org.backplane.kvm.spi.device;
import java.util.List;
import org.backplane.kvm.spi.CardFactory;
import org.osgi.annotation.versioning.ConsumerType;
@ConsumerType
public interface DeviceFactory extends CardFactory {
    List<Resource> resources();
    default List<Property> properties() {
        return List.of();
    }
    Device create();
    record Property(String name, String defaultValue, String description) {}
}
