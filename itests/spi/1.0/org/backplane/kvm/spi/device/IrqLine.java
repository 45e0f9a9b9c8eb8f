package org.backplane.kvm.spi.device;
import org.osgi.annotation.versioning.ProviderType;
@ProviderType
public interface IrqLine {
    void set(boolean level);
    boolean level();
}
