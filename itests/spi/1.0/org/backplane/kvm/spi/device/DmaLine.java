package org.backplane.kvm.spi.device;
import org.osgi.annotation.versioning.ProviderType;
@ProviderType
public interface DmaLine {
    int transfer(boolean toMemory, byte[] buffer, int offset, int length);
    boolean terminalCount();
}
