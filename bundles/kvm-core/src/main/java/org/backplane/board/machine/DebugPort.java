package org.backplane.board.machine;

import java.util.List;
import java.util.function.Consumer;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.MachineDebugger;
import org.backplane.kvm.api.GuestDebug;
import org.backplane.kvm.api.GuestDebug.Watchpoint;
import org.backplane.kvm.api.KvmRun;
import org.backplane.kvm.core.vm.KvmVcpu;
import org.backplane.kvm.core.vm.KvmVm;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.mmu.Mmu;

/**
 * The place of a machine where a debugger plugs in: a client of KVM_DEBUG_GUEST on one side, {@link MachineDebugger} on the other.
 *
 * <p><b>Thread.</b> Everything here happens on the machine's thread; the calls of {@link Session} go there through the loop.
 */
final class DebugPort {
    private static final int PAGE = 4096;

    private final PcMachine machine;
    private final MachineLoop loop;

    /** Null while no debugger is there. */
    private Session session;

    DebugPort(PcMachine machine, MachineLoop loop) {
        this.machine = machine;
        this.loop = loop;
    }

    MachineDebugger open(MachineDebugger.Listener listener) throws BoardException {
        if (session != null) throw new BoardException("machine " + machine.name() + " has a debugger already");
        session = new Session(listener);
        machine.halt();
        return session;
    }

    /** A debugger is there and has not let the machine go. */
    boolean holds() {
        return session != null && !session.going;
    }

    /** Somebody paused the machine. */
    void paused() {
        if (session != null) session.stop(new MachineDebugger.Stop(MachineDebugger.Reason.PAUSED, 0, 0, false));
    }

    /** The vCPU left with DEBUG. */
    void stopped(KvmRun run) {
        // The debugger may have gone between the hit and its report.
        if (session == null) return;
        machine.halt();
        MachineDebugger.Reason reason =
                switch (run.debugCause) {
                    case STEP -> MachineDebugger.Reason.STEP;
                    case BREAKPOINT -> MachineDebugger.Reason.BREAKPOINT;
                    case WATCHPOINT -> MachineDebugger.Reason.WATCHPOINT;
                };
        session.stop(new MachineDebugger.Stop(reason, machine.vcpu().id(), run.debugAddress, run.debugWrite));
    }

    /** One debugger's hold. */
    private final class Session implements MachineDebugger {
        private final Listener listener;
        private List<Long> breakpoints = List.of();
        private List<Watchpoint> watchpoints = List.of();

        /** It was let go, and no stop was reported since. */
        private boolean going;

        Session(Listener listener) {
            this.listener = listener;
        }

        private boolean open() {
            return session == this;
        }

        void stop(Stop stop) {
            if (!going) return;
            going = false;
            listener.stopped(stop);
        }

        private void go(boolean step, boolean blockInterrupts) {
            if (!open()) return;
            going = true;
            machine.vcpu().debugGuest(new GuestDebug(step, blockInterrupts, breakpoints, watchpoints));
            machine.go();
        }

        @Override
        public void points(List<Long> breaks, List<Watchpoint> watches) {
            loop.request(() -> {
                if (!open()) return;
                // Refused ones leave those that are set.
                machine.vcpu().debugGuest(new GuestDebug(false, false, breaks, watches));
                breakpoints = breaks;
                watchpoints = watches;
            });
        }

        @Override
        public void step(int vcpu, boolean blockInterrupts) {
            loop.request(() -> go(true, blockInterrupts));
        }

        @Override
        public void resume() {
            loop.request(() -> go(false, false));
        }

        @Override
        public void interrupt() {
            loop.request(() -> {
                if (!open()) return;
                machine.halt();
                paused();
            });
        }

        @Override
        public void change(int vcpu, Consumer<CpuState> change) {
            loop.request(() -> {
                if (open()) changeNow(machine.vcpu(), change);
            });
        }

        @Override
        public boolean writeLinear(int vcpu, long gva, byte[] bytes) {
            return loop.call(() -> {
                KvmVm vm = machine.vm();
                if (!vm.cpuPresent()) return false;
                // All pages are looked up before any is written.
                for (int done = 0; done < bytes.length; done += chunk(gva, bytes, done)) if (!isMemory(physical(gva + done))) return false;
                for (int done = 0; done < bytes.length; done += chunk(gva, bytes, done)) {
                    vm.memory().write(physical(gva + done), bytes, done, chunk(gva, bytes, done));
                }
                return true;
            });
        }

        @Override
        public boolean writePhysical(long gpa, byte[] bytes) {
            return loop.call(() -> {
                for (int done = 0; done < bytes.length; done += chunk(gpa, bytes, done)) if (!isMemory(gpa + done)) return false;
                machine.vm().memory().write(gpa, bytes, 0, bytes.length);
                return true;
            });
        }

        @Override
        public void close() {
            loop.request(() -> {
                if (!open()) return;
                machine.vcpu().debugGuest(GuestDebug.OFF);
                session = null;
                machine.go();
            });
        }
    }

    /** Bytes up to the end of the page. */
    private static int chunk(long address, byte[] bytes, int done) {
        return (int) Math.min(bytes.length - done, PAGE - (address + done & PAGE - 1));
    }

    private long physical(long gva) {
        return machine.vm().mmu().gvaToGpa(machine.vcpu().context(), gva, Mmu.PROBE);
    }

    private boolean isMemory(long gpa) {
        return gpa >= 0 && machine.vm().memory().frame(gpa >>> 12) != 0;
    }

    private static void changeNow(KvmVcpu vcpu, Consumer<CpuState> change) {
        CpuState s = vcpu.context().state;
        long rip = s.rip, cr0 = s.cr0, cr3 = s.cr3, cr4 = s.cr4, efer = s.efer;
        change.accept(s);
        if (s.rip != rip && s.activity == CpuState.HLT) s.activity = CpuState.ACTIVE;
        // Only then: in PAE mode it loads the directory pointers, which the guest may have changed in memory and not loaded.
        if (s.cr0 != cr0 || s.cr3 != cr3 || s.cr4 != cr4 || s.efer != efer) vcpu.stateChanged();
    }
}
