package org.backplane.kvm.spi.device;

import org.osgi.annotation.versioning.ProviderType;

/**
 * A timer on the virtual clock. The callback runs once, at the first boundary at or after the deadline. What falls due in a pause
 * of the VM runs after the pause, once, in order of deadline: the virtual clock stood still meanwhile.
 */
@ProviderType
public interface VmTimer {
    /** @param deadline virtual time in nanoseconds; one that is past is due at once */
    void arm(long deadline);

    void cancel();

    boolean armed();

    /** The deadline when armed. */
    long deadline();
}
