package org.backplane.kvm.spi.boot;

import org.backplane.kvm.spi.CardFactory;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * A disk image that a bundle brings along, as an OSGi service. Wherever a machine takes an image file, {@code builtin:TYPE} names one of these
 * instead: {@code -fda builtin:demo}. What the guest writes to it is forgotten at the end.
 */
@ConsumerType
public interface BuiltInImage extends CardFactory {
    /** The whole image, a multiple of 512 bytes. Called once for each slot that uses it; the caller keeps the array and does not change it. */
    byte[] image();
}
