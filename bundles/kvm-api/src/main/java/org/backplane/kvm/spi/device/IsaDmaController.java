package org.backplane.kvm.spi.device;

import org.osgi.annotation.versioning.ConsumerType;

/** Facet of the card that is the 8237 pair. */
@ConsumerType
public interface IsaDmaController {
    /** See {@link DmaLine#transfer}; the channel is 0 to 7. */
    int transfer(int channel, boolean toMemory, byte[] buffer, int offset, int length);

    boolean terminalCount(int channel);
}
