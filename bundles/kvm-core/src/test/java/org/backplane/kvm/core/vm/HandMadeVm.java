package org.backplane.kvm.core.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.backplane.directmmu.DirectMmuFactory;
import org.backplane.kvm.api.KvmRegs;
import org.backplane.kvm.api.KvmRun;
import org.backplane.kvm.api.KvmRun.Exit;
import org.backplane.kvm.api.KvmSregs;
import org.backplane.kvm.api.KvmSregs.Segment;
import org.backplane.kvm.spi.cpu.EmulatorFactory;
import org.backplane.shadowmmu.ShadowMmuFactory;
import org.backplane.vmx.VmxFactory;
import org.backplane.x86.emulate.InterpreterFactory;

/**
 * A VM with one vCPU and no card, driven over the KVM API as qemu drove KVM in 2007: flat 32-bit protected mode, 1 MiB of memory, code at
 * {@link #CODE}, the stack below 8000.
 */
final class HandMadeVm implements AutoCloseable {
    static final long CODE = 0x1000;

    /** What handlers threw, as text. */
    final List<String> faults = new ArrayList<>();

    final KvmVm vm = new KvmVm(VmHost.NONE, (s, e) -> faults.add(s + ": " + e), Map.of(), () -> {});
    KvmVcpu vcpu;

    /** The emulator card; to be changed before {@link #boot}. */
    EmulatorFactory emulator = new InterpreterFactory();

    /** Puts cards and code in place. */
    void boot(String mmu, String hex) {
        install(mmu);
        vm.setMemoryRegion(0, 0, 0, 1 << 20);
        byte[] code = HexFormat.of().parseHex(hex.replace(" ", ""));
        MemorySegment.copy(code, 0, vm.map(), ValueLayout.JAVA_BYTE, CODE, code.length);
        vcpu = vm.createVcpu(0);
        KvmSregs s = vcpu.getSregs();
        s.cr0 = 0x11;
        s.cs = flat(0x10, 11);
        s.ds = s.es = s.ss = s.fs = s.gs = flat(0x18, 3);
        vcpu.setSregs(s);
        KvmRegs r = vcpu.getRegs();
        r.rip = CODE;
        r.gpr[KvmRegs.RSP] = 0x8000;
        vcpu.setRegs(r);
    }

    void install(String mmu) {
        vm.installCpu(
                new VmxFactory(),
                mmu.equals("shadow") ? new ShadowMmuFactory() : new DirectMmuFactory(),
                emulator);
    }

    private static Segment flat(int selector, int type) {
        return new Segment(0, 0xffffffffL, selector, type, true, 0, true, true, false, true, false, false);
    }

    KvmRun run(Exit expected) {
        KvmRun run = vcpu.run();
        assertEquals(expected, run.exitReason, run.message);
        return run;
    }

    long rip() {
        return vcpu.getRegs().rip;
    }

    @Override
    public void close() {
        vm.close();
    }
}
