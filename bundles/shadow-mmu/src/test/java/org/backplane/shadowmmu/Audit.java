package org.backplane.shadowmmu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.backplane.kvm.spi.mmu.AuditReport;

/** The MMU's own audit, as an assertion. */
final class Audit {
    private final ShadowMmu mmu;

    /** SPTEs that were compared, so that a test can see that it tests something. */
    long checks;

    Audit(ShadowMmu mmu) {
        this.mmu = mmu;
    }

    void check() {
        AuditReport report = mmu.view().audit().orElseThrow();
        checks += report.checks();
        assertEquals(List.of(), report.violations());
        assertEquals(0, report.violationCount());
    }
}
