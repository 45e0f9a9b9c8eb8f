package org.backplane.kvm.spi.device;
import org.osgi.annotation.versioning.ProviderType;
@ProviderType
public interface CharPort {
    void write(int b);
    int read();
    boolean readable();
    void onInput(Runnable callback);
}
