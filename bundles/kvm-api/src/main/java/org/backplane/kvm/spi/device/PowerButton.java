package org.backplane.kvm.spi.device;

import org.osgi.annotation.versioning.ConsumerType;

/** Facet of a card with a power button: pressing it asks the guest to switch off. Called as a callback of the card. */
@ConsumerType
public interface PowerButton {
    /** The button is pressed and let go. What follows is the guest's affair; one that does not listen does nothing. */
    void press();
}
