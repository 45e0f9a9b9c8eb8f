package org.backplane.kvm.spi;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * What every swappable OSGi service is: a stateless factory. What it makes is a plain object of one VM or one vCPU, unknown
 * to OSGi. The bundle that registers the factory is the card's version for people; {@link #stateVersion} is the version for
 * saved state.
 */
@ConsumerType
public interface CardFactory {
    /** The type that users name, such as {@code serial}, {@code shadow} or {@code vmx}. Several versions share one type. */
    String type();

    /** One line for lists and help. */
    String description();

    /** Version of the state that {@code save} writes. Counts up from 1. */
    default int stateVersion() {
        return 1;
    }

    /** The oldest version of the state that the card still takes. */
    default int oldestStateVersion() {
        return 1;
    }
}
