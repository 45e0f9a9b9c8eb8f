package org.backplane.kvm.spi.device;
import org.osgi.annotation.versioning.ConsumerType;
@ConsumerType
public interface IsaDmaController {
    int transfer(int channel, boolean toMemory, byte[] buffer, int offset, int length);
    boolean terminalCount(int channel);
}
