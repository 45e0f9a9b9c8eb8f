package org.backplane.kvm.core.vm;

import java.util.List;
import java.util.Map;
import org.backplane.kvm.core.memory.GuestMemory;
import org.backplane.kvm.core.memory.ReservedPages;
import org.backplane.kvm.spi.cpu.CpuBackend;
import org.backplane.kvm.spi.cpu.CpuBackendFactory;
import org.backplane.kvm.spi.cpu.Emulator;
import org.backplane.kvm.spi.cpu.EmulatorFactory;
import org.backplane.kvm.spi.cpu.RealMode;
import org.backplane.kvm.spi.cpu.RealModePages;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.mmu.Mmu;
import org.backplane.kvm.spi.mmu.MmuContext;
import org.backplane.kvm.spi.mmu.MmuFactory;
import org.backplane.kvm.spi.mmu.VmMemory;

/**
 * The three cards that make the CPU of a VM: backend, MMU, emulator; all are there, or none.
 *
 * <p><b>Guarantees.</b> Nothing of a card survives a replacement: the backend is made anew around whichever card changed, the MMU's tables are
 * rebuilt from {@code CpuState}, all TLBs are empty. Real mode runs as it was asked for wherever the MMU allows that. If a new card cannot be made, the old ones are in service again.
 *
 * <p><b>Threading.</b> Changes with all vCPUs at a boundary.
 */
final class CpuCards {
    /** The factories in use. */
    record Choice(CpuBackendFactory backend, MmuFactory mmu, EmulatorFactory emulator) {}

    private final GuestMemory memory;
    private final List<KvmVcpu> vcpus;
    private final Map<String, String> mmuProperties;
    private Choice choice;

    /** What was asked for; null leaves it to the MMUs. */
    private volatile RealMode askedRealMode;

    /** The first MMU had EPT, so that unrestricted guest is what a swap away from it converts if nobody asked for anything. */
    private boolean eptFirst;

    private boolean anyBefore;

    private CpuBackend backend;
    private Mmu mmu;
    private Emulator emulator;

    CpuCards(GuestMemory memory, List<KvmVcpu> vcpus, Map<String, String> mmuProperties) {
        this.memory = memory;
        this.vcpus = vcpus;
        this.mmuProperties = mmuProperties;
    }

    CpuBackend backend() {
        return backend;
    }

    Mmu mmu() {
        return mmu;
    }

    Emulator emulator() {
        return emulator;
    }

    Choice choice() {
        return choice;
    }

    boolean present() {
        return backend != null;
    }

    /** How real mode is to run from the next {@link #install} on; null for what suits the MMU of that. */
    void askRealMode(RealMode mode) {
        askedRealMode = mode;
    }

    /** How real mode runs with the MMU in service. */
    RealMode realMode() {
        return serving(mmu.kind());
    }

    private RealMode serving(Mmu.Kind kind) {
        boolean ept = kind == Mmu.Kind.TWO_DIMENSIONAL;
        if (askedRealMode != null) return askedRealMode.servedBy(ept);
        return RealMode.preferred(ept || eptFirst).servedBy(ept);
    }

    private CpuBackend backend(Choice next, Emulator e, Mmu m) {
        CpuBackend b = next.backend().create(memory, e, m);
        if (!anyBefore) eptFirst = m.kind() == Mmu.Kind.TWO_DIMENSIONAL;
        anyBefore = true;
        b.realMode(serving(m.kind()), RealModePages.STANDARD);
        return b;
    }

    /** The pages that real mode's stand-ins need are there before an MMU looks at the slots; one that is there already is told. */
    private void reservePages(Choice next) {
        boolean sameMmu = choice != null && choice.mmu() == next.mmu();
        if (serving(sameMmu ? mmu.kind() : kind(next.mmu())) == RealMode.UNRESTRICTED) return;
        if (ReservedPages.map(memory) && mmu != null) mmu.slotsChanged();
    }

    /** How the MMUs of a factory use their tables. */
    Mmu.Kind kind(MmuFactory factory) {
        try (Mmu m = factory.create(context())) {
            return m.kind();
        }
    }

    /** Puts the cards of a choice in service; cards that are not changed keep their instance. */
    void install(Choice next) {
        Emulator newEmulator = emulator;
        Mmu newMmu = mmu;
        boolean changeEmulator = choice == null || choice.emulator() != next.emulator();
        boolean changeMmu = choice == null || choice.mmu() != next.mmu();
        try {
            reservePages(next);
            if (changeEmulator) newEmulator = next.emulator().create(memory);
            if (changeMmu) newMmu = next.mmu().create(context());
            CpuBackend newBackend = backend(next, newEmulator, newMmu);
            for (KvmVcpu c : vcpus) if (backend != null) backend.detach(c.context());
            CpuBackend oldBackend = backend;
            Emulator oldEmulator = emulator;
            Mmu oldMmu = mmu;
            choice = next;
            emulator = newEmulator;
            mmu = newMmu;
            backend = newBackend;
            if (oldBackend != null) oldBackend.close();
            if (changeMmu && oldMmu != null) oldMmu.close();
            if (changeEmulator && oldEmulator != null) oldEmulator.close();
        } catch (RuntimeException e) {
            if (changeEmulator && newEmulator != emulator) newEmulator.close();
            if (changeMmu && newMmu != mmu) newMmu.close();
            throw e;
        }
        try {
            for (KvmVcpu c : vcpus) attach(c);
        } catch (RuntimeException | LinkageError e) {
            remove();
            throw e;
        }
    }

    /**
     * Has the cards of a choice run a guest of their own, so that what is slow or fails does so before the VM is stopped. Any thread: nothing of this VM is
     * touched, which may run on or be closed meanwhile.
     */
    void rehearse(Choice next) {
        Rehearsal.run(next, askedRealMode, mmuProperties);
    }

    /** A new vCPU, or one whose cards were replaced. Its PDPTEs are registers, and stay what they are whatever memory holds by now. */
    void attach(KvmVcpu c) {
        VcpuContext v = c.context();
        c.control().setMmu(mmu);
        backend.attach(v);
        c.control().newContext();
        backend.mmuChanged(v);
    }

    /** Takes all three out of service, because one of their bundles stops. The vCPUs cannot run until {@link #install}. */
    void remove() {
        if (backend == null) return;
        for (KvmVcpu c : vcpus) backend.detach(c.context());
        backend.close();
        mmu.close();
        emulator.close();
        backend = null;
        mmu = null;
        emulator = null;
        choice = null;
        for (KvmVcpu c : vcpus) c.context().tlb.flush(false);
    }

    private MmuContext context() {
        return new MmuContext() {
            @Override
            public VmMemory memory() {
                return memory;
            }

            @Override
            public List<VcpuContext> vcpus() {
                return vcpus.stream().map(KvmVcpu::context).toList();
            }

            @Override
            public void flushRemoteTlbs() {
                for (KvmVcpu c : vcpus) c.requestTlbFlush();
            }

            @Override
            public Map<String, String> properties() {
                return mmuProperties;
            }
        };
    }
}
