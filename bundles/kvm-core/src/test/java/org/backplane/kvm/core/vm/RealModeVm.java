package org.backplane.kvm.core.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HexFormat;
import java.util.Map;
import org.backplane.directmmu.DirectMmuFactory;
import org.backplane.kvm.api.KvmRegs;
import org.backplane.kvm.api.KvmRun;
import org.backplane.kvm.api.KvmRun.Exit;
import org.backplane.kvm.api.KvmSregs;
import org.backplane.kvm.spi.cpu.RealMode;
import org.backplane.kvm.spi.mmu.MmuFactory;
import org.backplane.shadowmmu.ShadowMmuFactory;
import org.backplane.vmx.VmxFactory;
import org.backplane.x86.emulate.InterpreterFactory;

/** A VM with one vCPU and no card, in real mode: {@link #MEMORY} bytes of memory, code at {@link #SEGMENT}:0000, the stack at 0000:8000. */
final class RealModeVm implements AutoCloseable {
    static final int SEGMENT = 0x100, CODE = SEGMENT << 4, MEMORY = 0xa0000;

    /** The ways that run real mode as the SDM has it, and the MMUs that they are for. */
    static final String WAYS = """
            direct, UNRESTRICTED
            direct, VM86
            direct, EMULATE
            shadow, VM86
            shadow, EMULATE
            """;

    final KvmVm vm = new KvmVm(VmHost.NONE, (s, e) -> {}, Map.of(), () -> {});
    KvmVcpu vcpu;
    private final VmxFactory vmx = new VmxFactory();
    private final InterpreterFactory interpreter = new InterpreterFactory();

    static MmuFactory mmu(String type) {
        return type.equals("shadow") ? new ShadowMmuFactory() : new DirectMmuFactory();
    }

    void install(String mmu) {
        install(mmu(mmu));
    }

    void install(MmuFactory mmu) {
        vm.installCpu(vmx, mmu, interpreter);
    }

    void boot(String mmu, RealMode mode, String hex) {
        vm.askRealMode(mode);
        install(mmu);
        vm.setMemoryRegion(0, 0, 0, MEMORY);
        byte[] code = HexFormat.of().parseHex(hex.replace(" ", ""));
        MemorySegment.copy(code, 0, vm.map(), ValueLayout.JAVA_BYTE, CODE, code.length);
        vcpu = vm.createVcpu(0);
        KvmSregs s = vcpu.getSregs();
        s.cs = segment(SEGMENT, 11);
        vcpu.setSregs(s);
        KvmRegs r = vcpu.getRegs();
        r.rip = 0;
        r.gpr[KvmRegs.RSP] = 0x8000;
        vcpu.setRegs(r);
    }

    static KvmSregs.Segment segment(int selector, int type) {
        return new KvmSregs.Segment((long) selector << 4, 0xffff, selector, type, true, 0, false, true, false, false, false, false);
    }

    KvmRun run(Exit expected) {
        KvmRun run = vcpu.run();
        assertEquals(expected, run.exitReason, run.message);
        return run;
    }

    /** The low word of a general register. */
    int word(int register) {
        return (int) vcpu.getRegs().gpr[register] & 0xffff;
    }

    /** Code, filled up to a length. */
    static String pad(String hex, int bytes) {
        String h = hex.replace(" ", "");
        return h + "90".repeat(bytes - h.length() / 2);
    }

    @Override
    public void close() {
        vm.close();
    }
}
