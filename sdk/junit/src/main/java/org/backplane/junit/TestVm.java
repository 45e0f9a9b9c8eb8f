package org.backplane.junit;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.backplane.board.api.Machine;
import org.backplane.kvm.spi.cpu.CpuState;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A VM for a test, registered as a JUnit extension. In a static field it boots once for the tests of the class, in an instance field once for each
 * test; it is closed behind them, whatever becomes of them. Closing ends the machine, stops the board and deletes its files.
 *
 * <p><b>Threading.</b> One test at a time: methods are called by the test's thread.
 */
public final class TestVm implements BeforeAllCallback, AfterAllCallback, BeforeEachCallback, AfterEachCallback {
    private static final String SLOT = "com1";
    private static final int POLL_MILLIS = 5;

    private final List<CardBundle> cards;
    private final Map<String, List<String>> config;
    private final boolean probing;
    private final Duration patience;

    /** Classes whose tests share it and that have begun: the one with the static field, and those nested in it. */
    private int classes;

    private Path scratch;
    private Board board;
    private Machine machine;
    private SerialConsole serial;
    private Probe probe;

    private TestVm(Builder b) {
        cards = List.copyOf(b.cards);
        config = new LinkedHashMap<>();
        b.config.forEach((k, v) -> config.put(k, List.copyOf(v)));
        patience = b.patience;
        probing = Builder.BOOTABLE.stream().noneMatch(config::containsKey);
    }

    public static Builder builder() {
        return new Builder();
    }

    /** What a VM is made of; what is not said is as {@code backplane run} has it. */
    public static final class Builder {
        private static final List<String> BOOTABLE = List.of("kernel", "fda", "bios");

        private final List<CardBundle> cards = new ArrayList<>();
        private final Map<String, List<String>> config = new LinkedHashMap<>(Map.of("m", new ArrayList<>(List.of("16"))));
        private Duration patience = Duration.ofSeconds(30);

        private Builder() {}

        /** Installs the bundle that this class belongs to: that of the project under test ({@code target/classes}), or a jar of the class path. */
        public Builder card(Class<?> card) {
            cards.add(CardBundle.of(card));
            return this;
        }

        /** Installs a bundle: a jar, or a directory of the same content. */
        public Builder card(Path bundle) {
            cards.add(new CardBundle(bundle.toAbsolutePath()));
            return this;
        }

        /** Plugs a card: {@code TYPE[,property=value…]}, as {@code -device} has it. */
        public Builder device(String device) {
            return add("device", device);
        }

        /** Boots a bzImage or a multiboot kernel, instead of the probe. */
        public Builder kernel(Path file) {
            return option("kernel", file.toString());
        }

        public Builder initrd(Path file) {
            return option("initrd", file.toString());
        }

        /** The kernel's command line. */
        public Builder append(String commandLine) {
            return option("append", commandLine);
        }

        /**
         * Any option of a machine, see {@link org.backplane.board.api.MachineOptions#ALL}; {@code m}, its memory, is 16 MiB. Said again, it replaces
         * what was said before.
         *
         * @throws IllegalArgumentException for {@code serial}: the first serial port is the test's
         */
        public Builder option(String name, String value) {
            if (name.equals("serial")) throw new IllegalArgumentException("option serial: the first serial port is the test's, see serial()");
            config.put(name, new ArrayList<>(List.of(value)));
            return this;
        }

        private Builder add(String name, String value) {
            config.computeIfAbsent(name, n -> new ArrayList<>()).add(value);
            return this;
        }

        /** How long a test waits for the guest where it does not say so itself; 30 s. */
        public Builder patience(Duration patience) {
            this.patience = patience;
            return this;
        }

        public TestVm build() {
            return new TestVm(this);
        }
    }

    // ---- for tests ----

    /** The guest's first serial port. */
    public SerialConsole serial() {
        return started(serial);
    }

    /** The guest that does what the test says. */
    public Probe probe() {
        if (!probing) throw new IllegalStateException("the VM runs a guest of its own and not the probe");
        return started(probe);
    }

    /** The machine: slots, memory, registers, screen, keyboard, statistics. */
    public Machine machine() {
        return started(machine);
    }

