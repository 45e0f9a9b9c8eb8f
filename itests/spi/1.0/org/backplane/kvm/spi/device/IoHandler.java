package org.backplane.kvm.spi.device;
import org.osgi.annotation.versioning.ConsumerType;
@ConsumerType
public interface IoHandler {
    long read(int vcpu, long offset, int size);
    void write(int vcpu, long offset, int size, long value);
}
