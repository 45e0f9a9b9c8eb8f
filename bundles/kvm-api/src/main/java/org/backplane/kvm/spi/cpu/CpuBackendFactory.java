package org.backplane.kvm.spi.cpu;

import org.backplane.kvm.spi.CardFactory;
import org.backplane.kvm.spi.mmu.Mmu;
import org.backplane.kvm.spi.mmu.VmMemory;
import org.osgi.annotation.versioning.ConsumerType;

/** Makes CPU backends. An OSGi service; {@link #type} is the name for {@code -cpu-backend}. */
@ConsumerType
public interface CpuBackendFactory extends CardFactory {
    /**
     * Makes the backend of one VM.
     *
     * @param emulator the engine, for a backend in software; it may be replaced at a boundary by closing this backend
     *     and creating another
     * @param mmu the active MMU strategy
     */
    CpuBackend create(VmMemory memory, Emulator emulator, Mmu mmu);
}
