package org.backplane.kvm.core.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.backplane.kvm.api.KvmRegs;
import org.backplane.kvm.api.KvmRun.Exit;
import org.backplane.kvm.spi.cpu.RealMode;
import org.backplane.kvm.spi.mmu.AuditReport;
import org.backplane.kvm.spi.mmu.AuditReport.Rule;
import org.backplane.kvm.spi.mmu.Spte;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The audit every so many exits. */
class AuditorTest {
    /** 100 times CPUID, then HLT. */
    private static final String CPUIDS = "b9 64000000 51 0fa2 59 e2fa f4";

    private final List<AuditReport.Violation> told = new ArrayList<>();

    @Test
    void exitsServedInPlaceAreCountedAndAudited() {
        try (HandMadeVm m = new HandMadeVm()) {
            m.vm.auditEvery(10, told::add);
            m.boot("shadow", CPUIDS);
            m.run(Exit.HLT);
            Auditor a = m.vm.auditor();
            assertTrue(a.audits() >= 10 && a.audits() <= 12, "100 CPUID, a few page faults and HLT: " + a.audits());
            assertTrue(a.checks() > a.audits(), "each compares the mapped pages and the way to them: " + a.checks());
            assertEquals(0, a.violations());
            assertEquals(List.of(), told);
        }
    }

    @Test
    void violationsAreToldAndCounted() {
        try (HandMadeVm m = new HandMadeVm()) {
            m.vm.auditEvery(10, told::add);
            m.boot("shadow", CPUIDS);
            m.vm.mmu().fault(m.vcpu.context(), 0x5000, 0);
            var leaf = m.vm.mmu().view().walk(m.vcpu.context(), 0x5000).getLast();
            m.vm.memory().frames().setEntry(leaf.frame(), leaf.index(), Spte.of(m.vm.memory().frame(6), leaf.spte() & 0xfff));
            m.run(Exit.HLT);
            assertEquals(Rule.RMAP, told.getFirst().rule());
            assertTrue(told.stream().anyMatch(x -> x.rule() == Rule.TRANSLATION));
            assertEquals(told.size(), m.vm.auditor().violations());
        }
    }

    @Test
    void withoutTheOptionNothingIsAuditedUntilSomebodyAsks() {
        try (HandMadeVm m = new HandMadeVm()) {
            m.boot("shadow", CPUIDS);
            m.run(Exit.HLT);
            assertEquals(0, m.vm.auditor().audits());
            assertTrue(m.vm.auditor().audit().checks() > 0);
            assertEquals(1, m.vm.auditor().audits());
        }
    }

    @Test
    void everyMmuWithAnAuditIsAudited() {
        try (HandMadeVm m = new HandMadeVm()) {
            m.vm.auditEvery(10, told::add);
            m.boot("direct", CPUIDS);
            m.run(Exit.HLT);
            assertTrue(m.vm.auditor().checks() > 0);
            assertEquals(0, m.vm.auditor().violations());
        }
    }

    /** What the processor cannot enter is no exit, and so passes the one who counts exits by. */
    @Test
    @Timeout(value = 10, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void anAuditedVmRunsRealModeInTheEmulator() {
        try (RealModeVm m = new RealModeVm()) {
            m.vm.auditEvery(10, told::add);
            m.boot("shadow", RealMode.EMULATE, "b9 6400 43 e2fd f4"); // mov cx,64h; again: inc bx; loop again; hlt
            m.run(Exit.HLT);
            assertEquals(100, m.word(KvmRegs.RBX));
        }
    }

    @Test
    void itIsDecidedBeforeTheFirstVcpu() {
        try (HandMadeVm m = new HandMadeVm()) {
            m.boot("shadow", CPUIDS);
            assertThrows(IllegalStateException.class, () -> m.vm.auditEvery(10, told::add));
        }
    }
}
