package org.backplane.devicekit.test;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadFactory;
import org.backplane.kvm.spi.device.CardControls;
import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.CharPort;
import org.backplane.kvm.spi.device.ClaimException;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceContext;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.BlockPort;
import org.backplane.kvm.spi.device.DmaLine;
import org.backplane.kvm.spi.device.DmaMemory;
import org.backplane.kvm.spi.device.IoHandler;
import org.backplane.kvm.spi.device.IrqLine;
import org.backplane.kvm.spi.device.Platform;
import org.backplane.kvm.spi.device.Resource;
import org.backplane.kvm.spi.device.RevokedException;
import org.backplane.kvm.spi.device.StateException;
import org.backplane.kvm.spi.device.StateRules;
import org.backplane.kvm.spi.device.VmClock;
import org.backplane.kvm.spi.device.VmTimer;

/**
 * A slot with one device in it and nothing else: the test reads and writes ports, moves the clock, and looks at IRQ lines, back ends and
 * the chipset. All calls come from the test's thread, and are this device's callbacks; what the device or a host thread posts runs at the
 * end of the call, or in {@link #settle}. What surrounds the device (clock, back ends, lines) stays when it is swapped.
 */
public final class DeviceBench {
    private final Map<String, String> properties;
    private final List<Resource> moved = new ArrayList<>();
    private final BenchClock clock = new BenchClock();
    private final BenchPlatform platform = new BenchPlatform();
    private final Map<String, BenchIrq> irqs = new HashMap<>();
    private final Map<String, BenchDma> dmas = new HashMap<>();
    private final Map<String, BenchChar> chars = new HashMap<>();
    private final Map<String, BenchBlock> blocks = new HashMap<>();
    private final List<String> log = new ArrayList<>();
    private final ConcurrentLinkedQueue<Posted> posted = new ConcurrentLinkedQueue<>();
    private final byte[] memory = new byte[1 << 20];

    private DeviceFactory factory;
    private Device device;
    private Context context;

    private record Posted(Context from, Runnable task) {}

    private record Claim(Resource resource, int sizes, IoHandler handler) {}

    private DeviceBench(DeviceFactory factory, Map<String, String> properties) {
        this.factory = factory;
        this.properties = properties;
    }

    /** A device of this factory, attached and reset. */
    public static DeviceBench of(DeviceFactory factory) {
        return of(factory, Map.of());
    }

    /** A device in a slot with these properties, attached and reset. */
    public static DeviceBench of(DeviceFactory factory, Map<String, String> properties) {
        return unattached(factory, properties).attach().reset();
    }

    /** An empty slot, to set up its surroundings first; then {@link #attach}. */
    public static DeviceBench unattached(DeviceFactory factory, Map<String, String> properties) {
        DeviceBench b = new DeviceBench(factory, properties);
        properties.keySet().forEach(b::checkProperty);
        return b;
    }

    /** Makes a device and attaches it; {@link #reset} or {@link #load} comes next. */
    public DeviceBench attach() {
        place();
        device = factory.create();
        context = new Context();
        device.attach(context);
        context.attached = true;
        return this;
    }

    // ---- the device's life ----

    public Device device() {
        return device;
    }

    public DeviceBench reset() {
        device.reset();
        return settle();
    }

    public CardState save() {
        CardState s = new CardState(factory.type(), factory.stateVersion());
        device.save(s);
        return s;
    }

    /** Loads a state of this version of the card or an older one. */
    public DeviceBench load(CardState state) throws StateException {
        device.load(StateRules.handOver(state, StateRules.NONE, factory));
        return settle();
    }

    public void quiesce() {
        device.quiesce();
    }

    public void resume() {
        device.resume();
        settle();
    }

    /**
     * Uses one of the card's controls, as a person would.
     *
     * @return what the card says
     */
    public String use(String control, String... arguments) {
        CardControls controls = facet(CardControls.class);
        String said = controls.use(control, List.of(arguments));
        settle();
        return said;
    }

    /** Takes the card out: detached, then its context is revoked. */
    public void detach() {
        device.detach();
        context.revoked = true;
    }

    /** Takes over the deadlines of the card in another slot, as a restore does before it loads the card's state. */
    DeviceBench copyDeadlines(DeviceBench from) {
        clock.copyDeadlines(from.clock);
        return this;
    }

    /** Swaps in a fresh device of this factory, an older or a newer version of the card, with the old one's state, as the board does. */
    public DeviceBench swap(DeviceFactory next) throws StateException {
        quiesce();
        CardState state = StateRules.handOver(save(), factory.stateRules(), next);
        detach();
        factory = next;
        attach();
        device.load(state.copy());
        resume();
        return this;
    }

    /** Runs what was posted and what is due. */
    public DeviceBench settle() {
        for (Posted p = posted.poll(); p != null; p = posted.poll()) if (!p.from.revoked) p.task.run();
        clock.settle();
        return this;
    }

    // ---- accesses ----

