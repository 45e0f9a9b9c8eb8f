package org.backplane.kvm.spi.exit;

import org.backplane.kvm.spi.cpu.VcpuContext;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * A handler for VM exits by reason, as an OSGi service with the property {@link #REASONS}. It is asked before the core's own
 * handler, on the vCPU's thread, with the guest's state complete; it may read and change {@code v.state}.
 */
@ConsumerType
public interface ExitHandler {
    /** Service property: basic exit reasons ({@code int[]} or {@code Integer}). */
    String REASONS = "backplane.exit.reasons";

    /** What to do next. */
    enum Result {
        /** Not mine: ask the next handler. */
        PASS,
        /** Handled: step over the instruction and go on. */
        SKIP,
        /** Handled: go on at {@code state.rip} as it is. */
        RESUME
    }

    Result handle(VcpuContext v, VmExit exit);
}
