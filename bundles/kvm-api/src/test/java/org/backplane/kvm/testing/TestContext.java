package org.backplane.kvm.testing;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.mmu.MmuContext;
import org.backplane.kvm.spi.mmu.VmMemory;

/** The world of an MMU under test. A remote flush is done at once on every vCPU, since nothing runs. */
public final class TestContext implements MmuContext {
    public final TestMemory memory;
    public final List<VcpuContext> vcpus = new ArrayList<>();
    public final Map<String, String> properties = new HashMap<>();

    /** Remote flushes asked for. */
    public int flushes;

    public TestContext(TestMemory memory) {
        this.memory = memory;
    }

    @Override
    public VmMemory memory() {
        return memory;
    }

    @Override
    public List<VcpuContext> vcpus() {
        return vcpus;
    }

    @Override
    public void flushRemoteTlbs() {
        flushes++;
        for (VcpuContext v : vcpus) v.tlb.flush(false);
    }

    @Override
    public Map<String, String> properties() {
        return properties;
    }
}
