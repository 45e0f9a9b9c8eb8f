package org.backplane.board.machine;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine.SlotInfo;
import org.backplane.board.api.Machine.SwapReport;
import org.backplane.board.api.RegisterTrace;
import org.backplane.board.cards.Card;
import org.backplane.board.cards.Card.Kind;
import org.backplane.board.cards.CardRegistry;
import org.backplane.kvm.core.vm.KvmVm;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.StateException;

/**
 * The coming and going of a machine's cards: people plug, unplug and swap; bundles start and stop. It decides which card goes where;
 * {@link SlotBoard} and {@link CpuSlots} carry it out.
 *
 * <p><b>Threading.</b> The machine's thread between two runs, but {@link #swap}, which comes on the thread of whoever asks and does there what
 * need not stop the guest, and {@link #waitingFor}, which anybody may read.
 */
final class CardBay {
    private final PcMachine machine;
    private final MachineLoop loop;
    private final SlotBoard board;
    private final CpuSlots cpuSlots;
    private final CardRegistry registry;
    private final boolean snapshot;
    private volatile String waitingFor = "";

    private final PauseMeter pauses;

    /** Swaps done. */
    private long swaps;

    CardBay(PcMachine machine, MachineLoop loop, SlotBoard board, CpuSlots cpuSlots, CardRegistry registry, boolean snapshot,
            PauseMeter pauses) {
        this.machine = machine;
        this.loop = loop;
        this.board = board;
        this.cpuSlots = cpuSlots;
        this.registry = registry;
        this.snapshot = snapshot;
        this.pauses = pauses;
    }

    /** The card that the machine cannot do without and waits for, as a line for people; empty if there is none. */
    String waitingFor() {
        return waitingFor;
    }

    long swaps() {
        return swaps;
    }

    /** Looks again whether a card is missing. */
    void checkWaiting() {
        String missing = cpuSlots.missing();
        if (missing.isEmpty()) {
            for (Slot s : board.slots()) {
                if (s.away && s.policy() == Slot.Policy.PAUSE) missing = "waiting for card " + s.type() + " in slot " + s.name();
            }
        }
        waitingFor = missing;
    }

    /** A card's bundle started; {@code started}: the machine was, too, so that its CPU should be there. */
    void added(Card card, boolean started) {
        if (card.kind() == Kind.DEVICE) fillEmptySlots(card);
        else if (CpuSlots.NAMES.containsKey(card.kind()) && started) installCpuIfMissing();
        checkWaiting();
    }

    /** Cards may have come and gone while the machine was being made and nobody told it. */
    void catchUp() {
        for (Slot s : List.copyOf(board.slots())) {
            if (s.occupied() && !registry.contains(s.card)) board.park(s);
            if (!s.occupied()) registry.newest(Kind.DEVICE, s.type()).ifPresent(this::fillEmptySlots);
        }
        checkWaiting();
    }

    private void fillEmptySlots(Card card) {
        for (Slot s : List.copyOf(board.slots())) {
            if (s.occupied() || !s.type().equals(card.type())) continue;
            try {
                board.plug(s, board.stage(s, card));
                pauses.came(s.name(), card);
            } catch (BoardException e) {
                machine.faults().report(s.name(), card.describe(), "does not come into service: " + e.getMessage(), null);
            }
        }
    }

    /** A card's bundle stops: its slots keep its state, and another card of the type may step in at once. */
    void removed(Card card, boolean started) {
        for (Slot s : board.slots()) {
            if (s.card != card) continue;
            board.park(s);
            pauses.left(s.name(), card);
        }
        if (cpuSlots.active(card.kind()) == card) pauses.left(CpuSlots.NAMES.get(card.kind()), card);
        cpuSlots.removed(card);
        for (Slot s : List.copyOf(board.slots())) {
            if (s.away) registry.newest(Kind.DEVICE, s.type()).ifPresent(this::fillEmptySlots);
        }
        if (started) installCpuIfMissing();
        checkWaiting();
    }

    private void installCpuIfMissing() {
        if (machine.vm().cpuPresent()) return;
        cpuSlots.installIfComplete();
        if (!machine.vm().cpuPresent()) return;
        for (Kind k : cpuSlots.kinds()) pauses.came(CpuSlots.NAMES.get(k), cpuSlots.active(k));
    }

