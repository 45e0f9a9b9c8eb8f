package org.backplane.board.machine;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadFactory;
import org.backplane.board.backend.CharBackend;
import org.backplane.board.cards.Card;
import org.backplane.kvm.core.clock.TimerQueue;
import org.backplane.kvm.core.exit.Route;
import org.backplane.kvm.spi.device.BlockPort;
import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.CharPort;
import org.backplane.kvm.spi.device.ClaimException;
import org.backplane.kvm.spi.device.DeviceContext;
import org.backplane.kvm.spi.device.DmaLine;
import org.backplane.kvm.spi.device.DmaMemory;
import org.backplane.kvm.spi.device.InterruptController;
import org.backplane.kvm.spi.device.IoHandler;
import org.backplane.kvm.spi.device.IrqLine;
import org.backplane.kvm.spi.device.Platform;
import org.backplane.kvm.spi.device.Resource;
import org.backplane.kvm.spi.device.RevokedException;
import org.backplane.kvm.spi.device.StateException;
import org.backplane.kvm.spi.device.VmClock;
import org.backplane.kvm.spi.device.VmTimer;

/**
 * The world of one card in one slot, and the stage of a swap (contract 10).
 *
 * <p><b>Guarantees.</b> While <em>staged</em>, everything the card does is only recorded: claims, IRQ levels, deadlines. {@link #activate} makes it
 * real, after the routes were published. Once <em>revoked</em>, every method throws, and nothing the card kept from here has an
 * effect.
 *
 * <p><b>Threading.</b> Staged: the thread that swaps. Active: the machine's thread, but {@link #post} comes from anywhere.
 */
final class CardContext implements DeviceContext {
    private enum Phase {
        STAGED,
        ACTIVE,
        REVOKED
    }

    /** What the threads of a card that left are given to end. */
    private static final long LAST_MILLIS = 1000;

    private final Slot slot;
    private final CardNeeds needs;
    private final PcMachine machine;
    private final List<Route> ports = new ArrayList<>();
    private final List<Route> mmio = new ArrayList<>();
    private final Map<String, Line> lines = new LinkedHashMap<>();
    private final Map<String, Timer> timers = new LinkedHashMap<>();
    private final Map<String, CharPort> characters = new HashMap<>();
    private final List<Runnable> inputListeners = new ArrayList<>();
    private final Map<Class<?>, Object> facets = new HashMap<>();
    private final CardThreads threads;
    private final VmClock clock;
    private final Platform platform;
    private volatile Phase phase = Phase.STAGED;

    /** This card is the interrupt controller. */
    private boolean controller;

    CardContext(Slot slot, CardNeeds needs, PcMachine machine) {
        this.slot = slot;
        this.needs = needs;
        this.machine = machine;
        clock = new RevocableClock(machine.clock(), this::check);
        platform = new RevocablePlatform(machine.platform(), this::check);
        threads = new CardThreads("machine-" + machine.name() + ": " + slot.name());
    }

    // ---- for the board ----

    CardNeeds needs() {
        return needs;
    }

    List<Route> ports() {
        return ports;
    }

    List<Route> mmio() {
        return mmio;
    }

    <T> Optional<T> facet(Class<T> type) {
        return Optional.ofNullable(facets.get(type)).map(type::cast);
    }

    boolean active() {
        return phase == Phase.ACTIVE;
    }

    /** The stage becomes real. IRQ levels are exchanged by the router, see {@link IrqRouter#exchange}. */
    void activate() {
        phase = Phase.ACTIVE;
        for (Timer t : timers.values()) t.enqueue();
        inputListeners.forEach(Runnable::run);
    }

    /** The card has left. Levels are taken back by the router. */
    void revoke() {
        phase = Phase.REVOKED;
        for (Timer t : timers.values()) t.dequeue();
        lines.values().forEach(l -> l.level = false);
    }

    /** The card was told that it has left: its threads end, or there is a report. */
    void left(Card card) {
        List<Thread> alive = threads.alive();
        if (alive.isEmpty()) return;
        alive.forEach(Thread::interrupt);
        machine.limit().aside(() -> reportThreads(card, alive));
    }

