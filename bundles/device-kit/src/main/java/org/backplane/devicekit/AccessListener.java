package org.backplane.devicekit;

import org.osgi.annotation.versioning.ConsumerType;

/** Sees the guest's accesses to the registers of one device. Called on the vCPU's thread, before the access's own effects. */
@ConsumerType
@FunctionalInterface
public interface AccessListener {
    /** @param value what was read or written; {@link Register#describe} splits it into fields */
    void accessed(Register register, boolean write, long value);
}
