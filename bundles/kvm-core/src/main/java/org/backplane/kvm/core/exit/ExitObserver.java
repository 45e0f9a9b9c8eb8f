package org.backplane.kvm.core.exit;

import org.backplane.kvm.spi.cpu.VcpuContext;

/**
 * Watches VM exits come and go, for live views and traces. It looks and changes nothing.
 *
 * <p><b>Threading.</b> The vCPU's thread, in pairs: {@link #came}, then {@link #handled} of the same exit. Both are on the way of an exit and must be
 * quick.
 */
public interface ExitObserver {
    /** An exit has come: {@code v.exit} is filled, {@code v.state} is as the guest left it. */
    void came(VcpuContext v);

    /** It has been handled; what {@code v} holds may already be of the next instruction. */
    void handled(VcpuContext v);
}
