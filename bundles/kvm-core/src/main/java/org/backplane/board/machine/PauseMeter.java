package org.backplane.board.machine;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.backplane.board.api.PauseStats;
import org.backplane.board.cards.Card;

/**
 * Measures how long the guest stands still while cards are replaced: from the moment when the vCPU has left the guest to the end of the first
 * instruction after ({@link MachineLoop} has it executed alone, and tells). So it includes all that a person would wait for: the swap, class loading
 * that was left for later, the new engine's first decoding, garbage collections of the host.
 *
 * <p><b>What belongs to a pause.</b> Side by side it is the stop in which {@link #swapped} was called. In place it begins with the stop in which the card
 * {@link #left} and ends with the one in which another card of the same bundle, of a new class loader, {@link #came}; where the slot's policy lets the guest run
 * in between, that is time without the card all the same. A stop without either is a request's. If somebody pauses the machine, or it waits for a
 * card, the stop is not counted for more than what has come and gone in it.
 *
 * <p><b>Threading.</b> The machine's thread, but {@link #stats}, which anybody may ask.
 */
final class PauseMeter {
    /** A card that left because its bundle stopped. The loader tells an update from a mere restart. */
    private record Gone(long bundle, WeakReference<ClassLoader> loader, long since) {}

    /** A card that came in the stop that lasts. */
    private record Came(String slot, long since) {}

    /** Histograms of one slot. */
    private static final class OfSlot {
        final PauseHistogram sideBySide = new PauseHistogram();
        final PauseHistogram inPlace = new PauseHistogram();
    }

    private final PauseHistogram swaps = new PauseHistogram();
    private final PauseHistogram sideBySide = new PauseHistogram();
    private final PauseHistogram inPlace = new PauseHistogram();
    private final PauseHistogram requests = new PauseHistogram();
    private final Map<String, OfSlot> slots = new TreeMap<>();

    private final Map<String, Gone> gone = new HashMap<>();
    private final List<Came> came = new ArrayList<>();
    private final List<String> swapped = new ArrayList<>();

    /** Tells whoever asked for the swaps of this stop. */
    private CompletableFuture<Long> pause = new CompletableFuture<>();

    private boolean standing;
    private long since;

    /** This stop is somebody's wish, or a wait for a card that may never come. */
    private boolean waits;

    /** The guest stands still, and no instruction has been executed since. */
    boolean standing() {
        return standing;
    }

    /** The vCPU has left the guest. */
    void stopped(long now) {
        if (standing) return;
        standing = true;
        since = now;
    }

    /** The machine is not going to run before something comes that may take any time. */
    void waits() {
        if (!standing || waits) return;
        waits = true;
        swapped.clear();
        tell(0);
    }

    /** Somebody stops the machine: whatever is being replaced takes as long as they like. */
    void paused() {
        waits();
        gone.clear();
        came.clear();
    }

    /** The slot's card was replaced side by side. Answers the pause when it is over, 0 if the guest was not running anyway. */
    CompletableFuture<Long> swapped(String slot) {
        if (!standing || waits) return CompletableFuture.completedFuture(0L);
        swapped.add(slot);
        return pause;
    }

    /** The slot's card leaves because its bundle stops. */
    void left(String slot, Card card) {
        if (standing) gone.put(slot, new Gone(card.bundleId(), new WeakReference<>(loader(card)), since));
    }

    /** A card was put in service. */
    void came(String slot, Card card) {
        Gone g = gone.remove(slot);
        if (g != null && standing && g.bundle == card.bundleId() && g.loader.get() != loader(card)) came.add(new Came(slot, g.since));
    }

    private static ClassLoader loader(Card card) {
        return card.factory().getClass().getClassLoader();
    }

    /** The guest has executed an instruction, or sleeps in HLT as it did before. */
    void runs(long now) {
        if (!standing) return;
        record(now);
        standing = false;
        waits = false;
        swapped.clear();
        came.clear();
        tell(now - since);
    }

    private void tell(long nanos) {
        CompletableFuture<Long> told = pause;
        pause = new CompletableFuture<>();
        told.complete(nanos);
    }

    private synchronized void record(long now) {
        long began = Long.MAX_VALUE;
        for (Came c : came) {
            slot(c.slot).inPlace.record(now - c.since);
            began = Math.min(began, c.since);
        }
        if (!came.isEmpty()) inPlace.record(now - began);
        for (String s : swapped) slot(s).sideBySide.record(now - since);
        if (!swapped.isEmpty()) {
            sideBySide.record(now - since);
            began = Math.min(began, since);
        }
        if (began != Long.MAX_VALUE) swaps.record(now - began);
        else if (!waits) requests.record(now - since);
    }

    private OfSlot slot(String name) {
        return slots.computeIfAbsent(name, n -> new OfSlot());
    }

    /** The machine has ended. */
    void end() {
        standing = false;
        tell(0);
    }

    synchronized PauseStats stats() {
        List<PauseStats.Slot> bySlot = new ArrayList<>();
        slots.forEach((name, h) -> bySlot.add(new PauseStats.Slot(name, h.sideBySide.figures(), h.inPlace.figures())));
        return new PauseStats(swaps.figures(), sideBySide.figures(), inPlace.figures(), requests.figures(), List.copyOf(bySlot));
    }
}
