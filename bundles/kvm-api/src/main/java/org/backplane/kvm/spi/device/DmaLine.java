package org.backplane.kvm.spi.device;

import org.osgi.annotation.versioning.ProviderType;

/**
 * An ISA DMA channel, seen from the device that requests transfers. The board connects it with whatever card is the {@link
 * IsaDmaController} at that moment.
 */
@ProviderType
public interface DmaLine {
    /**
     * Moves bytes between the device and memory, as far as the channel's programming allows.
     *
     * @param toMemory the device writes to memory
     * @return bytes moved; fewer than asked when terminal count was reached or the channel is masked (0)
     */
    int transfer(boolean toMemory, byte[] buffer, int offset, int length);

    /** The last transfer reached terminal count. */
    boolean terminalCount();
}
