package org.backplane.vmx;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.backplane.kvm.spi.cpu.CpuBackend;
import org.backplane.kvm.spi.cpu.Emulator;
import org.backplane.kvm.spi.cpu.RealMode;
import org.backplane.kvm.spi.cpu.RealModePages;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.cpu.VmcsView;
import org.backplane.kvm.spi.exit.ExitReasons;
import org.backplane.kvm.spi.mmu.Mmu;

/**
 * The software VT-x of one VM: a {@link VmxVcpu} for every vCPU that is attached. It keeps nothing that {@code CpuState} has not, except
 * counters.
 */
final class VmxBackend implements CpuBackend {
    private final Emulator emulator;
    private final Mmu mmu;
    private final Map<Integer, VmxVcpu> vcpus = new TreeMap<>();
    private RealMode realMode;
    private RealModePages realModePages = RealModePages.STANDARD;

    VmxBackend(Emulator emulator, Mmu mmu) {
        this.emulator = emulator;
        this.mmu = mmu;
        realMode = RealMode.preferred(mmu.kind() == Mmu.Kind.TWO_DIMENSIONAL);
    }

    @Override
    public void realMode(RealMode how, RealModePages pages) {
        realMode = how;
        realModePages = pages;
    }

    @Override
    public void attach(VcpuContext v) {
        VmxVcpu x = new VmxVcpu(v, emulator, mmu);
        VmxVcpu before = vcpus.put(v.id, x);
        if (before != null) before.close();
        v.intercepts = x;
        x.mmuChanged(realMode, realModePages);
    }

    @Override
    public void detach(VcpuContext v) {
        v.intercepts = null;
        v.exceptionBitmap = 0;
        v.movDrExits = v.monitorTrap = false;
        v.tlb.flush(false);
    }

    @Override
    public int enter(VcpuContext v, long budget, boolean exact) {
        return ((VmxVcpu) v.intercepts).enter(budget, exact);
    }

    @Override
    public void mmuChanged(VcpuContext v) {
        vcpu(v).mmuChanged(realMode, realModePages);
        v.tlb.flush(false);
    }

    @Override
    public VmcsView vmcs(VcpuContext v) {
        return vcpu(v).vmcsView();
    }

    /** Kept for the whole life of the backend, also for vCPUs that were given back. */
    @Override
    public Map<String, Long> counters() {
        Map<String, Long> c = new LinkedHashMap<>();
        long[] byReason = new long[ExitReasons.COUNT];
        long exits = 0;
        for (VmxVcpu x : vcpus.values()) {
            x.addCounters(c);
            for (int r = 0; r < byReason.length; r++) {
                byReason[r] += x.exitCount(r);
                exits += x.exitCount(r);
            }
        }
        c.put("exits", exits);
        for (int r = 0; r < byReason.length; r++) {
            if (byReason[r] != 0) c.put("exits." + ExitReasons.name(r), byReason[r]);
        }
        return c;
    }

    @Override
    public void close() {
        vcpus.values().forEach(VmxVcpu::close);
        vcpus.clear();
    }

    /** The vCPU's processor; package-visible for tests, which write the VMCS. */
    VmxVcpu vcpu(VcpuContext v) {
        return vcpus.get(v.id);
    }
}
