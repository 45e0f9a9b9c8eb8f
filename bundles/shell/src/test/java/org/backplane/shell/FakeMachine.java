package org.backplane.shell;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Inspector;
import org.backplane.board.api.Machine;
import org.backplane.board.api.MachineDebugger;
import org.backplane.board.api.PauseStats;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.device.CardControls;
import org.backplane.kvm.spi.device.DisplaySource;

/** A machine without a guest: it remembers what it was asked, and its 64 KiB of memory hold their own addresses. */
final class FakeMachine implements Machine {
    static final int MEMORY = 0x10000;
    static final PauseStats.Figures NONE = new PauseStats.Figures(0, 0, 0, 0, 0);

    final List<String> calls = new ArrayList<>();
    final CpuState state = new CpuState();
    final List<SlotInfo> slots = new ArrayList<>();
    final FakeInspector inspector = new FakeInspector();
    final CompletableFuture<End> ended = new CompletableFuture<>();
    final List<Console.Output> listeners = new ArrayList<>();
    final StringBuilder typed = new StringBuilder();
    List<String> screen = List.of();
    DisplaySource.Frame frame;
    State running = State.CREATED;
    PauseStats pauses = new PauseStats(NONE, NONE, NONE, NONE, List.of());

    private final String name;
    private final Map<String, List<String>> config;

    FakeMachine(String name, Map<String, List<String>> config) {
        this.name = name;
        this.config = config;
        state.reset();
        slots.add(new SlotInfo("mmu", "mmu", "direct", "0.1.0", "active", "org.backplane.direct-mmu", List.of(), Map.of()));
        slots.add(new SlotInfo(
                "com1", "device", "serial", "0.1.0", "active", "org.backplane.dev-serial", List.of("port 3f8-3ff", "irq 4"),
                Map.of("chardev", "console")));
        slots.add(new SlotInfo("vga", "device", "vga", "", "parked", "", List.of(), Map.of()));
    }

    /** The guest says something on its serial port. */
    void say(String text) {
        byte[] bytes = text.getBytes(java.nio.charset.StandardCharsets.UTF_8);
        for (Console.Output o : listeners) {
            try {
                o.write(bytes, 0, bytes.length);
            } catch (java.io.IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }
    }

    void end(End how) {
        running = State.ENDED;
        ended.complete(how);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public State state() {
        return running;
    }

    @Override
    public String stateDetail() {
        return "";
    }

    @Override
    public Map<String, List<String>> config() {
        return config;
    }

    @Override
    public void start() throws BoardException {
        calls.add("start");
        running = State.RUNNING;
    }

    @Override
    public void pause() {
        calls.add("pause");
        running = State.PAUSED;
    }

    @Override
    public void resume() {
        calls.add("resume");
        running = State.RUNNING;
    }

    @Override
    public void reset() {
        calls.add("reset");
    }

    @Override
    public void powerButton() throws BoardException {
        throw new BoardException("no card has a power button");
    }

    @Override
    public void stop() {
        calls.add("stop");
        end(new End(0, "stopped", ""));
    }

    @Override
    public CompletableFuture<End> ended() {
        return ended;
    }

    @Override
    public List<SlotInfo> slots() {
        return slots;
    }

    @Override
    public void plug(String type, String slot, Map<String, String> properties) {
        calls.add("plug " + type + " " + slot + " " + properties);
    }

    @Override
    public void unplug(String slot) throws BoardException {
        throw new BoardException("there is no slot '" + slot + "'");
    }

    @Override
    public SwapReport swap(String slot, String target) {
        calls.add("swap " + slot + " " + target);
        return new SwapReport(slot, "serial@0.1.0 (bundle 1)", "serial@0.2.0 (bundle 2)", 1_234_000);
    }

    @Override
    public List<CardReport> cardReports() {
        return List.of();
    }

    @Override
    public void policy(String slot, String policy) {
        calls.add("policy " + slot + " " + policy);
    }

    @Override
    public String cardState(String slot) {
        return "ier=0\n";
    }

    @Override
    public CpuState cpu(int vcpu) {
        return state;
    }

    @Override
    public byte[] readPhysical(long gpa, int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) bytes[i] = gpa + i < MEMORY ? (byte) (gpa + i) : (byte) 0xff;
        return bytes;
    }

    @Override
    public Optional<byte[]> readLinear(int vcpu, long gva, int length) {
        return gva + length <= MEMORY ? Optional.of(readPhysical(gva, length)) : Optional.empty();
    }

    @Override
    public Map<String, String> stats() {
        return Map.of("instructions", "1234567", "time", "1.000 s", "mmu.pf_fixed", "7");
    }

    @Override
    public void addStats(Supplier<Map<String, String>> lines) {
        calls.add("stats " + lines.get());
    }

    @Override
    public PauseStats pauses() {
        return pauses;
    }

    @Override
    public MachineDebugger debug(MachineDebugger.Listener listener) throws BoardException {
        throw new BoardException("a fake");
    }

    @Override
    public Inspector inspector() {
        return inspector;
    }

    @Override
    public Optional<DisplaySource.Frame> screen() {
        return Optional.ofNullable(frame);
    }

    @Override
    public List<String> screenText() {
        return screen;
    }

    @Override
    public void sendKeys(List<String> keys) {
        calls.add("keys " + keys);
    }

    @Override
    public void type(String text) {
        calls.add("type " + text);
    }

    @Override
    public List<CardControls.Control> controls(String slot) {
        return slot.equals("com1") ? List.of(new CardControls.Control("ring", "[TIMES]", "rings the bell")) : List.of();
    }

    @Override
    public String use(String slot, String control, List<String> arguments) throws BoardException {
        if (!control.equals("ring")) throw new BoardException("slot " + slot + ": there is no control '" + control + "'");
        return arguments.isEmpty() ? "" : "ding " + String.join(" ", arguments);
    }

    @Override
    public Console attachConsole(String slot, Console.Output output) throws BoardException {
        if (!slot.equals("com1")) throw new BoardException("slot " + slot + " has no console");
        listeners.add(output);
        return new Console() {
            @Override
            public void input(byte[] bytes) {
                typed.append(new String(bytes, java.nio.charset.StandardCharsets.ISO_8859_1));
            }

            @Override
            public void close() {
                listeners.remove(output);
            }
        };
    }
}
