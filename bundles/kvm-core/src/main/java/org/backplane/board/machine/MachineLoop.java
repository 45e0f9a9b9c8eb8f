package org.backplane.board.machine;

import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.LockSupport;
import org.backplane.board.api.BoardException;
import org.backplane.kvm.api.KvmRun;
import org.backplane.kvm.core.clock.TimerQueue;
import org.backplane.kvm.core.clock.VirtualClock;
import org.backplane.kvm.core.exit.Tenure;
import org.backplane.kvm.core.vm.KvmVcpu;
import org.backplane.kvm.core.vm.VmHost;
import org.backplane.kvm.spi.cpu.CpuState;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The thread of a machine: it runs the vCPU, and between two runs whatever anybody asked for.
 *
 * <p><b>Guarantees.</b> A request ({@link #call}) is executed with the vCPU outside of the guest and no access half done; posted tasks and
 * timers run at boundaries inside {@code run}, in order. The virtual clock stands still while the machine does not run.
 *
 * <p><b>Why requests go through a kick.</b> The board is a client of the KVM API like any other: {@code kick} makes {@code run} return with INTR, and
 * then the vCPU is simply not running.
 */
final class MachineLoop implements VmHost, Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(MachineLoop.class);

    /** Instructions between two looks at the clock, at most; and the time that they may take, when they are slow. */
    private static final long LONGEST_STRETCH = 50_000;

    private static final long LONGEST_STRETCH_NANOS = 500_000;
    private static final long SHORTEST_STRETCH = 500;
    private static final long LONGEST_IDLE_NANOS = 10_000_000;

    private static final int POSTED_AT_ONCE = 1000;

    /** What a lost thread needs to unwind, and much more. */
    private static final long EXIT_MILLIS = 1000;

    /** What the loop asks of its machine. */
    interface Owner {
        /** The machine should be running its vCPU now. */
        boolean runnable();

        /** The vCPU left with something that is not INTR. */
        void exited(KvmRun run);

        /** The engine, the MMU or the backend threw: the machine must end. */
        void failed(Throwable t);

        /** Between two runs. */
        void betweenRuns();

        /** Output that was buffered goes out. */
        void flush();

        boolean over();

        /** A card threw in a callback. */
        void cardThrew(String slot, Throwable e);

        /** The guest runs one instruction at a time, and {@link #step} is told of each. */
        boolean singleSteps();

        void step();

        /**
         * A card did not come back: the calling thread is the machine's new one, and the vCPU is where it called.
         *
         * @param callee a slot's name, or an exit handler
         * @param where the lost thread is, innermost first
         */
        void cutOff(Object callee, StackTraceElement[] where);
    }

    private final Owner owner;
    private final VirtualClock clock;
    private final TimerQueue timers = new TimerQueue();
    private final IrqRouter irqs;
    private final PauseMeter pauses;
    private final ConcurrentLinkedQueue<Runnable> requests = new ConcurrentLinkedQueue<>();
    private final ConcurrentLinkedQueue<Runnable> posted = new ConcurrentLinkedQueue<>();
    private final String name;
    private volatile Thread thread;
    private volatile Tenure tenure = new Tenure();

    /** The machine's thread is in {@link #runPosted}. */
    private boolean inPosted;

    /** Boundaries of the guest so far; for whoever wants to see that the loop gets on. */
    private long boundaries;

    /** Guards {@link #running}: a request is either seen by the thread or executed by its caller. */
    private final Object lifeLock = new Object();

    private boolean running;
    private final GuestPace pace = new GuestPace();
    private final boolean countsInstructions;
    private boolean singleSteps;
    private volatile KvmVcpu vcpu;

    /** The vCPU is inside {@code run}; of interest on the machine's thread only, which then is inside a callback of a card. */
    private volatile boolean insideRun;

    /** When the guest comes to a boundary by itself, on the virtual clock; 0 at a boundary. */
    private long horizon;

    /** The guest is to execute the first instruction after a pause, and no second one. */
    private boolean firstInstruction;

    /** The thread waits in {@link #idle}, or is about to: whoever brings work must wake it. */
    private volatile boolean idling;

    MachineLoop(String name, Owner owner, VirtualClock clock, boolean countsInstructions, PauseMeter pauses) {
        this.name = name;
        this.owner = owner;
        this.clock = clock;
        this.countsInstructions = countsInstructions;
        this.pauses = pauses;
        irqs = new IrqRouter(this::attention, owner::cardThrew, this::tenureHere);
        thread = newThread(this);
    }

    private Thread newThread(Runnable work) {
        Thread t = new Thread(work, "machine-" + name);
        t.setDaemon(true);
        return t;
    }

    void start(KvmVcpu cpu) {
        synchronized (lifeLock) {
            vcpu = cpu;
            singleSteps = owner.singleSteps();
            running = true;
            thread.start();
        }
    }

    TimerQueue timers() {
        return timers;
    }

    IrqRouter irqs() {
        return irqs;
    }

    /** The tenure of the machine's thread. */
    Tenure tenure() {
        return tenure;
    }

    /** The same for a call that the calling thread makes, which may be another's: then nobody watches it here. */
    Tenure tenureHere() {
        return Thread.currentThread() == thread ? tenure : new Tenure();
    }

    /** Changes when the guest or the loop gets on. For the watchdog, which reads it now and then. */
    long progress() {
        return boundaries + vcpu.context().instructions;
    }

    /** The machine's thread runs the vCPU. */
    boolean inGuestTime() {
        return insideRun;
    }

    /**
     * Gives the vCPU to a new thread, because a card does not come back to the one that has it. Called by the watchdog; nothing happens if it is back meanwhile.
     */
    void replaceThread(Tenure doubted) {
        synchronized (lifeLock) {
            if (!running || tenure != doubted) return;
            Thread lost = thread;
            StackTraceElement[] where = doubted.end(lost, this::waitForExit);
            if (where == null) return;
            Object callee = doubted.lostIn();
            insideRun = false;
            idling = false;
            inPosted = false;
            tenure = new Tenure();
            thread = newThread(() -> {
                try {
                    vcpu.takeOver();
                    owner.cutOff(callee, where);
                } catch (RuntimeException | Error e) {
                    owner.failed(e);
                }
                run();
            });
            thread.start();
            // A card that sleeps or waits has a chance to come back at once.
            lost.interrupt();
        }
    }

    /**
     * On a lost thread whose card has come back at last: waits until it may unwind. An engine puts registers back on its way out, which by now belong to
     * another thread's guest; so that thread stands still meanwhile, and what the lost one has changed is put right.
     */
    private void waitForExit() {
        Thread lost = Thread.currentThread();
        CountDownLatch open = new CountDownLatch(1);
        synchronized (lifeLock) {
            if (!running) return;
            requests.add(() -> {
                CpuState s = vcpu.context().state;
                CpuState kept = new CpuState();
                kept.copyFrom(s);
                long instructions = vcpu.context().instructions;
                open.countDown();
                try {
                    lost.join(EXIT_MILLIS);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                s.copyFrom(kept);
                vcpu.context().instructions = instructions;
            });
        }
        interrupt();
        boolean waiting = true;
        while (waiting) {
            try {
                open.await();
                waiting = false;
            } catch (InterruptedException e) {
                // It ends anyway.
            }
        }
    }

    /** Executes behind what the machine's thread is doing now, with the vCPU outside of the guest. From any thread. */
    void later(Runnable task) {
        synchronized (lifeLock) {
            if (running) requests.add(task);
        }
        interrupt();
    }

    /** The vCPU should come to a boundary; on the machine's thread, or the watchdog's. */
    void attention() {
        vcpu.context().leave = true;
    }

    /** A timer was armed; if it is due before the guest would come to a boundary, the boundary comes now. On the machine's thread. */
    void timerArmed(long deadline) {
        if (deadline < horizon) attention();
    }

    /** The calling thread is the machine's: it must not wait for what the machine does next. */
    boolean onThread() {
        return Thread.currentThread() == thread;
    }

    /** The calling thread is the machine's, inside a callback: what needs the vCPU outside of the guest cannot be waited for. */
    boolean inCallback() {
        return Thread.currentThread() == thread && insideRun;
    }

    /** The calling thread is the machine's, or works for it. */
    private boolean isMachineThread() {
        return Thread.currentThread() == thread || CardLimit.worksFor(thread);
    }

    /** {@link #run} should look at the machine's state. */
    void interrupt() {
        KvmVcpu c = vcpu;
        if (c != null) c.kick();
        LockSupport.unpark(thread);
    }

    /** Runs a task as a callback at the next boundary. From any thread. */
    void post(Runnable task) {
        posted.add(task);
        // What a task posts comes at the next boundary; asked for at once, the guest would never get a turn.
        if (inPosted && Thread.currentThread() == thread) return;
        KvmVcpu c = vcpu;
        if (c != null) c.context().leave = true;
        wake();
    }

    /**
     * Executes on the machine's thread with the vCPU outside the guest, and waits for the result. Before that thread runs, and after it has ended,
     * the caller executes it, one caller at a time. Inside a callback it sees the guest as it is, in the middle of an exit: for questions only.
     */
    <T> T call(Callable<T> task) {
        if (isMachineThread()) return direct(task);
        CompletableFuture<T> result = new CompletableFuture<>();
        synchronized (lifeLock) {
            if (!running) return direct(task);
            requests.add(() -> {
                try {
                    result.complete(task.call());
                } catch (Throwable t) {
                    result.completeExceptionally(t);
                }
            });
        }
        interrupt();
        try {
            return result.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException r) throw r;
            throw new CompletionException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting for the machine", e);
        }
    }

    /** A request that may be refused. */
    interface Refusable {
        void run() throws BoardException;
    }

    /** A question that may be refused. */
    interface Question<T> {
        T answer() throws BoardException;
    }

    /** {@link #run} for a request that is never refused. */
    void request(Runnable action) {
        if (inCallback()) {
            requests.add(action);
            vcpu.kick();
            return;
        }
        call(() -> {
            action.run();
            return null;
        });
    }

    /** {@link #call} for a request that may be refused. Asked from inside a callback it is queued behind the callback; a refusal is logged then. */
    void run(Refusable action) throws BoardException {
        if (inCallback()) {
            request(() -> {
                try {
                    action.run();
                } catch (BoardException | RuntimeException e) {
                    LOG.error("a request from inside a callback was refused", e);
                }
            });
            return;
        }
        ask(() -> {
            action.run();
            return null;
        });
    }

    /** {@link #call} for a question that may be refused. */
    <T> T ask(Question<T> question) throws BoardException {
        try {
            return call(question::answer);
        } catch (CompletionException e) {
            if (e.getCause() instanceof BoardException b) throw b;
            throw e;
        }
    }

    private static <T> T direct(Callable<T> task) {
        try {
            return task.call();
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new CompletionException(e);
        }
    }

    // ---- the thread ----

    @Override
    public void run() {
        try {
            while (!owner.over()) {
                runRequests();
                if (owner.runnable()) {
                    clock.start();
                    runGuest();
                } else if (!owner.over()) {
                    clock.stop();
                    pauses.waits();
                    owner.flush();
                    if (requests.isEmpty()) LockSupport.parkNanos(this, 100_000_000);
                }
            }
        } catch (Tenure.Lost e) {
            LOG.info("machine {}: a thread is back from which the vCPU was taken: {}", name, e.getMessage());
        } finally {
            if (Thread.currentThread() == thread) ended();
        }
    }

    /** However it ended, nobody waits for an answer that does not come. */
    private void ended() {
        clock.stop();
        pauses.end();
        synchronized (lifeLock) {
            running = false;
            for (Runnable r = requests.poll(); r != null; r = requests.poll()) r.run();
        }
    }

    /** One run of the vCPU. A card of the CPU that throws ends the machine with a report; the container and the other machines go on. */
    private void runGuest() {
        try {
            insideRun = true;
            KvmRun r = vcpu.run();
            insideRun = false;
            long now = System.nanoTime();
            if (firstInstruction) guestRuns(now);
            pauses.stopped(now);
            if (r.exitReason != KvmRun.Exit.INTR) owner.exited(r);
            owner.betweenRuns();
        } catch (Tenure.Lost e) {
            throw e;
        } catch (RuntimeException | Error e) {
            insideRun = false;
            owner.failed(e);
        }
    }

    private void runRequests() {
        if (requests.isEmpty()) return;
        boolean wasRunning = owner.runnable();
        if (wasRunning) clock.stop();
        // Who asks finds all that the guest has said so far delivered.
        owner.flush();
        for (Runnable r = requests.poll(); r != null; r = requests.poll()) r.run();
        if (wasRunning && owner.runnable()) clock.start();
    }

    // ---- what the vCPU asks at its boundaries ----

    @Override
    public boolean servesExits() {
        return true;
    }

    @Override
    public boolean interruptPending(int cpu) {
        return irqs.pending(cpu);
    }

    @Override
    public int acknowledgeInterrupt(int cpu) {
        return irqs.acknowledge(cpu);
    }

    @Override
    public void boundary() {
        if (firstInstruction) guestRuns(System.nanoTime());
        horizon = 0;
        boundaries++;
        long now = clock.nanos();
        pace.at(now, vcpu.context().instructions);
        if (timers.next() <= now) timers.run(now);
        runPosted();
        owner.flush();
        if (singleSteps) owner.step();
    }

    /** So many at most, for they may post others: the guest is to get on, too. */
    private void runPosted() {
        inPosted = true;
        Runnable r;
        for (int n = 0; n < POSTED_AT_ONCE && (r = posted.poll()) != null; n++) r.run();
        inPosted = false;
    }

    private void guestRuns(long now) {
        firstInstruction = false;
        pauses.runs(now);
    }

    @Override
    public long instructionBudget() {
        firstInstruction = pauses.standing();
        if (singleSteps || firstInstruction) return 1;
        long next = timers.next();
        horizon = next;
        if (next == TimerQueue.NEVER) return LONGEST_STRETCH;
        if (countsInstructions) return Math.clamp(clock.instructionsUntil(next), 1, LONGEST_STRETCH);
        long wait = Math.min(next - clock.nanos(), LONGEST_STRETCH_NANOS);
        return Math.clamp(wait / pace.nanosPerInstruction(), SHORTEST_STRETCH, LONGEST_STRETCH);
    }

    @Override
    public boolean exactBudget() {
        return countsInstructions || singleSteps || firstInstruction;
    }

    @Override
    public void idle() {
        guestRuns(System.nanoTime());
        long next = timers.next();
        if (countsInstructions && next != TimerQueue.NEVER) {
            clock.skipTo(next);
            return;
        }
        idling = true;
        // Whoever asked before could not see that it must wake this thread.
        if (posted.isEmpty() && requests.isEmpty() && !vcpu.context().leave) {
            long wait = next == TimerQueue.NEVER ? LONGEST_IDLE_NANOS : Math.min(next - clock.nanos(), LONGEST_IDLE_NANOS);
            if (wait > 0) LockSupport.parkNanos(this, wait);
        }
        idling = false;
        pace.restart(clock.nanos());
    }

    @Override
    public void wake() {
        if (idling) LockSupport.unpark(thread);
    }

    @Override
    public long tscNanos() {
        return clock.nanos();
    }
}
