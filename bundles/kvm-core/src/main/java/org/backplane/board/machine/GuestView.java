package org.backplane.board.machine;

import java.util.Optional;
import org.backplane.kvm.core.vm.KvmVcpu;
import org.backplane.kvm.core.vm.KvmVm;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.mmu.Mmu;

/**
 * Copies of a guest's processor and memory, for whoever wants to look at them.
 *
 * <p><b>Threading.</b> Any thread; each look is a request, which finds the vCPU outside of the guest.
 */
final class GuestView {
    private final MachineLoop loop;
    private final KvmVm vm;
    private final KvmVcpu vcpu;
    private final GuestDma dma;

    GuestView(MachineLoop loop, KvmVm vm, KvmVcpu vcpu, GuestDma dma) {
        this.loop = loop;
        this.vm = vm;
        this.vcpu = vcpu;
        this.dma = dma;
    }

    /** The processor's state. */
    CpuState cpu() {
        return loop.call(() -> {
            CpuState copy = new CpuState();
            copy.copyFrom(vcpu.context().state);
            return copy;
        });
    }

    /** Physical memory; where there is none, all bits are set. */
    byte[] physical(long gpa, int length) {
        return loop.call(() -> {
            byte[] to = new byte[length];
            for (int i = 0; i < length; i++) dma.read(gpa + i, to, i, 1);
            return to;
        });
    }

    /** Linear memory through the guest's tables; empty if a byte of it is not mapped, or there is no CPU to ask. */
    Optional<byte[]> linear(long gva, int length) {
        return loop.call(() -> {
            if (!vm.cpuPresent()) return Optional.empty();
            byte[] to = new byte[length];
            for (int i = 0; i < length; i++) {
                long gpa = vm.mmu().gvaToGpa(vcpu.context(), gva + i, Mmu.PROBE);
                if (gpa < 0) return Optional.empty();
                dma.read(gpa, to, i, 1);
            }
            return Optional.of(to);
        });
    }
}