    /** Reads from a claimed range, by its resource's name. */
    public long read(String resource, long offset, int size) {
        return access(claim(resource), offset, size, false, 0);
    }

    /** Writes to a claimed range, by its resource's name. */
    public void write(String resource, long offset, int size, long value) {
        access(claim(resource), offset, size, true, value);
    }

    /** IN from a port number; floats where the device claims nothing. */
    public long in(int port, int size) {
        Claim c = claimAt(Resource.Kind.PORTS, port);
        return c == null ? ones(size) : access(c, port - c.resource.base(), size, false, 0);
    }

    public int inb(int port) {
        return (int) in(port, 1);
    }

    /** OUT to a port number. */
    public void out(int port, int size, long value) {
        Claim c = claimAt(Resource.Kind.PORTS, port);
        if (c != null) access(c, port - c.resource.base(), size, true, value);
    }

    public void outb(int port, int value) {
        out(port, 1, value);
    }

    /** Reads memory that the device claims. */
    public long mmioRead(long gpa, int size) {
        Claim c = claimAt(Resource.Kind.MMIO, gpa);
        return c == null ? ones(size) : access(c, gpa - c.resource.base(), size, false, 0);
    }

    /** Writes memory that the device claims. */
    public void mmioWrite(long gpa, int size, long value) {
        Claim c = claimAt(Resource.Kind.MMIO, gpa);
        if (c != null) access(c, gpa - c.resource.base(), size, true, value);
    }

    /** As the bus does: splits what is wider than the handler takes, or not aligned, from the lowest address up. */
    private long access(Claim c, long offset, int size, boolean write, long value) {
        long result = 0;
        for (int i = 0; i < size; ) {
            int n = Integer.highestOneBit(size - i);
            while (n > 1 && ((c.sizes & n) == 0 || (offset + i) % n != 0)) n >>= 1;
            if ((c.sizes & n) == 0) throw new IllegalArgumentException(c.resource.name() + " takes no access of " + n + " bytes");
            if (offset + i + n > c.resource.length()) {
                result |= ones(size - i) << i * 8;
                break;
            }
            if (write) c.handler.write(0, offset + i, n, value >>> i * 8 & ones(n));
            else result |= (c.handler.read(0, offset + i, n) & ones(n)) << i * 8;
            i += n;
        }
        settle();
        return result;
    }

    private static long ones(int bytes) {
        return -1L >>> 64 - bytes * 8;
    }

    // ---- surroundings ----

    public BenchClock clock() {
        return clock;
    }

    public BenchPlatform platform() {
        return platform;
    }

    /** The IRQ line of this resource. */
    public BenchIrq irq(String name) {
        check(Resource.Kind.IRQ, name);
        return irqs.computeIfAbsent(name, n -> new BenchIrq());
    }

    /** The DMA channel of this resource. */
    public BenchDma dma(String name) {
        check(Resource.Kind.DMA, name);
        return dmas.computeIfAbsent(name, n -> new BenchDma());
    }

    /** The character back end of this resource. */
    public BenchChar character(String name) {
        check(Resource.Kind.CHARACTER, name);
        return chars.computeIfAbsent(name, n -> new BenchChar());
    }

    /** The block back end of this resource, if a medium was put in. */
    public BenchBlock block(String name) {
        return blocks.get(name);
    }

    /** Puts a medium into a block back end; a device asks for it when it is attached. */
    public BenchBlock insert(String name, byte[] medium) {
        check(Resource.Kind.BLOCK, name);
        BenchBlock b = new BenchBlock(medium);
        blocks.put(name, b);
        return b;
    }

    /** The first MiB of guest memory, for bus masters. */
    public byte[] memory() {
        return memory;
    }

    /** The facet that the device offered. */
    public <T> T facet(Class<T> facet) {
        Object f = context.facets.get(facet);
        if (f == null) throw new NoSuchElementException("the device offers no " + facet.getSimpleName());
        return facet.cast(f);
    }

    /** What the device logged. */
    public List<String> log() {
        return log;
    }

    /** The claimed ranges, by resource name. */
    public List<Resource> claims() {
        return context.claims.stream().map(Claim::resource).toList();
    }

    /** The access sizes that the device takes in a claimed range: a bit set of 1, 2, 4 and 8. */
    public int sizes(String resource) {
        return claim(resource).sizes;
    }

    // ---- resources ----

    /** Puts every resource where the slot's properties say, or at its usual place. */
    private void place() {
        moved.clear();
        for (Resource r : factory.resources()) {
            String where = properties.get(r.name());
            boolean addressed = r.kind() != Resource.Kind.CHARACTER && r.kind() != Resource.Kind.BLOCK;
            long base = where == null || !addressed ? r.base() : where.isEmpty() ? -1 : Long.decode(where);
            moved.add(new Resource(r.kind(), r.name(), base, r.length()));
        }
    }

    private Resource resource(Resource.Kind kind, String name) {
        for (Resource r : moved) if (r.kind() == kind && r.name().equals(name)) return r;
        throw new NoSuchElementException("the factory declares no " + kind + " " + name);
    }

