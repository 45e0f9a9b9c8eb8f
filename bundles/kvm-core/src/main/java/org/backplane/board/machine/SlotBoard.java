package org.backplane.board.machine;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.backplane.board.api.BoardException;
import org.backplane.board.backend.CharBackend;
import org.backplane.board.cards.Card;
import org.backplane.kvm.core.exit.Route;
import org.backplane.kvm.core.exit.RouteTable;
import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.ClaimException;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.InterruptController;
import org.backplane.kvm.spi.device.RegisterTraceSource;
import org.backplane.kvm.spi.device.StateException;
import org.backplane.kvm.spi.device.StateRules;
import org.backplane.kvm.spi.mmu.VmMemory;

/**
 * The slots of a machine and the cards in them: plugging, unplugging, parking, and the swap of a device as a transaction (contract 10).
 *
 * <p><b>Guarantees.</b> Routes change by one store. If anything fails before the commit, the card that was there serves on as if nothing had
 * happened.
 *
 * <p><b>Threading.</b> {@link #stage} on the thread of whoever asks, while the guest runs; all others on the machine's thread between two runs.
 */
final class SlotBoard {
    private final PcMachine machine;
    private final Map<String, Slot> slots = new LinkedHashMap<>();

    /** All character back ends, for {@link #flush}. */
    private CharBackend[] characters = {};

    SlotBoard(PcMachine machine) {
        this.machine = machine;
    }

    Collection<Slot> slots() {
        return slots.values();
    }

    /** Keeps a place for a card that may come later. */
    void reserve(Slot slot) {
        slots.put(slot.name(), slot);
    }

    Optional<Slot> find(String name) {
        return Optional.ofNullable(slots.get(name));
    }

    /** All routes that would be in service if this context replaced what the slot has now (null: nothing). */
    private RouteTable routesWith(Slot changed, CardContext next) {
        List<Route> ports = new ArrayList<>();
        List<Route> mmio = new ArrayList<>();
        for (Slot s : slots.values()) {
            CardContext c = s == changed ? next : s.context;
            if (c == null) continue;
            ports.addAll(c.ports());
            mmio.addAll(c.mmio());
        }
        if (next != null && !slots.containsValue(changed)) {
            ports.addAll(next.ports());
            mmio.addAll(next.mmio());
        }
        if (next != null) for (Route r : next.mmio()) checkNoMemory(r);
        return RouteTable.of(ports, mmio);
    }

    /** Where there is memory, the processor never asks a device: such a claim would be accepted and never see an access. */
    private void checkNoMemory(Route r) {
        for (VmMemory.Slot m : machine.vm().memory().slots()) {
            long begin = m.gfn() << 12;
            long end = begin + (m.pages() << 12);
            if (r.base() < end && begin < r.base() + r.length()) {
                throw new ClaimException(String.format(
                        "MMIO range %s overlaps the machine's memory at 0x%x-0x%x", r, begin, end - 1));
            }
        }
    }

    /** A card that is attached and not in service. */
    record Staged(Card card, Device device, CardContext context) {}

    /**
     * Makes and attaches a device on a stage.
     *
     * @throws BoardException if the card refuses, or its claims overlap another's
     */
    Staged stage(Slot slot, Card card) throws BoardException {
        DeviceFactory factory = (DeviceFactory) card.factory();
        CardContext[] context = new CardContext[1];
        try {
            return machine.limit().<Staged, BoardException>call("attach of slot " + slot.name(), () -> {
                context[0] = new CardContext(slot, slot.prepare(factory, machine.images()), machine);
                Device made = factory.create();
                if (made == null) throw new IllegalStateException("its factory made no device");
                LimitedDevice device = new LimitedDevice(slot.name(), made, machine.limit());
                device.attach(context[0]);
                return new Staged(card, device, context[0]);
            });
        } catch (RuntimeException | Error e) {
            if (context[0] != null) context[0].revoke();
            throw failure(slot, card, "cannot be attached", e);
        }
    }

    /** Puts a card with power-on state into an empty slot, or back with the slot's parked state. */
    void plug(Slot slot, Staged staged) throws BoardException {
        RouteTable routes;
        try {
            routes = routesWith(slot, staged.context());
        } catch (ClaimException e) {
            discard(slot, staged);
            throw new BoardException(e.getMessage());
        }
        boolean fresh = slot.parked == null;
        try {
            if (!fresh) load(staged, slot.parked, slot.parkedRules);
        } catch (RuntimeException | Error | StateException e) {
            discard(slot, staged);
            throw failure(slot, staged.card(), "does not take the parked state", e);
        }
        boolean added = slots.put(slot.name(), slot) == null;
        commit(slot, staged, routes);
        if (fresh) {
            // A reset may write guest memory and lines, so it needs the real context.
            try {
                staged.device().reset();
            } catch (RuntimeException | Error e) {
                commit(slot, null, routesWith(slot, null));
                if (added) slots.remove(slot.name());
                tell(slot, staged.card(), staged.device(), staged.context());
                throw failure(slot, staged.card(), "cannot be reset", e);
            }
        }
        machine.guard(slot.name(), staged.device()::resume);
        slot.parked = null;
        slot.away = false;
        slot.left = null;
    }

