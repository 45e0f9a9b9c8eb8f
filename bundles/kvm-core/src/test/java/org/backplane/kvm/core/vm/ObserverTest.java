package org.backplane.kvm.core.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.backplane.kvm.api.KvmRegs;
import org.backplane.kvm.api.KvmRun.Exit;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.exit.ExitHandler;
import org.backplane.kvm.spi.exit.ExitHandler.Result;
import org.backplane.kvm.spi.exit.ExitReasons;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Foreign exit handlers: they see every exit once, may take it, and cannot hurt the guest (contracts 9 and 12). */
class ObserverTest {
    private final HandMadeVm hand = new HandMadeVm();

    @AfterEach
    void close() {
        hand.close();
    }

    private void observe(ExitHandler handler, int... reasons) {
        BitSet set = new BitSet();
        for (int r : reasons) set.set(r);
        hand.vm.setForeignHandlers(List.of(new KvmVm.ForeignHandler(handler, set)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void anObserverSeesEachExitOnceAndTheGuestGoesOnAsIfItWereNotThere(String mmu) {
        // mov al,5; out 42,al; cpuid; in al,60; mov [fff00000],eax; hlt
        hand.boot(mmu, "b0 05 e6 42 31 c0 0f a2 e4 60 a3 0000f0ff f4");
        List<Integer> seen = new ArrayList<>();
        observe(
                (v, e) -> {
                    seen.add(e.reason);
                    return Result.PASS;
                },
                ExitReasons.IO,
                ExitReasons.CPUID,
                ExitReasons.EPT_VIOLATION,
                ExitReasons.HLT);
        assertEquals(5, hand.run(Exit.IO).dataValue(1));
        hand.run(Exit.IO).setData(1, 0x66);
        assertEquals(0x66, hand.run(Exit.MMIO).dataValue(1));
        hand.run(Exit.HLT);
        seen.removeIf(r -> r == ExitReasons.EPT_VIOLATION); // code and data pages that the processor sees first
        assertEquals(List.of(ExitReasons.IO, ExitReasons.CPUID, ExitReasons.IO, ExitReasons.HLT), seen);
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void anObserverThatSkipsStandsForTheInstruction(String mmu) {
        hand.boot(mmu, "b0 05 e6 42 e4 60 f4"); // mov al,5; out 42,al; in al,60; hlt
        observe(
                (v, e) -> {
                    if ((e.qualification & 8) != 0) v.state.gpr[CpuState.RAX] = 0x99;
                    return Result.SKIP;
                },
                ExitReasons.IO);
        hand.run(Exit.HLT);
        assertEquals(0x99, hand.vcpu.getRegs().gpr[KvmRegs.RAX]);
        assertEquals(HandMadeVm.CODE + 7, hand.rip());
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void anObserverThatResumesSaysWhereTheGuestGoesOn(String mmu) {
        hand.boot(mmu, "e6 42 eb fe f4"); // out 42,al; jmp $; hlt
        observe(
                (v, e) -> {
                    v.state.rip = HandMadeVm.CODE + 4;
                    return Result.RESUME;
                },
                ExitReasons.IO);
        hand.run(Exit.HLT);
        assertEquals(HandMadeVm.CODE + 5, hand.rip());
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void anObserverThatThrowsIsReportedAndAskedNoMore(String mmu) {
        hand.boot(mmu, "b0 01 e6 42 b0 02 e6 42 f4"); // out 42,1; out 42,2; hlt
        int[] asked = {0};
        observe(
                (v, e) -> {
                    asked[0]++;
                    throw new IllegalStateException("broken observer");
                },
                ExitReasons.IO);
        assertEquals(1, hand.run(Exit.IO).dataValue(1));
        assertEquals(2, hand.run(Exit.IO).dataValue(1));
        hand.run(Exit.HLT);
        assertEquals(1, asked[0]);
        assertEquals(1, hand.faults.size());
        assertTrue(hand.faults.getFirst().contains("broken observer"), hand.faults::toString);
    }
}
