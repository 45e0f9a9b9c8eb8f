package org.backplane.kvm.spi.device;

import org.osgi.annotation.versioning.ConsumerType;

/** Serves accesses to a claimed range. Called on the thread of the vCPU that makes the access. */
@ConsumerType
public interface IoHandler {
    /**
     * @param vcpu number of the vCPU
     * @param offset in the range
     * @param size in bytes, one that was declared
     * @return the value; bits above the size are ignored
     */
    long read(int vcpu, long offset, int size);

    /** @param value zero-extended */
    void write(int vcpu, long offset, int size, long value);
}