    List<SlotInfo> describe() {
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
            String state = s.occupied() ? "active" : s.away ? "parked" : "empty";
            all.add(new SlotInfo(
                    s.name(),
                    Kind.DEVICE.label(),
                    s.type(),
                    s.occupied() ? s.card.version() : "",
                    state,
                    s.occupied() ? s.card.bundle() : s.left == null ? "" : s.left.bundle(),
                    s.occupied() ? s.context.describeClaims() : List.of(),
                    Map.copyOf(s.properties())));
        }
        return all;
    }

    void plug(String type, String slotName, Map<String, String> properties) throws BoardException {
        if (machine.over()) throw new BoardException("machine " + machine.name() + " has ended");
        Card card = registry.newest(Kind.DEVICE, type).orElseThrow(() -> new BoardException("device: there is no card '" + type
                + "' (there is: " + String.join(", ", registry.all().stream()
                        .filter(c -> c.kind() == Kind.DEVICE).map(Card::type).distinct().toList()) + ")"));
        String id = slotName;
        for (int n = 0; id == null; n++) if (board.find(type + n).isEmpty()) id = type + n;
        Optional<Slot> existing = board.find(id);
        if (existing.isPresent() && existing.get().occupied()) throw new BoardException("slot " + id + " is taken");
        // Its state and its back ends wait for the card that belongs there.
        if (existing.isPresent()) throw new BoardException("slot " + id + " is kept for a card of type " + existing.get().type());
        Slot slot = new Slot(id, type, properties, snapshot);
        try {
            board.plug(slot, board.stage(slot, card));
        } catch (BoardException | RuntimeException e) {
            if (!slot.occupied()) slot.close();
            throw e;
        }
    }

    void unplug(String slot) throws BoardException {
        board.unplug(device(slot));
        checkWaiting();
    }

    /** The device slot of this name. */
    Slot device(String name) throws BoardException {
        return board.find(name).orElseThrow(() -> new BoardException("there is no slot '" + name + "'"));
    }

    /** See {@code Machine.swap}. */
    SwapReport swap(String slotName, String target) throws BoardException {
        Optional<Kind> cpuKind = CpuSlots.kindOf(slotName);
        if (cpuKind.isPresent()) return swapCpu(cpuKind.get(), target);
        Slot slot = loop.ask(() -> device(slotName));
        if (!slot.occupied()) throw new BoardException("slot " + slotName + " has no card to swap");
        Card from = slot.card;
        Card to = target(Kind.DEVICE, slot.type(), target, from);
        if (!to.type().equals(slot.type())) {
            throw new BoardException("slot " + slotName + " is for cards of type " + slot.type() + ", not " + to.type());
        }
        // Everything that can take time or fail is tried while the guest runs: classes, attach, and the state as it is now.
        SlotBoard.Staged trial = board.stage(slot, to);
        try {
            board.load(trial, loop.ask(() -> board.save(slot)).copy(), ((DeviceFactory) from.factory()).stateRules());
        } catch (StateException | RuntimeException | Error e) {
            throw new BoardException("slot " + slotName + ": card " + to.describe() + " does not take the state of " + from.describe()
                    + ": " + e.getMessage(), e);
        } finally {
            board.discard(slot, trial);
        }
        SlotBoard.Staged next = board.stage(slot, to);
        CompletableFuture<Long> pause;
        try {
            pause = loop.ask(() -> {
                if (slot.card != from) throw new BoardException("slot " + slotName + " changed meanwhile");
                requireInService(to);
                board.swap(slot, next);
                return swapped(slotName);
            });
        } catch (BoardException e) {
            board.discard(slot, next);
            throw e;
        }
        return report(slotName, from, to, pause);
    }

    private SwapReport swapCpu(Kind kind, String target) throws BoardException {
        String slotName = CpuSlots.NAMES.get(kind);
        Card from = loop.ask(() -> cpuSlots.active(kind));
        if (from == null) throw new BoardException("slot " + slotName + " has no card to swap");
        Card to = target(kind, from.type(), target, from);
        CompletableFuture<Long> pause;
        try {
            machine.limit().<Void, RuntimeException>call("a rehearsal of " + to.describe(), () -> {
                cpuSlots.rehearse(kind, to);
                return null;
            });
            pause = loop.ask(() -> {
                requireInService(to);
                cpuSlots.swap(kind, to);
                return swapped(slotName);
            });
        } catch (RuntimeException | Error e) {
            throw new BoardException("slot " + slotName + ": card " + to.describe() + " cannot take over: " + e.getMessage(), e);
        }
        return report(slotName, from, to, pause);
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

    /** The machine may end, or a bundle stop, while its card is being prepared; that comes before or behind this request, never beside it. */
    private void requireInService(Card card) throws BoardException {
        if (machine.over()) throw new BoardException("machine " + machine.name() + " has ended");
        if (!registry.contains(card)) throw new BoardException("card " + card.describe() + " has gone meanwhile");
    }

    private CompletableFuture<Long> swapped(String slot) {
        swaps++;
        return pauses.swapped(slot);
    }

    /** Waits for the end of the pause, where that does not keep it from coming. */
    private SwapReport report(String slot, Card from, Card to, CompletableFuture<Long> pause) {
        return new SwapReport(slot, from.describe(), to.describe(), loop.onThread() ? -1 : pause.join());
    }

    void policy(String slot, String policy) throws BoardException {
        Slot.Policy p = switch (policy) {
            case "float" -> Slot.Policy.FLOAT;
            case "pause" -> Slot.Policy.PAUSE;
            default -> throw new BoardException("a policy is float or pause, not '" + policy + "'");
        };
        board.policy(device(slot), p);
        checkWaiting();
    }

    /** The state that the slot's card would save now, or has parked. */
    String cardState(String slot) throws BoardException {
        Slot s = device(slot);
        if (s.occupied()) return board.save(s).toString();
        if (s.parked != null) return s.parked.toString();
        throw new BoardException("slot " + slot + " is empty");
    }

    // ---- register traces ----

    void startTrace(String slot) throws BoardException {
        board.trace(device(slot));
    }

    void stopTrace(String slot) throws BoardException {
        board.stopTrace(device(slot));
    }

    RegisterTrace trace(String slot) throws BoardException {
        RegisterRing ring = device(slot).trace;
        return ring == null ? RegisterTrace.NONE : ring.copy();
    }
}
