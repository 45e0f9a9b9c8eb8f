package org.backplane.kvm.core.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.stream.Stream;
import org.backplane.kvm.api.KvmRegs;
import org.backplane.kvm.api.KvmRun.Exit;
import org.backplane.kvm.api.KvmSregs;
import org.backplane.kvm.spi.cpu.CpuState;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Instructions that the processor has and the guest's CPUID has not: they exit, and the guest gets what its CPUID promises. Every exception leads to a
 * handler at {@code HANDLERS + 16 * vector} that halts.
 */
class AbsentInstructionsTest {
    private static final long IDT = 0x3000, GDT = 0x2000, HANDLERS = 0x6000;

    private final HandMadeVm hand = new HandMadeVm();

    @AfterEach
    void close() {
        hand.close();
    }

    private void boot(String mmu, String hex) {
        hand.boot(mmu, hex);
        write(GDT + 0x10, 0x00cf9b000000ffffL);
        write(GDT + 0x18, 0x00cf93000000ffffL);
        for (int vector = 0; vector < 32; vector++) {
            long at = HANDLERS + 16 * vector;
            write(at, 0xf4);
            write(IDT + 8 * vector, at & 0xffff | 0x10L << 16 | 0x8eL << 40 | at >> 16 << 48);
        }
        KvmSregs s = hand.vcpu.getSregs();
        s.gdt = new KvmSregs.Table(GDT, 0x1f);
        s.idt = new KvmSregs.Table(IDT, 0xff);
        hand.vcpu.setSregs(s);
    }

    private void write(long at, long value) {
        hand.vm.memory().write(at, 8, value);
    }

    private int vector() {
        hand.run(Exit.HLT);
        return (int) (hand.rip() - 1 - HANDLERS) >> 4;
    }

    static Stream<Arguments> undefined() {
        String[] codes = {
            "0f01c2", "0f01c3", "0f01c4", "660fc73500500000", "0fc73500500000", "0fc73d00500000", "f30fc73500500000", "0f78c8", "0f79c8",
            "660f388008", "660f388108", "0f01c8", "0f01c9", "0f01d1"
        };
        return Stream.of("shadow", "direct").flatMap(mmu -> Stream.of(codes).map(hex -> Arguments.of(mmu, hex)));
    }

    @ParameterizedTest
    @MethodSource("undefined")
    void vmxMonitorMwaitAndXsetbvAreUndefined(String mmu, String hex) {
        boot(mmu, hex);
        assertEquals(6, vector());
        assertEquals(HandMadeVm.CODE, hand.vm.memory().read(hand.vcpu.getRegs().gpr[KvmRegs.RSP], 4), "a fault");
    }

    @ParameterizedTest
    @ValueSource(strings = {"shadow", "direct"})
    void vmcallOfAnUnknownNumberAnswersMinus1000(String mmu) {
        boot(mmu, "0f01c1f4");
        hand.run(Exit.HLT);
        assertEquals(-1000L & 0xffffffffL, hand.vcpu.getRegs().gpr[KvmRegs.RAX]);
        assertEquals(HandMadeVm.CODE + 4, hand.rip());
    }

    /** SDM 3C 25.1.3: MOV DR exits before its faults, so the handler raises them. */
    @ParameterizedTest
    @ValueSource(strings = {"shadow", "direct"})
    void movOfADebugRegisterFaultsAsWithoutTheExit(String mmu) {
        boot(mmu, "0f21e0f4"); // mov eax, dr4
        hand.vcpu.context().state.dr[6] = 0xffff0ff1L;
        hand.run(Exit.HLT);
        assertEquals(0xffff0ff1L, hand.vcpu.getRegs().gpr[KvmRegs.RAX], "DR4 is DR6");
        CpuState s = hand.vcpu.context().state;
        s.rip = HandMadeVm.CODE;
        s.cr4 |= CpuState.CR4_DE;
        assertEquals(6, vector(), "not under CR4.DE");
        s.rip = HandMadeVm.CODE;
        s.cr4 &= ~CpuState.CR4_DE;
        s.dr[7] |= 1 << 13;
        assertEquals(1, vector(), "general detect");
        assertEquals(1 << 13, s.dr[6] & 1 << 13);
        assertEquals(0, s.dr[7] & 1 << 13, "DR7.GD is cleared for the handler");
    }

    @ParameterizedTest
    @ValueSource(strings = {"shadow", "direct"})
    void rdpmcHasNoCounterToRead(String mmu) {
        boot(mmu, "0f33");
        assertEquals(13, vector());
    }
}
