package org.backplane.kvm.core.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HexFormat;
import org.backplane.kvm.api.KvmRegs;
import org.backplane.kvm.api.KvmRun.Exit;
import org.backplane.kvm.api.KvmSregs;
import org.backplane.kvm.core.cpu.Msrs;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.exit.ExitReasons;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What ends an exit other than its instruction's success: #GP for the guest, or the caller of the KVM API (kvm-internals 2 and 3). */
class GuestFaultsTest {
    private static final int HANDLER = 0x1100, IDT = 0x3000, GDT = 0x4000, STACK = 0x8000;

    private final HandMadeVm machine = new HandMadeVm();

    @AfterEach
    void close() {
        machine.close();
    }

    /** The vector's handler halts. */
    private void boot(String mmu, String hex, int vector) {
        machine.boot(mmu, hex + "f4");
        machine.vm.writeMemory(HANDLER, new byte[] {(byte) 0xf4});
        machine.vm.writeMemory(IDT + vector * 8, HexFormat.of().parseHex("00111000008e0000"));
        machine.vm.writeMemory(GDT + 0x10, HexFormat.of().parseHex("ffff0000009bcf00"));
        KvmSregs s = machine.vcpu.getSregs();
        s.idt = new KvmSregs.Table(IDT, 0x7ff);
        s.gdt = new KvmSregs.Table(GDT, 0x1f);
        machine.vcpu.setSregs(s);
    }

    /** Code at 1000 that meets #GP(0) five bytes on. */
    private void assertGeneralProtection(String mmu, String hex) {
        boot(mmu, hex, 13);
        machine.run(Exit.HLT);
        assertEquals(HANDLER + 1, machine.rip(), hex);
        assertEquals(STACK - 16, machine.vcpu.getRegs().gpr[KvmRegs.RSP], "FLAGS, CS, EIP and an error code");
        assertEquals(0, machine.vm.memory().read(STACK - 16, 4), "the error code");
        assertEquals(HandMadeVm.CODE + 5, machine.vm.memory().read(STACK - 12, 4), "the instruction itself");
    }

    @ParameterizedTest
    @CsvSource({
        "direct, rdmsr, b9 45230100 0f32", "shadow, rdmsr, b9 45230100 0f32",
        "direct, wrmsr, b9 45230100 0f30", "shadow, wrmsr, b9 45230100 0f30"
    })
    void anUnknownMsrIsGeneralProtection(String mmu, String name, String hex) {
        assertGeneralProtection(mmu, hex);
    }

    @ParameterizedTest
    @CsvSource({
        "direct, CR0 with NW and without CD, b8 11000020 0f22c0", "shadow, CR0 with NW and without CD, b8 11000020 0f22c0",
        "direct, CR4 with VMXE, b8 00200000 0f22e0", "shadow, CR4 with VMXE, b8 00200000 0f22e0"
    })
    void aBadControlRegisterIsGeneralProtection(String mmu, String name, String hex) {
        assertGeneralProtection(mmu, hex);
    }

    /** SDM 3B 17.2.2: without CR4.DE they are DR6 and DR7. */
    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void debugRegisters4And5AreUndefinedUnderDebuggingExtensions(String mmu) {
        boot(mmu, "0f 21 e8 b9 08000000 0f 22 e1 0f 21 e8", 6); // mov eax,dr5; mov ecx,8; mov cr4,ecx; mov eax,dr5
        machine.run(Exit.HLT);
        assertEquals(HANDLER + 1, machine.rip());
        assertEquals(0x400, machine.vcpu.getRegs().gpr[KvmRegs.RAX]);
        assertEquals(HandMadeVm.CODE + 11, machine.vm.memory().read(STACK - 12, 4), "the second");
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void aStateThatDoesNotEnterIsFailEntry(String mmu) {
        machine.boot(mmu, "f4");
        machine.vcpu.context().state.segAr[CpuState.TR] = 0;
        assertEquals(0x8000_0021L, machine.run(Exit.FAIL_ENTRY).hardwareExitReason);
    }

    @Test
    void theApicBaseAfterResetIsThatOfTheEnabledBootProcessor() {
        machine.boot("direct", "f4");
        assertEquals(0xfee00000L | 1 << 8 | 1 << 11, machine.vcpu.getSregs().apicBase);
    }

    /** The exit is made up: no guest of ours can cause one that nobody handles. */
    @Test
    void aReasonThatNobodyHandlesIsUnknown() {
        machine.boot("direct", "f4");
        VcpuContext v = machine.vcpu.context();
        VcpuExits exits = new VcpuExits(machine.vcpu, machine.vm);
        Msrs msrs = new Msrs(v.state, machine.vcpu.control(), machine.vcpu.cpuid(), () -> 0);
        exits.connect(v, machine.vcpu.control(), msrs, new UserExit(v, machine.vcpu.kvmRun()));
        v.exit.reason = ExitReasons.EPT_MISCONFIGURATION;
        exits.handleSlow();
        assertEquals(Exit.UNKNOWN, machine.vcpu.kvmRun().exitReason);
        assertEquals(49, machine.vcpu.kvmRun().hardwareExitReason);
    }
}
