package org.backplane.kvm.spi.boot;

import org.backplane.kvm.spi.CardFactory;
import org.osgi.annotation.versioning.ConsumerType;

/** A system ROM, as an OSGi service; {@code -bios NAME} selects it by type. */
@ConsumerType
public interface Firmware extends CardFactory {
    /** The image, a multiple of 4 KiB and at most 256 KiB; it is mapped to end at 1 MiB and once more at 4 GiB. */
    byte[] image();
}
