package org.backplane.kvm.core.vm;

import java.util.function.Consumer;
import org.backplane.kvm.spi.mmu.AuditReport;
import org.backplane.kvm.spi.mmu.Mmu;

/**
 * Audits the MMU of a VM: every so many VM exits, or when asked to. Totals last over swaps of the MMU.
 *
 * <p>An audit follows the handling of an exit, when tables and registers agree again. Exits that are served in place are counted by {@link
 * AuditedExits}, the others by the run loop.
 *
 * <p><b>Threading.</b> With the vCPUs at a boundary, or on a vCPU's own thread.
 */
public final class Auditor {
    /** So many violations are told; more are counted. */
    private static final int MOST_TOLD = 100;

    private final KvmVm vm;
    private final long every;
    private final Consumer<AuditReport.Violation> listener;
    private long untilNext;
    private long audits, checks, violations;

    /**
     * @param every exits from one audit to the next; 0 for none but those asked for
     * @param listener told of the first violations
     */
    Auditor(KvmVm vm, long every, Consumer<AuditReport.Violation> listener) {
        this.vm = vm;
        this.every = every;
        this.listener = listener;
        untilNext = every;
    }

    /** Audits by itself. */
    boolean active() {
        return every > 0;
    }

    /** An exit has been handled. */
    void exit() {
        if (every == 0 || --untilNext > 0) return;
        untilNext = every;
        audit();
    }

    /** Audits now. An MMU without an audit has nothing to compare. */
    public AuditReport audit() {
        Mmu mmu = vm.mmu();
        AuditReport report = mmu == null ? AuditReport.EMPTY : mmu.view().audit().orElse(AuditReport.EMPTY);
        audits++;
        checks += report.checks();
        for (AuditReport.Violation v : report.violations()) if (violations++ < MOST_TOLD) listener.accept(v);
        violations += report.violationCount() - report.violations().size();
        return report;
    }

    /** Audits made. */
    public long audits() {
        return audits;
    }

    /** Entries compared in all audits. */
    public long checks() {
        return checks;
    }

    /** Violations found in all audits. */
    public long violations() {
        return violations;
    }
}
