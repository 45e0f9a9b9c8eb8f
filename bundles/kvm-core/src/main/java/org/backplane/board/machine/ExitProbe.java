package org.backplane.board.machine;

import java.util.function.LongSupplier;
import org.backplane.board.api.ExitTrace;
import org.backplane.kvm.core.exit.ExitObserver;
import org.backplane.kvm.core.vm.KvmVm;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.exit.ExitReasons;
import org.backplane.kvm.spi.mmu.Mmu;

/**
 * What observes a machine's exits: a clock while somebody watches, and the ring of a trace. While there is neither, no reason is observed and
 * nothing of this is on the way of an exit.
 *
 * <p><b>What is timed</b> is the handling: from the complete record of the exit to the decision to go on. Counting, leaving and entering the engine
 * are not in it.
 *
 * <p><b>Threading.</b> The machine's thread.
 */
final class ExitProbe implements ExitObserver {
    private static final long ALL = -1;
    private static final int PAGE_FAULT = 14;

    private final KvmVm vm;
    private final LongSupplier clock;
    private final ExitMeter meter = new ExitMeter();
    private int watchers;
    private ExitRing ring;
    private boolean tracing;

    // The exit that is being handled.
    private int reason;
    private long began;
    private boolean recorded;

    /** @param clock the machine's virtual clock, in nanoseconds */
    ExitProbe(KvmVm vm, LongSupplier clock) {
        this.vm = vm;
        this.clock = clock;
    }

    ExitMeter meter() {
        return meter;
    }

    boolean timing() {
        return watchers > 0;
    }

    void watch() {
        watchers++;
        observe();
    }

    void unwatch() {
        watchers--;
        observe();
    }

    void trace(ExitRing to) {
        ring = to;
        tracing = true;
        observe();
    }

    void stopTrace() {
        tracing = false;
        recorded = false;
        observe();
    }

    ExitTrace trace() {
        return ring == null ? ExitTrace.NONE : ring.copy(tracing);
    }

    private void observe() {
        vm.observe(this, watchers > 0 ? ALL : tracing ? ring.reasons() : 0);
    }

    @Override
    public void came(VcpuContext v) {
        reason = v.exit.reason & ExitReasons.COUNT - 1;
        recorded = tracing && ring.wants(reason) && ring.record(v, clock.getAsLong(), gpa(v));
        began = System.nanoTime();
    }

    @Override
    public void handled(VcpuContext v) {
        long nanos = System.nanoTime() - began;
        if (watchers > 0) meter.add(reason, nanos);
        if (recorded) ring.handled(nanos);
    }

    /** The physical address of the exit: its own, or of a page fault in shadow mode what the guest's tables say. */
    private long gpa(VcpuContext v) {
        if (reason == ExitReasons.EPT_VIOLATION || reason == ExitReasons.EPT_MISCONFIGURATION) return v.exit.gpa;
        boolean pageFault = reason == ExitReasons.EXCEPTION_NMI && (v.exit.interruptionInfo & 0xff) == PAGE_FAULT;
        if (!pageFault || vm.mmu().kind() != Mmu.Kind.SHADOW) return -1;
        if (v.exit.gpa != 0) return v.exit.gpa;
        int error = v.faultError;
        long gpa = vm.mmu().gvaToGpa(v, v.exit.gva, Mmu.PROBE);
        v.faultError = error;
        return gpa;
    }
}
