package org.backplane.board.machine;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine;
import org.backplane.board.backend.BlockImages;
import org.backplane.board.backend.CharBackend;
import org.backplane.board.backend.ConsoleBackend;
import org.backplane.board.cards.Card;
import org.backplane.board.cards.Card.Kind;
import org.backplane.board.cards.CardRegistry;
import org.backplane.kvm.api.KvmException;
import org.backplane.kvm.api.KvmRun;
import org.backplane.kvm.core.clock.TimerQueue;
import org.backplane.kvm.core.clock.VirtualClock;
import org.backplane.kvm.core.memory.MemoryLock;
import org.backplane.kvm.core.vm.KvmVcpu;
import org.backplane.kvm.core.vm.KvmVm;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.DisplaySource;
import org.backplane.kvm.spi.device.IsaDmaController;
import org.backplane.kvm.spi.device.KeyboardInput;
import org.backplane.kvm.spi.device.Platform;
import org.backplane.kvm.spi.device.PowerButton;
import org.backplane.kvm.spi.device.StateException;
import org.backplane.kvm.spi.mmu.Mmu;
import org.backplane.kvm.spi.mmu.VmMemory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A PC: a VM, its slots, and the thread that runs it. Every public method that looks at or changes the guest goes through {@link MachineLoop#call} and
 * so finds the vCPU outside of the guest.
 *
 * <p><b>State.</b> {@code wantRunning} says what people asked for; whether the machine really runs depends also on {@code waitingFor}: a
 * card that it cannot do without. Both belong to the machine's thread.
 */
public final class PcMachine implements Machine, CardRegistry.Listener, MachineLoop.Owner {
    private static final Logger LOG = LoggerFactory.getLogger(PcMachine.class);
    private static final int STATUS_ENDED_BY_EXIT = 3;

    private final String name;
    private final MachineConfig config;
    private final CardRegistry registry;
    private final BlockImages images;
    private final VirtualClock clock;
    private final PlatformLines platform;
    private final MachineLoop loop;
    private final KvmVm vm;
    private final KvmVcpu vcpu;
    private final SlotBoard board;
    private final CpuSlots cpuSlots;
    private final Boot boot;
    private final MachineLog log;
    private final MachineReport report;
    private final CompletableFuture<End> ended = new CompletableFuture<>();
    private final Runnable onEnd;
    private final ArrayDeque<Runnable> keyQueue = new ArrayDeque<>();
    private TimerQueue.Entry keyTimer;

    private volatile boolean started;
    private volatile boolean wantRunning;
    private volatile String waitingFor = "";
    private volatile boolean over;

    /** Pause of the last swap in nanoseconds, and swaps done. */
    private volatile long lastSwapPause;

    private long swaps;

    public PcMachine(String name, Map<String, List<String>> options, CardRegistry registry, Runnable onEnd) throws BoardException {
        this.name = name;
        this.registry = registry;
        images = new BlockImages(registry);
        this.onEnd = onEnd;
        config = new MachineConfig(options);
        clock = config.icount
                ? VirtualClock.instructions(config.wallBaseMillis, this::instructions, 1)
                : VirtualClock.host(config.wallBaseMillis);
        log = new MachineLog(config);
        loop = new MachineLoop(name, this, clock, config.icount);
        platform = new PlatformLines(config.ram, config.bootOrder, loop::interrupt);
        boot = new Boot(config, registry);
        vm = new KvmVm(loop, this::cardThrew, Map.of(), () -> {});
        board = new SlotBoard(this);
        cpuSlots = new CpuSlots(vm, registry, config);
        report = new MachineReport(this);
        try {
            cpuSlots.checkAvailable();
            mapMemory();
            vcpu = vm.createVcpu(0);
            log.attach(vcpu.context());
            plugStandardSlots();
            plugOptions();
        } catch (BoardException | RuntimeException e) {
            board.close();
            vm.close();
            throw e;
        }
        registry.addListener(this);
        exitHandlersNow(registry.exitHandlers());
    }

    /** The log sees exits first. */
    private void exitHandlersNow(List<KvmVm.ForeignHandler> handlers) {
        List<KvmVm.ForeignHandler> all = new ArrayList<>();
        all.add(log.exitHandler());
        all.addAll(handlers);
        vm.setForeignHandlers(all);
    }

    private void mapMemory() throws BoardException {
        try {
            PcLayout.mapMemory(vm, config.ram);
        } catch (KvmException e) {
            throw new BoardException("m: " + e.getMessage());
        }
        if (!config.memoryLock) return;
        for (VmMemory.Slot s : vm.memory().slots()) {
            String problem = MemoryLock.lock(vm.memory().memory(s.id()));
            if (!problem.isEmpty()) throw new BoardException("overcommit: memory cannot be locked: " + problem);
        }
    }

    private long instructions() {
        return vcpu == null ? 0 : vcpu.context().instructions;
    }

    private void plugStandardSlots() throws BoardException {
        for (PcLayout.Standard s : PcLayout.slots(config)) {
            Slot slot = new Slot(s.slot(), s.type(), s.properties(), config.snapshot);
            Optional<Card> card = registry.newest(Kind.DEVICE, s.type());
            // A board with an empty slot is a board; the card may come later.
            if (card.isPresent()) board.plug(slot, board.stage(slot, card.get()));
            else board.reserve(slot);
        }
    }

    private void plugOptions() throws BoardException {
        for (MachineConfig.DeviceOption d : config.devices) {
            plugNow(d.type(), d.id(), d.properties());
        }
    }

    // ---- parts, for the cards' contexts and the report ----

    KvmVm vm() {
        return vm;
    }

    KvmVcpu vcpu() {
        return vcpu;
    }

    VirtualClock clock() {
        return clock;
    }

    TimerQueue timers() {
        return loop.timers();
    }

    IrqRouter irqs() {
        return loop.irqs();
    }

    Platform platform() {
        return platform;
    }

    CpuSlots cpuSlots() {
        return cpuSlots;
    }

    SlotBoard board() {
        return board;
    }

    BlockImages images() {
        return images;
    }

    long swaps() {
        return swaps;
    }

    Optional<IsaDmaController> dmaController() {
        return board.facet(IsaDmaController.class);
    }

    void dmaRead(long gpa, byte[] to, int offset, int length) {
        try {
            vm.memory().read(gpa, to, offset, length);
        } catch (IndexOutOfBoundsException e) {
            Arrays.fill(to, offset, offset + length, (byte) 0xff);
        }
    }

    void dmaWrite(long gpa, byte[] from, int offset, int length) {
        try {
            vm.memory().write(gpa, from, offset, length);
        } catch (IndexOutOfBoundsException e) {
            log("dma", String.format("a write of %d bytes to 0x%x has no memory", length, gpa));
        }
    }

    void post(Runnable task, String slot) {
        loop.post(() -> guard(slot, task));
    }

    /** Runs a card's callback; what it throws is reported and goes no further. */
    void guard(String slot, Runnable callback) {
        try {
            callback.run();
        } catch (RuntimeException e) {
            cardThrew(slot, e);
        }
    }

    private void cardThrew(String slotName, RuntimeException e) {
        Slot slot = board.find(slotName).orElse(null);
        if (slot != null && slot.faulted) return;
        if (slot != null) slot.faulted = true;
        LOG.error("machine {}: the card in slot {} threw", name, slotName, e);
    }

    void log(String slot, String message) {
        LOG.info("machine {}: {}: {}", name, slot, message);
        log.card(slot, message);
    }

    // ---- the loop's owner ----

    @Override
    public boolean runnable() {
        return wantRunning && waitingFor.isEmpty() && !over;
    }

    @Override
    public boolean over() {
        return over;
    }

    @Override
    public void flush() {
        board.flush();
    }

    @Override
    public boolean singleSteps() {
        return log.everyInstruction();
    }

    @Override
    public void step() {
        log.instruction(vcpu.context().state);
    }

    @Override
    public void betweenRuns() {
        if (vm.memory().a20() != platform.a20) vm.setA20(platform.a20);
        if (platform.exitStatus >= 0) {
            end(new End(platform.exitStatus, platform.exitReason, ""));
        } else if (platform.resetReason != null) {
            String reason = platform.resetReason;
            platform.resetReason = null;
            if (config.noReboot) end(new End(0, "reset (" + reason + ") with -no-reboot", ""));
            else resetNow(reason);
        }
    }

    @Override
    public void exited(KvmRun run) {
        switch (run.exitReason) {
            case SHUTDOWN -> {
                if (config.noReboot) end(new End(STATUS_ENDED_BY_EXIT, "triple fault", report.crash("triple fault")));
                else resetNow("triple fault");
            }
            case FAIL_ENTRY, INTERNAL_ERROR, UNKNOWN -> end(
                    new End(STATUS_ENDED_BY_EXIT, run.message, report.crash(run.message)));
            default -> end(new End(
                    STATUS_ENDED_BY_EXIT,
                    "exit " + run.exitReason + " is handled by nobody",
                    report.crash("exit " + run.exitReason)));
        }
    }

    private void end(End how) {
        if (over) return;
        over = true;
        wantRunning = false;
        registry.removeListener(this);
        report.freeze();
        board.flush();
        board.close();
        vm.close();
        log.close();
        onEnd.run();
        ended.complete(how);
    }

    private void resetNow(String reason) {
        log.reset(reason, vcpu.context().state);
        platform.a20 = true;
        vm.setA20(true);
        vcpu.reset();
        board.resetAll();
        try {
            boot.load(vm, vcpu.context().state);
        } catch (BoardException e) {
            end(new End(STATUS_ENDED_BY_EXIT, e.getMessage(), ""));
            return;
        }
        vcpu.stateChanged();
    }

    // ---- life ----

    @Override
    public String name() {
        return name;
    }

    @Override
    public State state() {
        if (over) return State.ENDED;
        if (!started) return State.CREATED;
        if (!wantRunning) return State.PAUSED;
        return waitingFor.isEmpty() ? State.RUNNING : State.WAITING;
    }

    @Override
    public String stateDetail() {
        return over ? ended.getNow(new End(0, "", "")).reason() : waitingFor;
    }

    @Override
    public Map<String, List<String>> config() {
        return config.raw;
    }

    @Override
    public void start() throws BoardException {
        run(() -> {
            if (over) throw new BoardException("machine " + name + " has ended");
            if (started) throw new BoardException("machine " + name + " has been started already");
            cpuSlots.installIfComplete();
            vcpu.reset();
            board.resetAll();
            boot.load(vm, vcpu.context().state);
            vcpu.stateChanged();
            started = true;
            wantRunning = true;
            checkWaiting();
            loop.start(vcpu);
        });
    }

    @Override
    public void pause() {
        loop.call(() -> wantRunning = false);
    }

    @Override
    public void resume() {
        loop.call(() -> wantRunning = started && !over);
    }

    @Override
    public void reset() {
        loop.call(() -> {
            if (!over) resetNow("reset button");
            return null;
        });
    }

    @Override
    public void powerButton() throws BoardException {
        PowerButton button =
                callBoard(() -> board.facet(PowerButton.class)).orElseThrow(() -> new BoardException("no card has a power button"));
        post(button::press, "power button");
    }

    @Override
    public void stop() {
        loop.call(() -> {
            end(new End(0, "stopped", ""));
            return null;
        });
    }

    @Override
    public CompletableFuture<End> ended() {
        return ended;
    }

    // ---- cards come and go ----

    private void checkWaiting() {
        String missing = cpuSlots.missing();
        if (missing.isEmpty()) {
            for (Slot s : board.slots()) {
                if (s.parked != null && s.policy == Slot.Policy.PAUSE) missing = "waiting for card " + s.type() + " in slot " + s.name();
            }
        }
        waitingFor = missing;
    }

    @Override
    public void added(Card card) {
        loop.call(() -> {
            if (over) return null;
            if (card.kind() == Kind.DEVICE) fillEmptySlots(card);
            else if (CpuSlots.NAMES.containsKey(card.kind()) && started && !vm.cpuPresent()) cpuSlots.installIfComplete();
            checkWaiting();
            return null;
        });
    }

    private void fillEmptySlots(Card card) {
        for (Slot s : List.copyOf(board.slots())) {
            if (s.occupied() || !s.type().equals(card.type())) continue;
            try {
                board.plug(s, board.stage(s, card));
            } catch (BoardException e) {
                LOG.error("machine {}: {}", name, e.getMessage());
            }
        }
    }

    @Override
    public void removed(Card card) {
        loop.call(() -> {
            if (over) return null;
            for (Slot s : board.slots()) if (s.card == card) board.park(s);
            cpuSlots.removed(card);
            for (Slot s : List.copyOf(board.slots())) {
                if (s.parked != null && !s.occupied()) registry.newest(Kind.DEVICE, s.type()).ifPresent(this::fillEmptySlots);
            }
            if (started && !vm.cpuPresent()) cpuSlots.installIfComplete();
            checkWaiting();
            return null;
        });
    }

    @Override
    public void exitHandlersChanged(List<KvmVm.ForeignHandler> handlers) {
        loop.call(() -> {
            exitHandlersNow(handlers);
            return null;
        });
    }

    @Override
    public List<SlotInfo> slots() {
        return loop.call(() -> {
            List<SlotInfo> all = new ArrayList<>();
            for (Kind k : cpuSlots.kinds()) {
                Card c = cpuSlots.active(k);
                all.add(new SlotInfo(
                        CpuSlots.NAMES.get(k),
                        k.label(),
                        cpuSlots.wanted(k),
                        c == null ? "" : c.version(),
                        c == null ? "waiting" : "active",
                        c == null ? "" : c.bundle(),
                        List.of(),
                        Map.of()));
            }
            for (Slot s : board.slots()) {
                String state = s.occupied() ? "active" : s.parked != null ? "parked" : "empty";
                all.add(new SlotInfo(
                        s.name(),
                        Kind.DEVICE.label(),
                        s.type(),
                        s.occupied() ? s.card.version() : "",
                        state,
                        s.occupied() ? s.card.bundle() : "",
                        s.occupied() ? s.context.describeClaims() : List.of(),
                        Map.copyOf(s.properties())));
            }
            return all;
        });
    }

    @Override
    public void plug(String type, String slot, Map<String, String> properties) throws BoardException {
        run(() -> plugNow(type, slot, properties));
    }

    private void plugNow(String type, String slotName, Map<String, String> properties) throws BoardException {
        Card card = registry.newest(Kind.DEVICE, type).orElseThrow(() -> new BoardException("device: there is no card '" + type
                + "' (there is: " + String.join(", ", registry.all().stream()
                        .filter(c -> c.kind() == Kind.DEVICE).map(Card::type).distinct().toList()) + ")"));
        String id = slotName;
        for (int n = 0; id == null; n++) if (board.find(type + n).isEmpty()) id = type + n;
        Optional<Slot> existing = board.find(id);
        if (existing.isPresent() && existing.get().occupied()) throw new BoardException("slot " + id + " is taken");
        Slot slot = new Slot(id, type, properties, config.snapshot);
        try {
            board.plug(slot, board.stage(slot, card));
        } catch (BoardException | RuntimeException e) {
            if (!slot.occupied()) slot.close();
            throw e;
        }
    }

    @Override
    public void unplug(String slot) throws BoardException {
        run(() -> board.unplug(device(slot)));
    }

    private Slot device(String name) throws BoardException {
        return board.find(name).orElseThrow(() -> new BoardException("there is no slot '" + name + "'"));
    }

    @Override
    public SwapReport swap(String slotName, String target) throws BoardException {
        Optional<Kind> cpuKind = CpuSlots.kindOf(slotName);
        if (cpuKind.isPresent()) return swapCpu(cpuKind.get(), target);
        Slot slot = callBoard(() -> device(slotName));
        if (!slot.occupied()) throw new BoardException("slot " + slotName + " has no card to swap");
        Card from = slot.card;
        Card to = target(Kind.DEVICE, slot.type(), target, from);
        if (!to.type().equals(slot.type())) {
            throw new BoardException("slot " + slotName + " is for cards of type " + slot.type() + ", not " + to.type());
        }
        // Everything that can take time or fail is tried while the guest runs: classes, attach, and the state as it is now.
        SlotBoard.Staged trial = board.stage(slot, to);
        CardState copy = callBoard(() -> board.save(slot)).copy();
        try {
            board.load(slot, trial, copy);
        } catch (StateException | RuntimeException e) {
            throw new BoardException("slot " + slotName + ": card " + to.describe() + " does not take the state of " + from.describe()
                    + ": " + e.getMessage(), e);
        } finally {
            trial.context().revoke();
            guard(slotName, trial.device()::detach);
        }
        SlotBoard.Staged next = board.stage(slot, to);
        run(() -> {
            if (slot.card != from) throw new BoardException("slot " + slotName + " changed meanwhile");
            timed(() -> board.swap(slot, next));
        });
        return new SwapReport(slotName, from.describe(), to.describe(), lastSwapPause);
    }

    private SwapReport swapCpu(Kind kind, String target) throws BoardException {
        String slotName = CpuSlots.NAMES.get(kind);
        Card from = callBoard(() -> cpuSlots.active(kind));
        if (from == null) throw new BoardException("slot " + slotName + " has no card to swap");
        Card to = target(kind, from.type(), target, from);
        run(() -> timed(() -> {
            try {
                cpuSlots.swap(kind, to);
            } catch (RuntimeException e) {
                throw new BoardException("slot " + slotName + ": card " + to.describe() + " cannot take over: " + e.getMessage(), e);
            }
        }));
        return new SwapReport(slotName, from.describe(), to.describe(), lastSwapPause);
    }

    /** {@code TYPE}, {@code TYPE@VERSION}, {@code TYPE#BUNDLE-ID}, or null for the newest other card of the same type. */
    private Card target(Kind kind, String type, String target, Card from) throws BoardException {
        if (target == null) {
            return registry.find(kind, type).filter(c -> c != from).findFirst().orElseThrow(
                    () -> new BoardException("there is no other card of type " + type + " to swap to"));
        }
        String wantedType = target.split("[@#]", 2)[0];
        return registry.find(kind, wantedType)
                .filter(c -> !target.contains("@") || c.version().equals(target.substring(target.indexOf('@') + 1)))
                .filter(c -> !target.contains("#") || String.valueOf(c.bundleId()).equals(target.substring(target.indexOf('#') + 1)))
                .findFirst()
                .orElseThrow(() -> new BoardException("there is no " + kind.label() + " card '" + target + "'"));
    }

    private void timed(BoardAction action) throws BoardException {
        long begin = System.nanoTime();
        action.run();
        lastSwapPause = System.nanoTime() - begin;
        swaps++;
    }

    @Override
    public void policy(String slot, String policy) throws BoardException {
        Slot.Policy p = switch (policy) {
            case "float" -> Slot.Policy.FLOAT;
            case "pause" -> Slot.Policy.PAUSE;
            default -> throw new BoardException("a policy is float or pause, not '" + policy + "'");
        };
        run(() -> {
            device(slot).policy = p;
            checkWaiting();
        });
    }

    @Override
    public String cardState(String slot) throws BoardException {
        return callBoard(() -> {
            Slot s = device(slot);
            if (s.occupied()) return board.save(s).toString();
            if (s.parked != null) return s.parked.toString();
            throw new BoardException("slot " + slot + " is empty");
        });
    }

    // ---- looking inside ----

    @Override
    public CpuState cpu(int id) {
        return loop.call(() -> {
            CpuState copy = new CpuState();
            copy.copyFrom(vcpu.context().state);
            return copy;
        });
    }

    @Override
    public byte[] readPhysical(long gpa, int length) {
        return loop.call(() -> {
            byte[] to = new byte[length];
            for (int i = 0; i < length; i++) dmaRead(gpa + i, to, i, 1);
            return to;
        });
    }

    @Override
    public Optional<byte[]> readLinear(int id, long gva, int length) {
        return loop.call(() -> {
            if (!vm.cpuPresent()) return Optional.empty();
            byte[] to = new byte[length];
            for (int i = 0; i < length; i++) {
                long gpa = vm.mmu().gvaToGpa(vcpu.context(), gva + i, Mmu.PROBE);
                if (gpa < 0) return Optional.empty();
                dmaRead(gpa, to, i, 1);
            }
            return Optional.of(to);
        });
    }

    @Override
    public List<String> pageWalk(int id, long gva) {
        return loop.call(() -> report.pageWalk(gva));
    }

    @Override
    public Map<String, Long> exits() {
        return loop.call(report::exits);
    }

    @Override
    public Map<String, String> stats() {
        return loop.call(report::stats);
    }

    @Override
    public Map<String, Long> vmcs(int id) {
        return loop.call(() -> vm.cpuPresent() ? vm.backend().vmcs(vcpu.context()) : Map.of());
    }

    // ---- people ----

    @Override
    public Optional<DisplaySource.Frame> screen() {
        return loop.call(() -> board.facet(DisplaySource.class).map(DisplaySource::render));
    }

    @Override
    public List<String> screenText() {
        return loop.call(() -> board.facet(DisplaySource.class).map(d -> List.of(d.text())).orElse(List.of()));
    }

    @Override
    public void sendKeys(List<String> keys) throws BoardException {
        List<Keys.Chord> chords = new ArrayList<>();
        for (String k : keys) chords.add(Keys.chord(k));
        press(chords);
    }

    @Override
    public void type(String text) throws BoardException {
        press(Keys.typing(text));
    }

    private void press(List<Keys.Chord> chords) throws BoardException {
        if (callBoard(() -> board.facet(KeyboardInput.class)).isEmpty()) throw new BoardException("no card has a keyboard");
        run(() -> {
            for (Keys.Chord c : chords) {
                for (int k : c.keys()) keyQueue.add(() -> offerKey(k, true));
                for (int k : c.keys().reversed()) keyQueue.add(() -> offerKey(k, false));
            }
            if (keyTimer == null) keyTimer = loop.timers().add(this::pumpKeys);
            if (keyTimer.deadline() == TimerQueue.NEVER) keyTimer.arm(clock.nanos());
        });
    }

    private static final long KEY_INTERVAL_NANOS = 5_000_000;

    private boolean keyTaken;

    private void offerKey(int key, boolean down) {
        keyTaken = board.facet(KeyboardInput.class).map(k -> k.key(key, down)).orElse(true);
    }

    /** One key event every few milliseconds, as a fast typist's keyboard sends them; the keyboard's buffer may be full. */
    private void pumpKeys() {
        Runnable next = keyQueue.peek();
        if (next == null) return;
        guard("keyboard", next);
        if (keyTaken) keyQueue.remove();
        if (!keyQueue.isEmpty()) keyTimer.arm(clock.nanos() + KEY_INTERVAL_NANOS);
    }

    @Override
    public Console attachConsole(String slotName, Console.Output output) throws BoardException {
        return callBoard(() -> {
            Slot slot = device(slotName);
            for (CharBackend c : slot.characters().values()) if (c instanceof ConsoleBackend b) return b.attach(output);
            throw new BoardException("slot " + slotName + " has no console");
        });
    }

    // ---- requests that may be refused ----

    private interface BoardAction {
        void run() throws BoardException;
    }

    private interface BoardCall<T> {
        T call() throws BoardException;
    }

    private void run(BoardAction action) throws BoardException {
        callBoard(() -> {
            action.run();
            return null;
        });
    }

    private <T> T callBoard(BoardCall<T> action) throws BoardException {
        try {
            return loop.call(action::call);
        } catch (CompletionException e) {
            if (e.getCause() instanceof BoardException b) throw b;
            throw e;
        }
    }
}
