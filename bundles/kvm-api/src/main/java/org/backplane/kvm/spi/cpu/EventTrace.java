package org.backplane.kvm.spi.cpu;

import org.osgi.annotation.versioning.ConsumerType;

/** Sees the events that an engine delivers through the guest's IDT or IVT, for {@code -d int} and live views. */
@ConsumerType
public interface EventTrace {
    /** Nobody looks. */
    EventTrace NONE = (v, info, errorCode) -> {};

    /**
     * Called by the engine before it delivers, on the vCPU's thread, with the state complete.
     *
     * @param info interruption information: vector and type ({@code CpuState.TYPE_*})
     * @param errorCode meaningful if the info says that there is one
     */
    void delivering(VcpuContext v, int info, int errorCode);
}
