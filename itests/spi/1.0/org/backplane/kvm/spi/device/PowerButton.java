package org.backplane.kvm.spi.device;
import org.osgi.annotation.versioning.ConsumerType;
@ConsumerType
public interface PowerButton {
    void press();
}
