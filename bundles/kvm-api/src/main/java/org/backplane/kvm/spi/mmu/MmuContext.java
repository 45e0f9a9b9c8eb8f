package org.backplane.kvm.spi.mmu;

import java.util.List;
import java.util.Map;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.osgi.annotation.versioning.ProviderType;

/** The world of an MMU: given by the core to {@link MmuFactory#create}. */
@ProviderType
public interface MmuContext {
    VmMemory memory();

    /** All vCPUs of the VM. */
    List<VcpuContext> vcpus();

    /** Requests a TLB flush of every vCPU, done before it runs the guest again (at once for the calling vCPU). */
    void flushRemoteTlbs();

    /** Card properties, such as {@code shadow-pages}. */
    Map<String, String> properties();
}
