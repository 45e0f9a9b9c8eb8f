package org.backplane.kvm.spi.cpu;

import org.backplane.kvm.spi.CardFactory;
import org.backplane.kvm.spi.mmu.VmMemory;
import org.osgi.annotation.versioning.ConsumerType;

/** Makes emulators. An OSGi service; {@link #type} is the name for {@code -emulator}. */
@ConsumerType
public interface EmulatorFactory extends CardFactory {
    /** Makes the emulator of one VM. */
    Emulator create(VmMemory memory);

    /** Features it can execute, as CPUID leaf 1 reports them: EDX in bits 31:0, ECX in bits 63:32. The core masks with it. */
    long cpuFeatures();
}
