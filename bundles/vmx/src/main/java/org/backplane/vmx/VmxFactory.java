package org.backplane.vmx;

import org.backplane.kvm.spi.cpu.CpuBackend;
import org.backplane.kvm.spi.cpu.CpuBackendFactory;
import org.backplane.kvm.spi.cpu.Emulator;
import org.backplane.kvm.spi.mmu.Mmu;
import org.backplane.kvm.spi.mmu.VmMemory;
import org.osgi.service.component.annotations.Component;

/** {@code -cpu-backend vmx}: VT-x in software. */
@Component(service = CpuBackendFactory.class)
public final class VmxFactory implements CpuBackendFactory {
    @Override
    public String type() {
        return "vmx";
    }

    @Override
    public String description() {
        return "VT-x in software: VMCS, VM-entry checks and VM exits around an emulator as the processor";
    }

    @Override
    public CpuBackend create(VmMemory memory, Emulator emulator, Mmu mmu) {
        return new VmxBackend(emulator, mmu);
    }
}
