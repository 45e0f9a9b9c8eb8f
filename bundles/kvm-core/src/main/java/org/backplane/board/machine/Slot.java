package org.backplane.board.machine;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.backplane.board.api.BoardException;
import org.backplane.board.backend.BlockImage;
import org.backplane.board.backend.BlockImages;
import org.backplane.board.backend.CharBackend;
import org.backplane.board.backend.CharBackends;
import org.backplane.board.cards.Card;
import org.backplane.kvm.spi.device.BlockPort;
import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.Resource;
import org.backplane.kvm.spi.device.StateRules;

/**
 * A place on the board for one device: its name, its properties, its host back ends, and the card that is in it now, or the state that a card
 * which left has parked there.
 *
 * <p>Parked state belongs to this slot of this machine and is never given to a card of another type.
 */
final class Slot {
    /** What happens while the slot's card is gone. */
    enum Policy {
        /** Its ports float and the guest goes on. */
        FLOAT,
        /** The machine waits, and nothing is lost. */
        PAUSE
    }

    static final int[] NO_LINES = {};
    private static final int DMA_CHANNELS = 8;

    private final String name;
    private final String type;
    private final boolean snapshot;
    private final Map<String, String> given;
    private final Map<String, CharBackend> characters = new HashMap<>();
    private final Map<String, BlockImage> blocks = new HashMap<>();

    /** What people chose, or null. */
    private Policy chosenPolicy;

    Card card;
    Device device;
    CardContext context;

    /** What the card in service declares, or the one that was here last. */
    volatile CardNeeds needs;

    /** The slot's card has left because its bundle stopped, and no other has come yet. */
    boolean away;

    /** State of the card that left, or null; and its rules, since another version may be next. */
    CardState parked;

    StateRules parkedRules = StateRules.NONE;

    /** GSIs that the card that left asserts as long as the machine waits for it: to the interrupt controller nothing has happened. */
    int[] heldLines = NO_LINES;

    /** The trace of accesses to the card's registers, or null if there never was one. */
    RegisterRing trace;

    /** How often the card in service has thrown. */
    int faults;

    /** The card that parked its state here, for people; or null. */
    Card left;

    Slot(String name, String type, Map<String, String> properties, boolean snapshot) {
        this.name = name;
        this.type = type;
        this.snapshot = snapshot;
        this.given = Map.copyOf(properties);
        needs = CardNeeds.none(type);
    }

    String name() {
        return name;
    }

    String type() {
        return type;
    }

    /** All properties: the given ones, and the card's defaults. */
    Map<String, String> properties() {
        Map<String, String> all = new LinkedHashMap<>(needs.defaults());
        all.putAll(given);
        return all;
    }

    void choosePolicy(Policy p) {
        chosenPolicy = p;
    }

    /** The chosen policy; by default the machine waits, unless all that the card talks to is nobody, so that nothing can be lost. */
    Policy policy() {
        if (chosenPolicy != null) return chosenPolicy;
        boolean talksToNobody = !characters.isEmpty() && characters.values().stream().allMatch(CharBackend::discards);
        return talksToNobody ? Policy.FLOAT : Policy.PAUSE;
    }

    boolean occupied() {
        return device != null;
    }

    DeviceFactory factory() {
        return (DeviceFactory) card.factory();
    }

    /**
     * Learns what a card for this slot needs, checks the slot's properties against it, and opens the back ends that are not open yet.
     *
     * @throws BoardException for an unknown property, a bad value, or a back end that cannot be had
     */
    CardNeeds prepare(DeviceFactory factory, BlockImages images) throws BoardException {
        CardNeeds next = CardNeeds.of(type, factory);
        for (String key : given.keySet()) {
            if (!next.defaults().containsKey(key) && !next.resources().containsKey(key)) {
                throw new BoardException("device " + type + ": unknown property '" + key + "' (known: "
                        + String.join(", ", concat(next.defaults().keySet(), next.resources().keySet())) + ")");
            }
        }
        for (Resource r : factory.resources()) {
            String value = given.get(r.name());
            switch (r.kind()) {
                case CHARACTER -> {
                    if (!characters.containsKey(r.name())) {
                        characters.put(r.name(), CharBackends.make(type + "." + r.name(), value == null ? "" : value));
                    }
                }
                case BLOCK -> {
                    if (value != null && !value.isEmpty() && !blocks.containsKey(r.name())) {
                        blocks.put(r.name(), images.open(type + "." + r.name(), value, snapshot));
                    }
                }
                default -> {
                    if (value != null && !value.isEmpty()) checkPlace(r, value);
                }
            }
        }
        return next;
    }

    private static java.util.Set<String> concat(java.util.Set<String> a, java.util.Set<String> b) {
        java.util.TreeSet<String> all = new java.util.TreeSet<>(a);
        all.addAll(b);
        return all;
    }

    private void checkPlace(Resource r, String value) throws BoardException {
        long last = switch (r.kind()) {
            case IRQ -> IrqRouter.GSIS - 1;
            case DMA -> DMA_CHANNELS - 1;
            case PORTS -> 0xffff;
            default -> Long.MAX_VALUE;
        };
        long at;
        try {
            at = Long.decode(value);
        } catch (NumberFormatException e) {
            throw new BoardException("device " + type + ": " + r.name() + "=" + value + " is not a number");
        }
        if (at < 0 || at > last) throw new BoardException("device " + type + ": " + r.name() + "=" + value + " is not in 0 to " + last);
    }

    /** The value of a property that a card with these needs reads. */
    String property(CardNeeds needs, String key) {
        String value = given.getOrDefault(key, needs.defaults().get(key));
        if (value == null) throw needs.undeclared("property '" + key + "'");
        return value;
    }

    /** Where the slot puts a resource: what its property says, or the usual place; -1 for unconnected. */
    long base(Resource r) {
        String value = given.get(r.name());
        if (value == null) return r.base();
        return value.isEmpty() ? -1 : Long.decode(value);
    }

    CharBackend characterBackend(String key) {
        return characters.get(key);
    }

    Optional<BlockPort> blockBackend(String key) {
        return Optional.ofNullable(blocks.get(key));
    }

    Map<String, CharBackend> characters() {
        return characters;
    }

    /** Closes the back ends; the slot is gone. */
    void close() {
        for (CharBackend c : characters.values()) c.close();
        for (BlockImage b : blocks.values()) {
            try {
                b.close();
            } catch (java.io.IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }
    }
}
