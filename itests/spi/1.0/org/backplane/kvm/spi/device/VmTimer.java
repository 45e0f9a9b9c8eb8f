package org.backplane.kvm.spi.device;
import org.osgi.annotation.versioning.ProviderType;
@ProviderType
public interface VmTimer {
    void arm(long deadline);
    void cancel();
    boolean armed();
    long deadline();
}