    /** A staged card that is not going to be used. */
    void discard(Slot slot, Staged staged) {
        staged.context().revoke();
        tell(slot, staged.card(), staged.device(), staged.context());
    }

    /** The card has left the slot, where another one may be by now: it is told, and what it has left behind is looked for. */
    private void tell(Slot slot, Card card, Device device, CardContext context) {
        try {
            device.detach();
        } catch (CardLimitException e) {
            hangsAsItLeaves(slot, card, e);
        } catch (RuntimeException | Error e) {
            machine.faults().report(slot.name(), card.describe(), "threw " + e + " as it left", e);
        }
        context.left(card);
    }

    /** A card's bundle stops: its state stays in the slot, and while the machine waits for the card its interrupt lines stay as they are. */
    void park(Slot slot) {
        if (!slot.occupied()) return;
        slot.away = true;
        slot.left = slot.card;
        machine.guard(slot.name(), slot.device::quiesce);
        machine.guard(slot.name(), () -> {
            slot.parkedRules = slot.factory().stateRules();
            slot.parked = save(slot);
        });
        if (slot.parked == null) machine.faults().report(slot, "left without saving its state: the next one starts from power-on");
        int[] asserted = slot.context.assertedGsis();
        leave(slot, slot.policy() == Slot.Policy.PAUSE ? asserted : Slot.NO_LINES);
    }

    /** The card goes out of service; these lines stay asserted. */
    private void leave(Slot slot, int[] heldLines) {
        Device old = slot.device;
        CardContext context = slot.context;
        Card card = slot.card;
        slot.heldLines = heldLines;
        commit(slot, null, routesWith(slot, null));
        tell(slot, card, old, context);
    }

    /**
     * Takes a card out that hangs or has thrown too often, and its slot away.
     *
     * @param detach tell the card; no if it hangs in a callback
     */
    void cutOff(Slot slot, boolean detach) {
        Device old = slot.device;
        CardContext context = slot.context;
        Card card = slot.card;
        commit(slot, null, routesWith(slot, null));
        if (detach) tell(slot, card, old, context);
        else context.left(card);
        slots.remove(slot.name());
        machine.guard(slot.name(), slot::close);
        machine.checkWaiting();
    }

    /** What happens while the slot's card is gone, or from now on if it is. */
    void policy(Slot slot, Slot.Policy policy) {
        slot.choosePolicy(policy);
        if (policy == Slot.Policy.FLOAT) dropHeldLines(slot);
    }

    private void dropHeldLines(Slot slot) {
        int[] held = slot.heldLines;
        slot.heldLines = Slot.NO_LINES;
        machine.irqs().exchange(held, Slot.NO_LINES);
    }

    /** Takes card and slot away. */
    void unplug(Slot slot) {
        if (slot.occupied()) {
            machine.guard(slot.name(), slot.device::quiesce);
            leave(slot, Slot.NO_LINES);
        }
        dropHeldLines(slot);
        slots.remove(slot.name());
        slot.close();
    }

    /**
     * The pause of a side-by-side swap: quiesce, save, load, commit, resume. Class loading and a trial load are done already.
     *
     * @throws BoardException if the new card fails; then the old one is in service again
     */
    void swap(Slot slot, Staged next) throws BoardException {
        Device old = slot.device;
        RouteTable routes;
        try {
            routes = routesWith(slot, next.context());
        } catch (ClaimException e) {
            throw new BoardException(e.getMessage());
        }
        try {
            // One call for all three: a thread that hands over and waits costs the pause some of its microseconds each time.
            machine.limit().<Void, StateException>call("swap of slot " + slot.name(), () -> {
                old.quiesce();
                load(next, save(slot), slot.factory().stateRules());
                return null;
            });
        } catch (RuntimeException | Error | StateException e) {
            if (!(e instanceof CardLimitException)) machine.guard(slot.name(), old::resume);
            else resumeIfItCan(slot, old);
            throw failure(slot, next.card(), "does not take the state of " + slot.card.describe(), e);
        }
        CardContext context = slot.context;
        Card from = slot.card;
        commit(slot, next, routes);
        boolean[] resumed = {false};
        try {
            machine.limit().<Void, RuntimeException>call("swap of slot " + slot.name(), () -> {
                machine.guard(slot.name(), next.device()::resume);
                resumed[0] = true;
                tell(slot, from, old, context);
                return null;
            });
        } catch (CardLimitException e) {
            if (resumed[0]) hangsAsItLeaves(slot, from, e);
            else machine.cardThrew(slot.name(), e);
        }
    }