    private void check(Resource.Kind kind, String name) {
        for (Resource r : factory.resources()) if (r.kind() == kind && r.name().equals(name)) return;
        throw new NoSuchElementException("the factory declares no " + kind + " " + name);
    }

    private void checkProperty(String name) {
        boolean known = factory.resources().stream().anyMatch(r -> r.name().equals(name))
                || factory.properties().stream().anyMatch(p -> p.name().equals(name));
        if (!known) throw new NoSuchElementException("the factory declares no property " + name);
    }

    private Claim claim(String name) {
        for (Claim c : context.claims) if (c.resource.name().equals(name)) return c;
        throw new NoSuchElementException("nothing claimed as " + name);
    }

    private Claim claimAt(Resource.Kind kind, long address) {
        for (Claim c : context.claims) {
            long offset = address - c.resource.base();
            if (c.resource.kind() == kind && offset >= 0 && offset < c.resource.length()) return c;
        }
        return null;
    }

    /** The world of one instance; after the card has left, every call throws. */
    final class Context implements DeviceContext {
        private final List<Claim> claims = new ArrayList<>();
        private final Map<Class<?>, Object> facets = new HashMap<>();
        private boolean attached;
        private boolean revoked;

        void check() {
            if (revoked) throw new RevokedException(slot());
        }

        private void checkAttaching() {
            check();
            if (attached) throw new IllegalStateException("only in attach");
        }

        @Override
        public String slot() {
            return factory.type() + "0";
        }

        @Override
        public String machine() {
            return "bench";
        }

        @Override
        public String property(String name) {
            check();
            for (DeviceFactory.Property p : factory.properties()) {
                if (p.name().equals(name)) return properties.getOrDefault(name, p.defaultValue());
            }
            throw new NoSuchElementException("the factory declares no property " + name);
        }

        @Override
        public long place(String name) {
            check();
            for (Resource r : moved) if (r.name().equals(name)) return r.base();
            throw new NoSuchElementException("the factory declares no resource " + name);
        }

        @Override
        public void claimPorts(String name, int sizes, IoHandler handler) {
            claim(resource(Resource.Kind.PORTS, name), sizes, handler);
        }

        @Override
        public void claimMmio(String name, int sizes, IoHandler handler) {
            claim(resource(Resource.Kind.MMIO, name), sizes, handler);
        }

        private void claim(Resource r, int sizes, IoHandler handler) {
            checkAttaching();
            for (Claim c : claims) {
                boolean apart = r.base() + r.length() <= c.resource.base() || c.resource.base() + c.resource.length() <= r.base();
                if (r.base() >= 0 && c.resource.kind() == r.kind() && !apart) {
                    throw new ClaimException(r.name() + " overlaps " + c.resource.name());
                }
            }
            if (r.base() >= 0) claims.add(new Claim(r, sizes, handler));
        }

        @Override
        public IrqLine irq(String name) {
            check();
            BenchIrq irq = DeviceBench.this.irq(name);
            return new IrqLine() {
                @Override
                public void set(boolean level) {
                    check();
                    irq.set(level);
                }

                @Override
                public boolean level() {
                    return irq.level();
                }
            };
        }

        @Override
        public DmaLine dma(String name) {
            check();
            return DeviceBench.this.dma(name).line(this);
        }

        @Override
        public DmaMemory memory() {
            return new DmaMemory() {
                @Override
                public void read(long gpa, byte[] to, int offset, int length) {
                    check();
                    for (int i = 0; i < length; i++) to[offset + i] = gpa + i < memory.length ? memory[(int) gpa + i] : -1;
                }

                @Override
                public void write(long gpa, byte[] from, int offset, int length) {
                    check();
                    for (int i = 0; i < length; i++) if (gpa + i < memory.length) memory[(int) gpa + i] = from[offset + i];
                }
            };
        }

        @Override
        public VmClock clock() {
            return clock;
        }

        @Override
        public VmTimer timer(String name, Runnable callback) {
            checkAttaching();
            return clock.create(name, callback, this);
        }

        @Override
        public CharPort character(String name) {
            check();
            return DeviceBench.this.character(name).port(this);
        }

        @Override
        public Optional<BlockPort> block(String name) {
            check();
            resource(Resource.Kind.BLOCK, name);
            return Optional.ofNullable(blocks.get(name));
        }

        @Override
        public <T> void provide(Class<T> facet, T implementation) {
            checkAttaching();
            facets.put(facet, implementation);
        }

        @Override
        public Platform platform() {
            check();
            return platform.lines(this);
        }

        @Override
        public void post(Runnable task) {
            check();
            posted.add(new Posted(this, task));
        }

        @Override
        public ThreadFactory threads() {
            check();
            return work -> Thread.ofPlatform().daemon().name("bench card").unstarted(work);
        }

        @Override
        public void log(String message) {
            log.add(message);
        }
    }
}
