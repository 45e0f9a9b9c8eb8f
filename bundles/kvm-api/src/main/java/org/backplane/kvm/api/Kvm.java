package org.backplane.kvm.api;

import java.util.List;
import java.util.Map;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The system interface, what {@code /dev/kvm} is: an OSGi service that appears when the core, a CPU backend, an MMU and an emulator
 * are there.
 */
@ProviderType
public interface Kvm {
    /** KVM_GET_API_VERSION of 2007's stable ABI. */
    int API_VERSION = 12;

    int apiVersion();

    /** KVM_CHECK_EXTENSION: a positive number when the extension is there. See {@link Extension}. */
    int checkExtension(Extension extension);

    /** KVM_GET_MSR_INDEX_LIST: MSRs that {@link Vcpu#getMsrs} and {@link Vcpu#setMsrs} know. */
    List<Integer> msrIndexList();

    /** KVM_CREATE_VM with the default cards. */
    default Vm createVm() {
        return createVm(Map.of());
    }

    /**
     * KVM_CREATE_VM.
     *
     * @param options {@code cpu-backend}, {@code mmu}, {@code emulator}: card types; missing ones take the best there is. {@code realmode}: a value of
     *     {@link org.backplane.kvm.spi.cpu.RealMode}; without it what suits the MMU. Whatever else is
     *     there is a property of the MMU, as {@code shadow-pages}, the most shadow pages of {@code mmu=shadow} (at least 64)
     * @throws KvmException ENODEV if no such card is there, EINVAL for a value that a card refuses
     */
    Vm createVm(Map<String, String> options);

    /** Names of optional capabilities. */
    enum Extension {
        USER_MEMORY,
        SET_TSS_ADDR,
        MP_STATE,
        COALESCED_MMIO,
        NR_VCPUS,
        NR_MEMSLOTS,
        GUEST_DEBUG
    }
}
