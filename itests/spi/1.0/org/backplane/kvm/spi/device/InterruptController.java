package org.backplane.kvm.spi.device;
import org.osgi.annotation.versioning.ConsumerType;
@ConsumerType
public interface InterruptController {
    void setLine(int gsi, boolean level);
    boolean pending(int vcpu);
    int acknowledge(int vcpu);
}
