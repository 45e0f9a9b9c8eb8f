package org.backplane.kvm.spi.device;

import org.osgi.annotation.versioning.ConsumerType;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Facet of a card whose registers have names: it tells the guest's accesses to them, so that the board can record them with the clock and the
 * guest's instruction. The register files of the device-kit offer it for every card built with them.
 *
 * <p>Called between two callbacks of the card. As long as nobody listens, accesses cost what they cost without this.
 */
@ConsumerType
public interface RegisterTraceSource {
    /** From now on accesses are told to this listener, and to no other; null: to nobody. */
    void traceTo(Listener listener);

    /** Who wants to know. */
    @ProviderType
    interface Listener {
        /**
         * The guest has accessed a register; called inside the access, of a write before its effects and of a read before the bits that reading
         * clears are cleared.
         *
         * @param register name, unique in the card
         * @param bits width of the register: 8 to 64
         * @param value of the whole register as read or written, zero-extended
         * @param fields the value's fields that are not zero, {@code wls=0x3 dlab=0x1}; empty when there are none
         */
        void accessed(String register, int bits, boolean write, long value, String fields);
    }
}
