package org.backplane.board.machine;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Supplier;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Inspector;
import org.backplane.board.api.Machine;
import org.backplane.board.api.MachineDebugger;
import org.backplane.board.api.PauseStats;
import org.backplane.board.backend.BlockImages;
import org.backplane.board.cards.Card;
import org.backplane.board.cards.Card.Kind;
import org.backplane.board.cards.CardRegistry;
import org.backplane.kvm.api.KvmException;
import org.backplane.kvm.api.KvmRun;
import org.backplane.kvm.core.clock.TimerQueue;
import org.backplane.kvm.core.clock.VirtualClock;
import org.backplane.kvm.core.exit.Tenure;
import org.backplane.kvm.core.memory.MemoryLock;
import org.backplane.kvm.core.vm.KvmVcpu;
import org.backplane.kvm.core.vm.KvmVm;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.device.CardControls;
import org.backplane.kvm.spi.device.DisplaySource;
import org.backplane.kvm.spi.device.IsaDmaController;
import org.backplane.kvm.spi.device.Platform;
import org.backplane.kvm.spi.device.PowerButton;
import org.backplane.kvm.spi.device.RevokedException;
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
    private final PauseMeter pauses = new PauseMeter();
    private final MachineLoop loop;
    private final KvmVm vm;
    private final KvmVcpu vcpu;
    private final SlotBoard board;
    private final CpuSlots cpuSlots;
    private final Boot boot;
    private final MachineLog log;
    private final MachineReport report;
    private final MachineInspector inspector;
    private final GuestDma dma;
    private final GuestView view;
    private final CompletableFuture<End> ended = new CompletableFuture<>();
    private final Runnable onEnd;
    private final CardBay bay;
    private final Desk desk;
    private final DebugPort debugPort;
    private final CardLimit limit;
    private final CardFaults faults;
    private final Watchdog watchdog;
    private final ManagedMachine managed;

    private volatile boolean started;
    private volatile boolean wantRunning;
    private volatile boolean over;

    public PcMachine(String name, Map<String, List<String>> options, CardRegistry registry, Runnable onEnd) throws BoardException {
        this.name = name;
        this.registry = registry;
        images = new BlockImages(registry);
        this.onEnd = onEnd;
        config = new MachineConfig(options);
        clock = config.icount
                ? VirtualClock.instructions(config.wallBaseMillis, this::instructions, 1)
                : VirtualClock.host(config.wallBaseMillis);
        boot = new Boot(config, registry);
        log = new MachineLog(config);
        loop = new MachineLoop(name, this, clock, config.icount, pauses);
        platform = new PlatformLines(config.ram, config.bootOrder, loop::interrupt);
        vm = new KvmVm(loop, this::cardThrew, config.mmuProperties, () -> {});
        vm.auditEvery(config.auditEvery, violation -> LOG.error("machine {}: audit: {}", name, violation));
        dma = new GuestDma(vm.memory(), line -> log("dma", line));
        vm.bus().tenure(loop.tenure());
        limit = new CardLimit(name, config.cardLimitMillis);
        faults = new CardFaults(this);
        watchdog = new Watchdog(name, loop, limit);
        board = new SlotBoard(this);
        cpuSlots = new CpuSlots(vm, registry, config);
        report = new MachineReport(this);
        bay = new CardBay(this, loop, board, cpuSlots, registry, config.snapshot, pauses);
        inspector = new MachineInspector(this, loop, bay);
        desk = new Desk(this, loop, board, bay);
        debugPort = new DebugPort(this, loop);
        try {
            cpuSlots.checkAvailable();
            mapMemory();
            vcpu = vm.createVcpu(0);
            view = new GuestView(loop, vm, vcpu, dma);
            log.attach(vcpu.context());
            plugStandardSlots();
            plugOptions();
        } catch (BoardException | RuntimeException e) {
            board.close();
            limit.close();
            vm.close();
            log.close();
            throw e;
        }
        managed = new ManagedMachine(this);
        registry.addListener(this);
        loop.request(bay::catchUp);
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
            bay.plug(d.type(), d.id(), d.properties());
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

    /** A card armed a timer; see {@link MachineLoop#timerArmed}. */
    void timerArmed(long deadline) {
        loop.timerArmed(deadline);
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

    PauseMeter pauseMeter() {
        return pauses;
    }

    long swaps() {
        return bay.swaps();
    }

    /** Asks the DMA controller on behalf of a card; {@code none} if there is none. */
    <T> T withDmaController(T none, Function<IsaDmaController, T> use) {
        Optional<Slot> slot = board.offering(IsaDmaController.class);
        if (slot.isEmpty()) return none;
        Tenure t = tenure();
        Object before = t.enter(slot.get().name());
        try {
            return use.apply(slot.get().context.facet(IsaDmaController.class).orElseThrow());
        } finally {
            t.leave(before);
        }
    }

    /** For a call into a card that the calling thread makes. */
    Tenure tenure() {
        return loop.tenureHere();
    }

    /** The time limit for what cards do outside of the guest's time. */
    CardLimit limit() {
        return limit;
    }

    CardFaults faults() {
        return faults;
    }

    /** See {@link MachineLoop#later}. */
    void later(Runnable task) {
        loop.later(task);
    }

    /** Slots have come or gone. */
    void checkWaiting() {
        bay.checkWaiting();
    }

    GuestDma dma() {
        return dma;
    }

    void post(Runnable task, String slot) {
        loop.post(() -> callback(slot, task));
    }

    /** Runs a card's callback in the guest's time, on the machine's thread: what it throws is reported, and it has a time limit. */
    void callback(String slot, Runnable callback) {
        Tenure t = tenure();
        Object before = t.enter(slot);
        guard(slot, callback);
        t.leave(before);
    }

    /** Runs a card's callback; what it throws is reported and goes no further. */
    void guard(String slot, Runnable callback) {
        try {
            callback.run();
        } catch (Throwable e) {
            if (e instanceof Tenure.Lost lost) throw lost;
            cardThrew(slot, e);
        }
    }

    @Override
    public void cardThrew(String slotName, Throwable e) {
        if (!(e instanceof RevokedException)) faults.threw(slotName, e);
    }

    @Override
    public void cutOff(Object callee, StackTraceElement[] where) {
        vm.bus().tenure(loop.tenure());
        cpuSlots.renew();
        Optional<Slot> slot = callee instanceof String name ? board.find(name) : Optional.empty();
        if (slot.isPresent() && slot.get().occupied()) faults.hung(slot.get(), limit.millis(), where);
        else faults.report(String.valueOf(callee), "", "hangs: it did not come back from a call within " + limit.millis() + " ms", null);
        vm.dropForeignHandler(callee);
    }

    void log(String slot, String message) {
        LOG.info("machine {}: {}: {}", name, slot, message);
        log.card(slot, message);
    }

    // ---- the loop's owner ----

    @Override
    public boolean runnable() {
        return wantRunning && bay.waitingFor().isEmpty() && !over;
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
            case DEBUG -> debugPort.stopped(run);
            case FAIL_ENTRY, INTERNAL_ERROR, UNKNOWN -> end(
                    new End(STATUS_ENDED_BY_EXIT, run.message, report.crash(run.message)));
            default -> end(new End(
                    STATUS_ENDED_BY_EXIT,
                    "exit " + run.exitReason + " is handled by nobody",
                    report.crash("exit " + run.exitReason)));
        }
    }

    @Override
    public void failed(Throwable t) {
        LOG.error("machine {}: a card of the CPU threw", name, t);
        String why = "a card of the CPU threw " + t;
        end(new End(STATUS_ENDED_BY_EXIT, why, report.crash(why)));
    }

    private void end(End how) {
        if (over) return;
        over = true;
        wantRunning = false;
        registry.removeListener(this);
        // Whatever a card does while it is taken out, the rest is released and whoever waits for the end is told.
        step(managed::close);
        step(report::freeze);
        step(inspector::freeze);
        step(board::flush);
        step(watchdog::close);
        step(board::close);
        step(limit::close);
        step(vm::close);
        step(log::close);
        step(onEnd);
        ended.complete(how);
    }

    private void step(Runnable ending) {
        try {
            ending.run();
        } catch (RuntimeException | LinkageError e) {
            LOG.error("machine {}: ending it did not go smoothly", name, e);
        }
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
        return bay.waitingFor().isEmpty() ? State.RUNNING : State.WAITING;
    }

    @Override
    public String stateDetail() {
        if (over) return ended.getNow(new End(0, "", "")).reason();
        return state() == State.WAITING ? bay.waitingFor() : "";
    }

    @Override
    public Map<String, List<String>> config() {
        return config.raw;
    }

    @Override
    public void start() throws BoardException {
        loop.run(() -> {
            if (over) throw new BoardException("machine " + name + " has ended");
            if (started) throw new BoardException("machine " + name + " has been started already");
            cpuSlots.installIfComplete();
            vcpu.reset();
            board.resetAll();
            boot.load(vm, vcpu.context().state);
            vcpu.stateChanged();
            started = true;
            wantRunning = !config.frozen && !debugPort.holds();
            bay.checkWaiting();
            loop.start(vcpu);
            watchdog.start();
        });
    }

    @Override
    public void pause() {
        loop.request(() -> {
            halt();
            debugPort.paused();
        });
    }

    @Override
    public void resume() {
        loop.request(this::go);
    }

    /** Goes on, on the machine's thread. */
    void go() {
        wantRunning = started && !over;
    }

    /** Stands still, on the machine's thread. False if it does already. */
    boolean halt() {
        boolean ran = wantRunning;
        wantRunning = false;
        pauses.paused();
        return ran;
    }

    @Override
    public MachineDebugger debug(MachineDebugger.Listener listener) throws BoardException {
        return loop.ask(() -> {
            if (over) throw new BoardException("machine " + name + " has ended");
            return debugPort.open(listener);
        });
    }

    @Override
    public void reset() {
        loop.request(() -> {
            if (!over) resetNow("reset button");
        });
    }

    @Override
    public void powerButton() throws BoardException {
        Slot slot = loop.ask(() -> board.offering(PowerButton.class)).orElseThrow(() -> new BoardException("no card has a power button"));
        post(() -> board.facet(PowerButton.class).ifPresent(PowerButton::press), slot.name());
    }

    @Override
    public void stop() {
        loop.request(() -> end(new End(0, "stopped", "")));
    }

    @Override
    public CompletableFuture<End> ended() {
        return ended;
    }

    // ---- cards come and go ----

    @Override
    public void added(Card card) {
        loop.request(() -> {
            if (!over) bay.added(card, started);
        });
    }

    @Override
    public void removed(Card card) {
        loop.request(() -> {
            if (!over) bay.removed(card, started);
        });
    }

    @Override
    public void exitHandlersChanged(List<KvmVm.ForeignHandler> handlers) {
        loop.request(() -> exitHandlersNow(handlers));
    }

    @Override
    public List<SlotInfo> slots() {
        return loop.call(bay::describe);
    }

    @Override
    public void plug(String type, String slot, Map<String, String> properties) throws BoardException {
        loop.run(() -> bay.plug(type, slot, properties));
    }

    @Override
    public void unplug(String slot) throws BoardException {
        loop.run(() -> bay.unplug(slot));
    }

    @Override
    public SwapReport swap(String slot, String target) throws BoardException {
        if (!loop.inCallback()) return bay.swap(slot, target);
        loop.run(() -> bay.swap(slot, target));
        return new SwapReport(slot, "", "", -1);
    }

    @Override
    public List<CardReport> cardReports() {
        return faults.reports();
    }

    @Override
    public void policy(String slot, String policy) throws BoardException {
        loop.run(() -> bay.policy(slot, policy));
    }

    @Override
    public String cardState(String slot) throws BoardException {
        return loop.ask(() -> bay.cardState(slot));
    }

    // ---- looking inside ----

    @Override
    public CpuState cpu(int id) {
        return view.cpu();
    }

    @Override
    public byte[] readPhysical(long gpa, int length) {
        return view.physical(gpa, length);
    }

    @Override
    public Optional<byte[]> readLinear(int id, long gva, int length) {
        return view.linear(gva, length);
    }

    @Override
    public Map<String, String> stats() {
        return report.all(loop.call(report::stats));
    }

    @Override
    public void addStats(Supplier<Map<String, String>> lines) {
        report.add(lines);
    }

    @Override
    public PauseStats pauses() {
        return pauses.stats();
    }

    @Override
    public Inspector inspector() {
        return inspector;
    }

    // ---- people ----

    @Override
    public Optional<DisplaySource.Frame> screen() {
        return desk.screen();
    }

    @Override
    public List<String> screenText() {
        return desk.screenText();
    }

    @Override
    public void sendKeys(List<String> keys) throws BoardException {
        desk.press(keys);
    }

    @Override
    public void type(String text) throws BoardException {
        desk.type(text);
    }

    @Override
    public List<CardControls.Control> controls(String slot) throws BoardException {
        return desk.controls(slot);
    }

    @Override
    public String use(String slot, String control, List<String> arguments) throws BoardException {
        return desk.use(slot, control, arguments);
    }

    @Override
    public Console attachConsole(String slotName, Console.Output output) throws BoardException {
        return desk.attach(slotName, output);
    }
}
