package org.backplane.board.machine;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.backplane.kvm.api.KvmRun;
import org.backplane.kvm.core.clock.VirtualClock;
import org.backplane.kvm.core.vm.KvmVcpu;
import org.backplane.kvm.core.vm.KvmVm;
import org.backplane.kvm.core.vm.VmHost;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A vCPU that waits for something, and requests that come just before it does. */
@Timeout(20)
class MachineLoopIdleTest {
    /** An owner whose machine is over, so that the loop's own thread ends at once and {@code idle} can be called by the test. */
    private static final class Over implements MachineLoop.Owner {
        @Override
        public boolean runnable() {
            return false;
        }

        @Override
        public void exited(KvmRun run) {}

        @Override
        public void failed(Throwable t) {}

        @Override
        public void betweenRuns() {}

        @Override
        public void flush() {}

        @Override
        public boolean over() {
            return true;
        }

        @Override
        public void cardThrew(String slot, Throwable e) {}

        @Override
        public boolean singleSteps() {
            return false;
        }

        @Override
        public void step() {}

        @Override
        public void cutOff(Object callee, StackTraceElement[] where) {}
    }

    /** Its maker did not wake the thread, because that did not wait yet. */
    @Test
    void aRequestToLeaveThatIsThereAlreadyIsNotSleptOver() {
        try (KvmVm vm = new KvmVm(VmHost.NONE, (slot, e) -> {}, Map.of(), () -> {})) {
            KvmVcpu vcpu = vm.createVcpu(0);
            MachineLoop loop = new MachineLoop("idle", new Over(), VirtualClock.host(0), false, new PauseMeter());
            loop.start(vcpu);
            vcpu.nmi();
            long began = System.nanoTime();
            // Each sleep would take ten milliseconds.
            for (int i = 0; i < 500; i++) loop.idle();
            long millis = (System.nanoTime() - began) / 1_000_000;
            assertTrue(millis < 2500, millis + " ms");
        }
    }
}
