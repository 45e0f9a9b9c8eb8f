package org.backplane.kvm.core;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.backplane.board.cards.Card;
import org.backplane.board.cards.Card.Kind;
import org.backplane.board.cards.CardRegistry;
import org.backplane.kvm.api.Kvm;
import org.backplane.kvm.api.KvmException;
import org.backplane.kvm.api.KvmException.Errno;
import org.backplane.kvm.api.Vm;
import org.backplane.kvm.core.cpu.Msrs;
import org.backplane.kvm.core.vm.KvmVm;
import org.backplane.kvm.core.vm.VmHost;
import org.backplane.kvm.spi.cpu.CpuBackendFactory;
import org.backplane.kvm.spi.cpu.EmulatorFactory;
import org.backplane.kvm.spi.cpu.RealMode;
import org.backplane.kvm.spi.mmu.MmuFactory;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.slf4j.LoggerFactory;

/**
 * {@code /dev/kvm}: there while a CPU backend, an MMU and an emulator are there. It goes, and its VMs with it, when the last of a kind goes.
 */
@Component
public final class KvmService implements Kvm {
    private static final String BACKEND = "cpu-backend", MMU = "mmu", EMULATOR = "emulator", REAL_MODE = "realmode";

    /** Options of {@link #createVm} that are not properties of the MMU. */
    private static final Set<String> OWN_OPTIONS = Set.of(BACKEND, MMU, EMULATOR, REAL_MODE);

    private final CardRegistry registry;
    private final Set<KvmVm> vms = ConcurrentHashMap.newKeySet();

    /** The references only say when the service may exist; the cards themselves are taken from the registry. */
    @Reference(policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.RELUCTANT)
    volatile CpuBackendFactory anyBackend;

    @Reference(policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.RELUCTANT)
    volatile MmuFactory anyMmu;

    @Reference(policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.RELUCTANT)
    volatile EmulatorFactory anyEmulator;

    @Activate
    public KvmService(@Reference CardRegistry registry) {
        this.registry = registry;
    }

    @Override
    public int apiVersion() {
        return API_VERSION;
    }

    @Override
    public int checkExtension(Extension extension) {
        return switch (extension) {
            case USER_MEMORY, GUEST_DEBUG -> 1;
            case NR_VCPUS -> Vm.MAX_VCPUS;
            case NR_MEMSLOTS -> Vm.MAX_SLOTS;
            default -> 0;
        };
    }

    @Override
    public List<Integer> msrIndexList() {
        return Msrs.INDICES;
    }

    @Override
    public Vm createVm(Map<String, String> options) {
        Map<String, String> mmuProperties = new HashMap<>(options);
        mmuProperties.keySet().removeAll(OWN_OPTIONS);
        KvmVm[] self = new KvmVm[1];
        KvmVm vm = new KvmVm(
                VmHost.NONE,
                (slot, e) -> LoggerFactory.getLogger(KvmService.class).error("slot {} threw", slot, e),
                Map.copyOf(mmuProperties),
                () -> vms.remove(self[0]));
        self[0] = vm;
        RealMode realMode = realMode(options);
        vm.askRealMode(realMode);
        try {
            vm.installCpu(
                    (CpuBackendFactory) card(Kind.CPU_BACKEND, options, BACKEND, "vmx").factory(),
                    (MmuFactory) card(Kind.MMU, options, MMU, "direct").factory(),
                    (EmulatorFactory) card(Kind.EMULATOR, options, EMULATOR, "interpreter").factory());
        } catch (IllegalArgumentException e) {
            vm.close();
            throw new KvmException(Errno.EINVAL, e.getMessage());
        }
        if (realMode == RealMode.UNRESTRICTED && vm.realMode() != realMode) {
            vm.close();
            throw new KvmException(Errno.EINVAL, "realmode: " + RealMode.NEEDS_EPT);
        }
        vms.add(vm);
        return vm;
    }

    private static RealMode realMode(Map<String, String> options) {
        String text = options.get(REAL_MODE);
        if (text == null) return null;
        return RealMode.of(text)
                .orElseThrow(() -> new KvmException(Errno.EINVAL, "realmode: " + RealMode.options() + ", not '" + text + "'"));
    }

    private Card card(Kind kind, Map<String, String> options, String key, String preferred) {
        String type = options.get(key);
        if (type != null) {
            return registry.newest(kind, type).orElseThrow(() -> new KvmException(Errno.ENODEV, key + ": no card '" + type + "'"));
        }
        return registry.newest(kind, preferred)
                .or(() -> registry.all().stream().filter(c -> c.kind() == kind).findFirst())
                .orElseThrow(() -> new KvmException(Errno.ENODEV, "no " + key + " card"));
    }

    @Deactivate
    void stop() {
        for (KvmVm vm : List.copyOf(vms)) {
            try {
                vm.close();
            } catch (KvmException e) {
                LoggerFactory.getLogger(KvmService.class).error("a VM cannot be closed", e);
            }
        }
    }
}