    private void reportThreads(Card card, List<Thread> alive) {
        try {
            for (Thread t : alive) t.join(LAST_MILLIS / alive.size());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        List<String> names = threads.alive().stream().map(Thread::getName).toList();
        if (names.isEmpty()) return;
        machine.faults().report(slot.name(), card.describe(), "has left, and threads of it have not: " + String.join(", ", names), null);
    }

    /** GSIs of the lines that the card asserts, one entry a line. */
    int[] assertedGsis() {
        return lines.values().stream().filter(l -> l.level && l.gsi >= 0).mapToInt(l -> l.gsi).toArray();
    }

    /** The deadlines of the card's timers, which the core owns, by name. */
    void saveTimers(CardState state) {
        CardState s = state.child("timers");
        timers.forEach((name, t) -> {
            if (t.deadline != TimerQueue.NEVER) s.put(name, t.deadline);
        });
    }

    /** Takes deadlines that {@link #saveTimers} wrote; timers that the card no longer has are ignored. */
    void loadTimers(CardState state) throws StateException {
        if (!state.has("timers")) return;
        CardState s = state.child("timers");
        for (Map.Entry<String, Timer> e : timers.entrySet()) {
            e.getValue().arm(s.getLong(e.getKey(), TimerQueue.NEVER));
        }
    }

    List<String> describeClaims() {
        List<String> all = new ArrayList<>();
        for (Route r : ports) all.add(String.format("port %03x-%03x", r.base(), r.base() + r.length() - 1));
        for (Route r : mmio) all.add(String.format("mmio %x-%x", r.base(), r.base() + r.length() - 1));
        lines.forEach((name, l) -> {
            if (l.gsi >= 0) all.add("irq " + l.gsi);
        });
        return all;
    }

    private void check() {
        if (phase == Phase.REVOKED) throw new RevokedException(slot.name());
    }

    // ---- for the card ----

    @Override
    public String slot() {
        return slot.name();
    }

    @Override
    public String machine() {
        return machine.name();
    }

    @Override
    public String property(String name) {
        check();
        return slot.property(needs, name);
    }

    @Override
    public long place(String resource) {
        check();
        return slot.base(needs.resource(resource));
    }

    @Override
    public void claimPorts(String name, int sizes, IoHandler handler) {
        check();
        Resource r = needs.resource(Resource.Kind.PORTS, name);
        long base = slot.base(r);
        if (base >= 0) claim(ports, new Route(controller ? watched(handler) : handler, base, r.length(), sizes, slot.name()));
    }

    @Override
    public void claimMmio(String name, int sizes, IoHandler handler) {
        check();
        Resource r = needs.resource(Resource.Kind.MMIO, name);
        long base = slot.base(r);
        if (base >= 0) claim(mmio, new Route(handler, base, r.length(), sizes, slot.name()));
    }

    private void claim(List<Route> to, Route route) {
        if (phase != Phase.STAGED) throw new ClaimException("slot " + slot.name() + ": claims are made in attach only");
        to.add(route);
    }

    @Override
    public IrqLine irq(String name) {
        check();
        return lines.computeIfAbsent(name, n -> new Line((int) slot.base(needs.resource(Resource.Kind.IRQ, n))));
    }

    private final class Line implements IrqLine {
        private final int gsi;
        private boolean level;

        Line(int gsi) {
            this.gsi = gsi;
        }

        @Override
        public void set(boolean next) {
            check();
            if (next == level) return;
            level = next;
            if (phase == Phase.ACTIVE && gsi >= 0) machine.irqs().change(gsi, next);
        }

        @Override
        public boolean level() {
            check();
            return level;
        }
    }

    @Override
    public DmaLine dma(String name) {
        check();
        int channel = (int) slot.base(needs.resource(Resource.Kind.DMA, name));
        return new DmaLine() {
            @Override
            public int transfer(boolean toMemory, byte[] buffer, int offset, int length) {
                check();
                return machine.withDmaController(0, c -> c.transfer(channel, toMemory, buffer, offset, length));
            }

            @Override
            public boolean terminalCount() {
                check();
                return machine.withDmaController(false, c -> c.terminalCount(channel));
            }
        };
    }

    @Override
    public DmaMemory memory() {
        check();
        return new DmaMemory() {
            @Override
            public void read(long gpa, byte[] to, int offset, int length) {
                check();
                machine.dma().read(gpa, to, offset, length);
            }

            @Override
            public void write(long gpa, byte[] from, int offset, int length) {
                check();
                if (phase == Phase.ACTIVE) machine.dma().write(gpa, from, offset, length);
            }
        };
    }

    @Override
    public VmClock clock() {
        check();
        return clock;
    }

    @Override
    public VmTimer timer(String name, Runnable callback) {
        check();
        return timers.computeIfAbsent(name, n -> new Timer(callback));
    }

    private final class Timer implements VmTimer {
        private final Runnable callback;
        private long deadline = TimerQueue.NEVER;
        private TimerQueue.Entry entry;

        Timer(Runnable callback) {
            this.callback = callback;
        }

        private void enqueue() {
            entry = machine.timers().add(() -> {
                deadline = TimerQueue.NEVER;
                machine.callback(slot.name(), callback);
            });
            if (deadline != TimerQueue.NEVER) entry.arm(deadline);
        }

        private void dequeue() {
            if (entry != null) entry.remove();
            entry = null;
        }

        @Override
        public void arm(long at) {
            check();
            deadline = at;
            if (entry == null) return;
            entry.arm(at);
            machine.timerArmed(at);
        }

        @Override
        public void cancel() {
            arm(TimerQueue.NEVER);
        }

        @Override
        public boolean armed() {
            check();
            return deadline != TimerQueue.NEVER;
        }

        @Override
        public long deadline() {
            check();
            return deadline;
        }
    }

    @Override
    public CharPort character(String name) {
        check();
        return characters.computeIfAbsent(name, n -> new Port(slot.characterBackend(needs.resource(Resource.Kind.CHARACTER, n).name())));
    }

    private final class Port implements CharPort {
        private final CharBackend backend;

        Port(CharBackend backend) {
            this.backend = backend;
        }

        @Override
        public void write(int b) {
            check();
            if (phase != Phase.ACTIVE) return;
            // Whoever reads at the other end may be slow; that is not the card's fault.
            Object card = machine.tenure().enter(null);
            backend.write(b);
            machine.tenure().leave(card);
        }

        @Override
        public int read() {
            check();
            return phase == Phase.ACTIVE ? backend.read() : -1;
        }

        @Override
        public boolean readable() {
            check();
            return phase == Phase.ACTIVE && backend.readable();
        }

        @Override
        public void onInput(Runnable callback) {
            check();
            inputListeners.add(() -> backend.setListener(() -> postIfThere(callback)));
            if (phase == Phase.ACTIVE) inputListeners.getLast().run();
        }
    }

    @Override
    public Optional<BlockPort> block(String name) {
        check();
        return slot.blockBackend(needs.resource(Resource.Kind.BLOCK, name).name()).map(Disk::new);
    }

    @Override
    public <T> void provide(Class<T> facet, T implementation) {
        check();
        facets.put(facet, implementation);
        if (facet != InterruptController.class || controller) return;
        controller = true;
        ports.replaceAll(r -> new Route(watched(r.handler()), r.base(), r.length(), r.sizes(), r.owner()));
    }

    /**
     * Ports of the interrupt controller: a write, such as an EOI or a new mask, may let an interrupt through that has waited. It is taken at once, for
     * to the next boundary it is a long way.
     */
    private IoHandler watched(IoHandler handler) {
        return new IoHandler() {
            @Override
            public long read(int vcpu, long offset, int size) {
                return handler.read(vcpu, offset, size);
            }

            @Override
            public void write(int vcpu, long offset, int size, long value) {
                handler.write(vcpu, offset, size, value);
                machine.irqs().look();
            }
        };
    }

    /** A block back end, which may be slow without any fault of the card's. */
    private final class Disk implements BlockPort {
        private final BlockPort backend;

        Disk(BlockPort backend) {
            this.backend = backend;
        }

        @Override
        public long size() {
            check();
            return backend.size();
        }

        @Override
        public boolean readOnly() {
            check();
            return backend.readOnly();
        }

        @Override
        public int generation() {
            check();
            return backend.generation();
        }

        @Override
        public void read(long position, byte[] to, int offset, int length) throws IOException {
            check();
            Object card = machine.tenure().enter(null);
            try {
                backend.read(position, to, offset, length);
            } finally {
                machine.tenure().leave(card);
            }
        }

        @Override
        public void write(long position, byte[] from, int offset, int length) throws IOException {
            check();
            Object card = machine.tenure().enter(null);
            try {
                backend.write(position, from, offset, length);
            } finally {
                machine.tenure().leave(card);
            }
        }

        @Override
        public void flush() throws IOException {
            check();
            Object card = machine.tenure().enter(null);
            try {
                backend.flush();
            } finally {
                machine.tenure().leave(card);
            }
        }
    }

    @Override
    public Platform platform() {
        check();
        return platform;
    }

    @Override
    public ThreadFactory threads() {
        check();
        return threads;
    }

    @Override
    public void post(Runnable task) {
        check();
        postIfThere(task);
    }

    private void postIfThere(Runnable task) {
        machine.post(() -> {
            if (phase == Phase.ACTIVE) task.run();
        }, slot.name());
    }

    @Override
    public void log(String message) {
        machine.log(slot.name(), message);
    }
}
