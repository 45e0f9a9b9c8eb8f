package org.backplane.kvm.spi.device;
import org.osgi.annotation.versioning.ProviderType;
@ProviderType
public interface Platform {
    void reset(String reason);
    void setA20(boolean enabled);
    boolean a20();
    void powerOff();
    void exit(int status);
    long ramSize();
    String bootOrder();
    void postCode(int code);
}
