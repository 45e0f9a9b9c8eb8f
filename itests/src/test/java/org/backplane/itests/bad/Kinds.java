package org.backplane.itests.bad;

import java.util.ArrayList;
import java.util.List;
import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.DeviceContext;
import org.backplane.kvm.spi.device.DmaMemory;
import org.backplane.kvm.spi.device.RevokedException;
import org.backplane.kvm.spi.device.StateException;
import org.backplane.kvm.spi.device.VmClock;
import org.backplane.kvm.spi.device.VmTimer;

/** The ways in which a card can be bad. */
public final class Kinds {
    /** System property in which {@link StaleCalls} leaves what it was told. */
    public static final String STALE = "backplane.itests.stale";

    /** System property that ends what would go on for ever, when its test is over. */
    public static final String OVER = "backplane.itests.over";

    private Kinds() {}

    static void loopForEver() {
        long n = 0;
        while (System.getProperty(OVER) == null) n++;
    }

    static void waitForEver() {
        while (System.getProperty(OVER) == null) {
            try {
                Thread.sleep(50);
            } catch (InterruptedException e) {
                // It does not care.
            }
        }
    }

    // ---- as it is plugged

    public static final class ThrowsInAttach extends Manners {
        @Override
        public void attach(DeviceContext c) {
            throw new IllegalStateException("I do not like it here");
        }
    }

    public static final class HangsInAttach extends Manners {
        @Override
        public void attach(DeviceContext c) {
            waitForEver();
        }
    }

    public static final class ThrowsInReset extends Manners {
        @Override
        public void reset() {
            throw new UnsupportedOperationException("no reset");
        }
    }

    public static final class AsksForWhatItDoesNotDeclare extends Manners {
        @Override
        public void attach(DeviceContext c) {
            c.claimPorts("everything", 1, this);
        }
    }

    public static final class CannotBeInitialized extends Manners {
        private static final int ZERO = 0;
        private static final int NOTHING = 1 / ZERO;

        @Override
        public long read(int vcpu, long offset, int size) {
            return NOTHING;
        }
    }

    // ---- as the guest uses it

    public static final class Throws extends Manners {
        @Override
        public void write(int vcpu, long offset, int size, long value) {
            throw new IllegalStateException("nobody writes here");
        }
    }

    /** An error that nobody expects. */
    public static final class Wicked extends Error {
        private static final long serialVersionUID = 1;
    }

    public static final class ThrowsAnErrorOfItsOwn extends Manners {
        @Override
        public void write(int vcpu, long offset, int size, long value) {
            throw new Wicked();
        }
    }

    public static final class SmugglesACheckedException extends Manners {
        @Override
        public void write(int vcpu, long offset, int size, long value) {
            Kinds.<RuntimeException>smuggle(new java.io.IOException("smuggled"));
        }
    }

    @SuppressWarnings("unchecked")
    static <E extends Exception> void smuggle(Exception e) throws E {
        throw (E) e;
    }

    public static final class CallsItself extends Manners {
        @Override
        public void write(int vcpu, long offset, int size, long value) {
            write(vcpu, offset, size, value + 1);
        }
    }

    /** Its jar has no such class. */
    static final class Forgotten {
        static void work() {
            throw new AssertionError("the jar has it");
        }
    }

    public static final class MissesAClass extends Manners {
        @Override
        public void write(int vcpu, long offset, int size, long value) {
            Forgotten.work();
        }
    }

    public static final class LoopsForEver extends Manners {
        @Override
        public void write(int vcpu, long offset, int size, long value) {
            loopForEver();
        }
    }

    public static final class WaitsForEver extends Manners {
        @Override
        public void write(int vcpu, long offset, int size, long value) {
            waitForEver();
        }
    }

    public static final class LoopsInATimer extends Manners {
        @Override
        public void attach(DeviceContext c) {
            super.attach(c);
            timer = c.timer("timer", Kinds::loopForEver);
        }

        private VmTimer timer;

        @Override
        public void reset() {
            timer.arm(context.clock().nanos() + 1_000_000);
        }
    }

    public static final class WaitsInAPostedTask extends Manners {
        @Override
        public void write(int vcpu, long offset, int size, long value) {
            context.post(Kinds::waitForEver);
        }
    }

    /** Leaves the guest no boundary without a task. */
    public static final class PostsForEver extends Manners {
        @Override
        public void write(int vcpu, long offset, int size, long value) {
            if (writes++ == 0) post();
        }

        private void post() {
            context.post(this::post);
        }
    }

    // ---- as it is replaced

    public static final class ThrowsInSave extends Manners {
        @Override
        public void save(CardState state) {
            throw new IllegalStateException("it is mine");
        }
    }

    public static final class HangsInSave extends Manners {
        @Override
        public void save(CardState state) {
            waitForEver();
        }
    }

    public static final class HangsInQuiesce extends Manners {
        @Override
        public void quiesce() {
            waitForEver();
        }
    }

    public static final class SavesNonsense extends Manners {
        @Override
        public void save(CardState state) {
            state.put("writes", "very many");
        }
    }

    public static final class RefusesEveryState extends Manners {
        @Override
        public void load(CardState state) throws StateException {
            throw new StateException("I begin anew or not at all");
        }
    }

    public static final class HangsInLoad extends Manners {
        @Override
        public void load(CardState state) {
            loopForEver();
        }
    }

    // ---- as it leaves

    public static final class ThrowsInDetach extends Manners {
        @Override
        public void detach() {
            throw new IllegalStateException("I stay");
        }
    }

    public static final class HangsInDetach extends Manners {
        @Override
        public void detach() {
            loopForEver();
        }
    }

    public static final class LeavesAThread extends Manners {
        @Override
        public void resume() {
            context.threads().newThread(Kinds::waitForEver).start();
        }
    }

    /** A thread of it makes every call there is, behind its departure. */
    public static final class StaleCalls extends Manners {
        private DmaMemory memory;
        private VmClock clock;
        private VmTimer timer;

        @Override
        public void attach(DeviceContext c) {
            super.attach(c);
            memory = c.memory();
            clock = c.clock();
            timer = c.timer("timer", () -> {});
        }

        @Override
        public void detach() {
            Thread t = new Thread(this::callAll);
            t.setDaemon(true);
            t.start();
        }

        private void callAll() {
            List<String> told = new ArrayList<>();
            for (Runnable call : new Runnable[] {
                () -> irq.set(true),
                () -> irq.level(),
                () -> memory.write(0, new byte[1], 0, 1),
                () -> memory.read(0, new byte[1], 0, 1),
                () -> clock.nanos(),
                () -> timer.arm(0),
                () -> timer.armed(),
                () -> context.post(() -> {}),
                () -> context.irq("irq"),
                () -> context.timer("timer", () -> {}),
                () -> context.clock(),
                () -> context.memory(),
                () -> context.platform(),
                () -> context.threads(),
                () -> context.place("port"),
                () -> context.claimPorts("port", 1, this)
            }) {
                try {
                    call.run();
                    told.add("nothing");
                } catch (RevokedException e) {
                    told.add(e.getMessage());
                } catch (RuntimeException e) {
                    told.add(e.toString());
                }
            }
            System.setProperty(STALE, String.join("\n", told));
        }
    }
}
