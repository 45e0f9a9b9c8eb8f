package org.backplane.kvm.spi.device;

import org.osgi.annotation.versioning.ProviderType;

/** An interrupt line. Lines of several cards on one GSI are wired-or; edge or level is the controller's affair. */
@ProviderType
public interface IrqLine {
    void set(boolean level);

    boolean level();
}
