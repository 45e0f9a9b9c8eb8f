package org.backplane.kvm.core.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.backplane.kvm.api.KvmRun.Exit;
import org.backplane.kvm.core.exit.ExitObserver;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.exit.ExitReasons;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who watches exits is told of the beginning and the end of each, fast and slow ones alike. */
class ExitObserverTest {
    private final HandMadeVm hand = new HandMadeVm();
    private final List<String> told = new ArrayList<>();

    private final ExitObserver observer = new ExitObserver() {
        private String last;

        @Override
        public void came(VcpuContext v) {
            last = ExitReasons.name(v.exit.reason);
            told.add("came " + last);
        }

        @Override
        public void handled(VcpuContext v) {
            told.add("handled " + last);
        }
    };

    @AfterEach
    void close() {
        hand.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void everyExitComesAndIsHandled(String mmu) {
        hand.boot(mmu, "31 c0 0f a2 e4 60 f4"); // cpuid; in al,60; hlt
        hand.vm.observe(observer, -1);
        hand.run(Exit.IO).setData(1, 0x66);
        hand.run(Exit.HLT);
        for (int i = 0; i < told.size(); i++) {
            String other = i % 2 == 0 ? told.get(i) : told.get(i - 1).replace("came", "handled");
            assertEquals(other, told.get(i), told::toString);
        }
        for (int reason : new int[] {ExitReasons.CPUID, ExitReasons.IO, ExitReasons.HLT}) {
            String name = ExitReasons.name(reason);
            assertEquals(1, told.stream().filter(("came " + name)::equals).count(), told::toString);
            assertTrue(told.contains("handled " + name), told::toString);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void onlyTheReasonsAskedForAreTold(String mmu) {
        hand.boot(mmu, "31 c0 0f a2 31 c0 0f a2 f4"); // cpuid; cpuid; hlt
        hand.vm.observe(observer, 1L << ExitReasons.CPUID);
        hand.run(Exit.HLT);
        assertEquals(List.of("came CPUID", "handled CPUID", "came CPUID", "handled CPUID"), told);
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void whoStopsToWatchIsToldNoMore(String mmu) {
        hand.boot(mmu, "31 c0 0f a2 e4 60 31 c0 0f a2 f4"); // cpuid; in al,60; cpuid; hlt
        hand.vm.observe(observer, 1L << ExitReasons.CPUID);
        hand.run(Exit.IO).setData(1, 0);
        hand.vm.observe(observer, 0);
        hand.run(Exit.HLT);
        assertEquals(List.of("came CPUID", "handled CPUID"), told);
    }
}