    private void hangsAsItLeaves(Slot slot, Card card, CardLimitException e) {
        machine.faults().report(slot.name(), card.describe(), "hangs: " + e.getMessage(), e);
    }

    /** The card stays in service though it, or the other one, did not come back in time. */
    private void resumeIfItCan(Slot slot, Device old) {
        try {
            old.resume();
        } catch (CardLimitException e) {
            machine.faults().report(slot, "stays in service, but is still busy: " + e.getMessage());
        }
    }

    /**
     * Starts the trace of the card's registers anew.
     *
     * @throws BoardException if there is no card, or it does not tell
     */
    void trace(Slot slot) throws BoardException {
        if (!slot.occupied()) throw new BoardException("slot " + slot.name() + " has no card to trace");
        if (slot.context.facet(RegisterTraceSource.class).isEmpty()) {
            throw new BoardException("slot " + slot.name() + ": card " + slot.card.describe() + " does not tell about its registers");
        }
        slot.trace = new RegisterRing(machine.clock(), machine.vcpu().context().state);
        listen(slot, slot.trace);
    }

    /** Stops the trace; what was recorded stays. */
    void stopTrace(Slot slot) {
        if (slot.trace == null) return;
        slot.trace.stop();
        if (slot.occupied()) listen(slot, null);
    }

    private void listen(Slot slot, RegisterRing to) {
        slot.context.facet(RegisterTraceSource.class).ifPresent(s -> machine.guard(slot.name(), () -> s.traceTo(to)));
    }

    /** Saves a card, with the timers that the core owns for it. No side effects. */
    CardState save(Slot slot) {
        CardState state = new CardState(slot.type(), slot.factory().stateVersion());
        slot.device.save(state);
        slot.context.saveTimers(state);
        return state;
    }

    /**
     * Loads a state into a staged card, in the version that the card has.
     *
     * @param rules of the card that wrote it
     * @throws StateException if the card does not take it, or there is no rule for it
     */
    void load(Staged next, CardState state, StateRules rules) throws StateException {
        CardState loadable = StateRules.handOver(state, rules, (DeviceFactory) next.card().factory());
        next.context().loadTimers(loadable);
        next.device().load(loadable);
    }

    /** One store puts the new routes in service; then the staged effects follow. */
    private void commit(Slot slot, Staged next, RouteTable routes) {
        CardContext old = slot.context;
        int[] linesBefore = old == null ? slot.heldLines : old.assertedGsis();
        boolean wasController = old != null && old.facet(InterruptController.class).isPresent();
        slot.card = next == null ? null : next.card();
        slot.device = next == null ? null : next.device();
        slot.context = next == null ? null : next.context();
        slot.faults = 0;
        if (next != null) slot.needs = next.context().needs();
        if (next == null) slot.characters().values().forEach(c -> c.setListener(null));
        machine.vm().bus().publish(routes);
        Optional<InterruptController> controller =
                next == null ? Optional.empty() : next.context().facet(InterruptController.class);
        if (controller.isPresent() || wasController) machine.irqs().setController(controller.orElse(null), slot.name());
        if (next != null) slot.heldLines = Slot.NO_LINES;
        machine.irqs().exchange(linesBefore, next == null ? slot.heldLines : next.context().assertedGsis());
        if (old != null) old.revoke();
        if (next != null) next.context().activate();
        if (next != null && slot.trace != null && slot.trace.running()) listen(slot, slot.trace);
        characters = slots.values().stream()
                .flatMap(s -> s.characters().values().stream())
                .toArray(CharBackend[]::new);
    }

    private static BoardException failure(Slot slot, Card card, String what, Throwable e) {
        String cause = e.getMessage() != null ? e.getMessage() : e.toString();
        return new BoardException("slot " + slot.name() + ": card " + card.describe() + " " + what + ": " + cause, e);
    }

    /** A facet of whatever card offers it now. */
    <T> Optional<T> facet(Class<T> type) {
        for (Slot s : slots.values()) {
            if (s.context == null) continue;
            Optional<T> f = s.context.facet(type);
            if (f.isPresent()) return f;
        }
        return Optional.empty();
    }

    /** The slot whose card offers a facet now. */
    Optional<Slot> offering(Class<?> type) {
        return slots.values().stream().filter(s -> s.context != null && s.context.facet(type).isPresent()).findFirst();
    }

    /** Buffered output goes out; called at every boundary. */
    void flush() {
        for (CharBackend c : characters) c.flush();
    }

    /** The reset line: a card that is away starts from power-on when it is back. */
    void resetAll() {
        for (Slot s : slots.values()) {
            if (s.occupied()) {
                machine.guard(s.name(), s.device::reset);
            } else {
                s.parked = null;
                dropHeldLines(s);
            }
        }
    }

    void close() {
        for (Slot s : List.copyOf(slots.values())) {
            if (s.occupied()) {
                s.context.revoke();
                tell(s, s.card, s.device, s.context);
            }
            machine.guard(s.name(), s::close);
        }
        slots.clear();
    }
}
