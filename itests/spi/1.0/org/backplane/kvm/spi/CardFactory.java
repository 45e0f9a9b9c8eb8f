package org.backplane.kvm.spi;
import org.osgi.annotation.versioning.ConsumerType;
@ConsumerType
public interface CardFactory {
    String type();
    String description();
    default int stateVersion() {
        return 1;
    }
    default int oldestStateVersion() {
        return 1;
    }
}