    /**
     * Waits until the machine has ended: by power-off, by {@code isa-debug-exit}, by an exit that nobody handled.
     *
     * @throws AssertionError if it does not within the patience of the VM
     */
    public Machine.End end() {
        try {
            return machine().ended().get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new AssertionError("the machine did not end in " + patience.toMillis() + " ms; " + circumstances(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted while waiting for the machine's end", e);
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        }
    }

    /**
     * Updates the bundles of the cards in place while the guest runs, as {@code card:update} does: each gets a new class loader, and every device of
     * theirs is saved, made anew, and loaded. Returns when all slots have their cards again.
     *
     * @throws AssertionError if a card does not come back within the patience of the VM
     */
    public void updateCards() {
        started(board).updateCards();
        long limit = System.nanoTime() + patience.toNanos();
        while (true) {
            List<Machine.SlotInfo> without = machine.slots().stream().filter(s -> !s.state().equals("active")).toList();
            if (without.isEmpty()) return;
            if (System.nanoTime() > limit) throw new AssertionError("the update did not bring back " + without + "; " + circumstances());
            try {
                Thread.sleep(POLL_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new AssertionError("interrupted while waiting for a card", e);
            }
        }
    }

    private static <T> T started(T part) {
        if (part == null) throw new IllegalStateException("the VM is not running: is its field annotated with @RegisterExtension?");
        return part;
    }

    /** What the machine is doing, for messages: a line. */
    private String circumstances() {
        Machine.State state = machine.state();
        if (state == Machine.State.ENDED) {
            Machine.End end = machine.ended().getNow(null);
            return "The machine has ended" + (end == null ? "" : " with status " + end.status() + ": " + end.reason() + ("\n" + end.report()).stripTrailing());
        }
        CpuState s = machine.cpu(0);
        return "The machine is %s%s, its CPU at %04x:%08x, interrupts %s%s".formatted(
                state.name().toLowerCase(java.util.Locale.ROOT),
                machine.stateDetail().isEmpty() ? "" : " (" + machine.stateDetail() + ")",
                s.segSel[CpuState.CS],
                s.rip,
                s.interruptsEnabled() ? "on" : "off",
                s.activity == CpuState.HLT ? ", halted" : "");
    }

    // ---- life ----

    @Override
    public void beforeAll(ExtensionContext context) throws Exception {
        if (classes++ == 0) start();
    }

    @Override
    public void beforeEach(ExtensionContext context) throws Exception {
        if (classes == 0) start();
    }

    @Override
    public void afterEach(ExtensionContext context) throws Exception {
        if (classes == 0) close();
    }

    @Override
    public void afterAll(ExtensionContext context) throws Exception {
        if (--classes == 0) close();
    }

    private void start() throws Exception {
        try {
            board = Board.start(cards);
            machine = board.machines().create("vm", configuration());
            Machine.Console[] console = new Machine.Console[1];
            serial = new SerialConsole(bytes -> console[0].input(bytes), this::circumstances, patience);
            console[0] = machine.attachConsole(SLOT, serial::output);
            machine.ended().thenRun(serial::end);
            machine.start();
            if (probing) {
                probe = new Probe(serial, patience);
                probe.boot();
            }
        } catch (Exception | AssertionError e) {
            // Nobody has seen it; closing again does nothing.
            try {
                close();
            } catch (IOException | RuntimeException f) {
                e.addSuppressed(f);
            }
            throw e;
        }
    }

    private Map<String, List<String>> configuration() throws IOException {
        Map<String, List<String>> all = new LinkedHashMap<>(config);
        all.put("serial", List.of("console"));
        if (probing) all.put("kernel", List.of(probeImage().toString()));
        return all;
    }

    private Path probeImage() throws IOException {
        scratch = Files.createTempDirectory("backplane-probe");
        Path image = scratch.resolve("probe.bin");
        try (InputStream in = TestVm.class.getResourceAsStream("probe.bin")) {
            Files.copy(in, image);
        }
        return image;
    }

    private void close() throws IOException {
        try {
            if (machine != null && machine.state() != Machine.State.ENDED) machine.stop();
            if (board != null) board.close();
            if (scratch != null) {
                Files.deleteIfExists(scratch.resolve("probe.bin"));
                Files.deleteIfExists(scratch);
            }
        } finally {
            machine = null;
            board = null;
            serial = null;
            probe = null;
            scratch = null;
        }
    }
}
