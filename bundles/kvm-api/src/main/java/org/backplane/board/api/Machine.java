package org.backplane.board.api;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.device.CardControls;
import org.backplane.kvm.spi.device.DisplaySource;
import org.osgi.annotation.versioning.ProviderType;

/**
 * One machine. All methods may be called from any thread; those that look at or change the guest wait for its next boundary, which
 * comes within milliseconds also while it runs.
 */
@ProviderType
public interface Machine {
    /** What the machine is doing. */
    enum State {
        CREATED,
        RUNNING,
        PAUSED,
        /** A card that it cannot do without is gone: it goes on when the card is back. */
        WAITING,
        ENDED
    }

    String name();

    State state();

    /** Why it waits or ended, one line; empty otherwise. */
    String stateDetail();

    /** The configuration it was created from. */
    Map<String, List<String>> config();

    void start() throws BoardException;

    void pause();

    void resume();

    /** Presses the reset button. */
    void reset();

    /**
     * Presses the power button: a guest that listens shuts down and powers off.
     *
     * @throws BoardException when no card has one
     */
    void powerButton() throws BoardException;

    /** Ends it and releases its memory and back ends. */
    void stop();

    /** Completes when the machine has ended. */
    CompletableFuture<End> ended();

    /**
     * How a machine ended.
     *
     * @param status exit status as {@code backplane run} gives it: 0 power-off or stop, {@code (v<<1)|1} from isa-debug-exit, 3 ended by
     *     an exit nobody handled or a triple fault
     * @param report empty, or several lines: reason, registers, the instruction
     */
    record End(int status, String reason, String report) {}

    // ---- slots and cards ----

    List<SlotInfo> slots();

    /** A slot as it is now. State is {@code active}, {@code parked}, {@code empty} or {@code waiting}. */
    record SlotInfo(
            String slot,
            String kind,
            String type,
            String version,
            String state,
            String bundle,
            List<String> claims,
            Map<String, String> properties) {}

    /**
     * Plugs a card into a new slot of the running machine.
     *
     * @param slot name, or null for the card's type with a number
     */
    void plug(String type, String slot, Map<String, String> properties) throws BoardException;

    void unplug(String slot) throws BoardException;

    /**
     * Replaces the card of a slot by one of another bundle, side by side: the guest runs on until the short pause of the commit. On any
     * failure the old card stays in service. Asked for by a card inside a callback, it is queued behind the callback and the report is pending.
     *
     * @param target {@code TYPE}, {@code TYPE@VERSION} or {@code TYPE#BUNDLE-ID}; null for the newest version of the same type
     */
    SwapReport swap(String slot, String target) throws BoardException;

    /**
     * @param from the card that left and the one that came, each with version and bundle; empty if the swap is {@link #pending}
     * @param pauseNanos from the last guest instruction before to the first after, see {@link PauseStats}; 0 if the guest did not run anyway; -1 if the
     *     swap is pending
     */
    record SwapReport(String slot, String from, String to, long pauseNanos) {
        /** The swap was asked for inside a callback of a card and comes when that has returned; what it refuses then is logged. */
        public boolean pending() {
            return pauseNanos < 0;
        }
    }

    /** What went wrong with cards, oldest first; the last hundred. Answers at once. */
    List<CardReport> cardReports();

    /**
     * A card did what it must not, or could not do what it should.
     *
     * @param card type, version and bundle
     * @param what one line
     */
    record CardReport(String slot, String card, String what) {}

    /** What happens when the slot's bundle stops: {@code float} or {@code pause}. */
    void policy(String slot, String policy) throws BoardException;

    /** The saved state of a slot's card, as text, for looking at. */
    String cardState(String slot) throws BoardException;

    // ---- looking inside ----

    /** Copy of a vCPU's state at a boundary. */
    CpuState cpu(int vcpu);

    /** Physical memory; addresses without RAM read as FF. */
    byte[] readPhysical(long gpa, int length);

    /** Linear memory through the guest's tables; empty if it is not mapped. */
    Optional<byte[]> readLinear(int vcpu, long gva, int length);

    /** Everything that {@code -stats} prints, in order: instructions, time, exits, MMU, emulator, swaps, pauses, and what front ends add. */
    Map<String, String> stats();

    /**
     * A front end's lines in {@link #stats}, behind all others.
     *
     * @param lines asked each time, by any thread, also after the machine has ended
     */
    void addStats(Supplier<Map<String, String>> lines);

    /** How long the guest stood still while cards were replaced. Answers at once and does not disturb the guest; also after the end. */
    PauseStats pauses();

    /** The processor, the exits and the page tables. */
    Inspector inspector();

    /**
     * Pauses the machine and takes hold of it for a debugger. A machine that is not started yet stays where it is after {@link #start} until the debugger
     * lets it go.
     *
     * @throws BoardException if another debugger holds it, or it has ended
     */
    MachineDebugger debug(MachineDebugger.Listener listener) throws BoardException;

    // ---- people ----

    /** The screen; empty when no card has one. */
    Optional<DisplaySource.Frame> screen();

    /** The text screen; empty in a graphics mode or without a display. */
    List<String> screenText();

    /** Presses and releases keys, named as in QEMU's {@code sendkey}: {@code a}, {@code ret}, {@code ctrl-alt-delete}, … */
    void sendKeys(List<String> keys) throws BoardException;

    /** Types text on the keyboard (US layout). */
    void type(String text) throws BoardException;

    /** What people can do with the card in a slot; nothing if it has no controls. */
    List<CardControls.Control> controls(String slot) throws BoardException;

    /**
     * Uses a control of a card, whether the guest runs or is paused.
     *
     * @return what the card says, without a line end
     * @throws BoardException if there is no such control, or the card does not take the arguments; the message says what it takes
     */
    String use(String slot, String control, List<String> arguments) throws BoardException;

    /**
     * Attaches to a serial console ({@code console} back end) by slot name. Output that nobody has read yet is delivered first.
     */
    Console attachConsole(String slot, Console.Output output) throws BoardException;

    /** An attached console. */
    interface Console extends AutoCloseable {
        void input(byte[] bytes);

        @Override
        void close();

        /** Where output goes. */
        interface Output {
            void write(byte[] bytes, int offset, int length) throws IOException;
        }
    }
}
