package org.backplane.kvm.spi.device;

import org.osgi.annotation.versioning.ProviderType;

/** Guest memory for bus masters: every write goes through the one door (code, shadow, dirty log). Unbacked addresses read as ones. */
@ProviderType
public interface DmaMemory {
    void read(long gpa, byte[] to, int offset, int length);

    void write(long gpa, byte[] from, int offset, int length);
}
