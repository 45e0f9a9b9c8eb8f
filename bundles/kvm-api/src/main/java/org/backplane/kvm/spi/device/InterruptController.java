package org.backplane.kvm.spi.device;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * Facet of the card that is the platform's interrupt controller. Its output is pulled by the core, which acknowledges once, at
 * injection; from then on the vector is the core's.
 */
@ConsumerType
public interface InterruptController {
    /** A GSI changed its level. GSI 0 to 15 are the ISA interrupts. */
    void setLine(int gsi, boolean level);

    /** An interrupt is waiting for this vCPU. Called at boundaries: must be cheap. */
    boolean pending(int vcpu);

    /** Acknowledges the highest waiting interrupt and returns its vector, 0 to 255 (spurious ones included). */
    int acknowledge(int vcpu);
}
