package org.backplane.kvm.spi.device;
import org.osgi.annotation.versioning.ProviderType;
@ProviderType
public interface DmaMemory {
    void read(long gpa, byte[] to, int offset, int length);
    void write(long gpa, byte[] from, int offset, int length);
}
