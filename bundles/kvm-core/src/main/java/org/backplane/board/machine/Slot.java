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

    /** What the card that was prepared last declares: replaced as a whole, because a card is staged while another one serves. */
    private volatile Map<String, String> defaults = Map.of();

    private volatile Map<String, Resource> resources = Map.of();

    /** What people chose, or null. */
    private Policy chosenPolicy;

    Card card;
    Device device;
    CardContext context;

    /** The slot's card has left because its bundle stopped, and no other has come yet. */
    boolean away;

    /** State of the card that left, or null. */
    CardState parked;

    /** GSIs that the card that left asserts as long as the machine waits for it: to the interrupt controller nothing has happened. */
    int[] heldLines = NO_LINES;

    /** A handler of the card threw; it was reported once. */
    boolean faulted;

    Slot(String name, String type, Map<String, String> properties, boolean snapshot) {
        this.name = name;
        this.type = type;
        this.snapshot = snapshot;
        this.given = Map.copyOf(properties);
    }

    String name() {
        return name;
    }

    String type() {
        return type;
    }

    /** All properties: the given ones, and the card's defaults. */
    Map<String, String> properties() {
        Map<String, String> all = new LinkedHashMap<>(defaults);
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
     * Learns what the card in this slot needs, checks the slot's properties against it, and opens the back ends that are not open yet.
     *
     * @throws BoardException for an unknown property, a bad value, or a back end that cannot be had
     */
    void prepare(DeviceFactory factory, BlockImages images) throws BoardException {
        Map<String, String> defaults = new LinkedHashMap<>();
        Map<String, Resource> found = new HashMap<>();
        for (DeviceFactory.Property p : factory.properties()) defaults.put(p.name(), p.defaultValue());
        for (Resource r : factory.resources()) found.put(r.name(), r);
        for (String key : given.keySet()) {
            if (!defaults.containsKey(key) && !found.containsKey(key)) {
                throw new BoardException("device " + type + ": unknown property '" + key + "' (known: "
                        + String.join(", ", concat(defaults.keySet(), found.keySet())) + ")");
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
        this.defaults = defaults;
        this.resources = found;
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

    String property(String key) {
        String value = given.getOrDefault(key, defaults.get(key));
        if (value == null) throw new IllegalArgumentException("card " + type + " asks for property '" + key + "' that it does not declare");
        return value;
    }

    Resource resource(String key) {
        Resource r = resources.get(key);
        if (r == null) throw new IllegalArgumentException("card " + type + " asks for '" + key + "' that it does not declare");
        return r;
    }

    Resource resource(Resource.Kind kind, String key) {
        Resource r = resources.get(key);
        if (r == null || r.kind() != kind) {
            throw new IllegalArgumentException("card " + type + " asks for " + kind + " '" + key + "' that it does not declare");
        }
        return r;
    }

    /** Where the slot puts a resource: what its property says, or the usual place; -1 for unconnected. */
    long base(Resource r) {
        String value = given.get(r.name());
        if (value == null) return r.base();
        return value.isEmpty() ? -1 : Long.decode(value);
    }

    CharBackend characterBackend(String key) {
        resource(Resource.Kind.CHARACTER, key);
        return characters.get(key);
    }

    Optional<BlockPort> blockBackend(String key) {
        resource(Resource.Kind.BLOCK, key);
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
