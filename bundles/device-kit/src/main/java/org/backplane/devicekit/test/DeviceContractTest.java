package org.backplane.devicekit.test;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.Resource;
import org.backplane.kvm.spi.device.RevokedException;
import org.backplane.kvm.spi.device.StateException;
import org.junit.jupiter.api.Test;

/**
 * The rules that hold for every device, whatever it is. A device's test extends this, says how to make it, and brings it into a state that
 * differs from power-on as much as possible.
 */
public abstract class DeviceContractTest {
    /** A factory of the device under test. */
    protected abstract DeviceFactory factory();

    /** Works with a device so that registers, lines, timers and buffers are in use when it returns. */
    protected abstract void exercise(DeviceBench bench) throws Exception;

    /** Properties of the slot. */
    protected Map<String, String> properties() {
        return Map.of();
    }

    /** Puts media and the like into the surroundings of a slot before the device is attached. */
    protected void prepare(DeviceBench bench) {}

    /** The device has no state at all: nothing to save, nothing that {@link #exercise} could change. */
    protected boolean stateless() {
        return false;
    }

    /**
     * A state as a card of {@link DeviceFactory#oldestStateVersion} saved it. Override when the current version writes another one; by
     * default it is what the current version writes.
     */
    protected CardState oldestState() throws Exception {
        return exercised().save();
    }

    /** A device at power-on, in prepared surroundings. */
    protected final DeviceBench fresh() {
        DeviceBench b = DeviceBench.unattached(factory(), properties());
        prepare(b);
        return b.attach().reset();
    }

    private DeviceBench exercised() throws Exception {
        DeviceBench b = fresh();
        exercise(b);
        return b.settle();
    }

    /** What the world can see of a device without touching it. */
    private String outside(DeviceBench b) {
        StringBuilder s = new StringBuilder();
        for (Resource r : factory().resources()) {
            switch (r.kind()) {
                case IRQ -> s.append(r.name()).append(' ').append(b.irq(r.name()).level()).append(b.irq(r.name()).edges()).append('\n');
                case CHARACTER -> s.append(r.name()).append(' ').append(b.character(r.name()).output()).append(b.character(r.name()).waiting()).append('\n');
                case DMA -> s.append(r.name()).append(' ').append(b.dma(r.name()).moved()).append('\n');
                default -> {}
            }
        }
        return s.append(b.clock().deadlines()).append(b.platform().exits()).append(b.platform().resets()).append(b.platform().a20()).toString();
    }

    @Test
    final void factoryDescribesItself() {
        DeviceFactory f = factory();
        assertFalse(f.type().isBlank());
        assertFalse(f.description().isBlank() || f.description().contains("\n"), "one line");
        assertTrue(f.oldestStateVersion() >= 1 && f.oldestStateVersion() <= f.stateVersion());
        Set<String> names = new HashSet<>();
        f.resources().forEach(r -> assertTrue(names.add(r.name()), r.name() + " is there twice"));
        f.properties().forEach(p -> assertTrue(names.add(p.name()), p.name() + " is there twice"));
    }

    @Test
    final void attachTouchesNothing() {
        DeviceBench b = DeviceBench.unattached(factory(), properties());
        prepare(b);
        String before = outside(b);
        b.attach();
        assertEquals(before, outside(b));
    }

    @Test
    final void devicesOfOneFactoryShareNothing() throws Exception {
        DeviceFactory f = factory();
        DeviceBench one = DeviceBench.unattached(f, properties());
        DeviceBench other = DeviceBench.unattached(f, properties());
        prepare(one);
        prepare(other);
        one.attach().reset();
        other.attach().reset();
        CardState before = other.save();
        exercise(one);
        assertEquals(before, other.save());
    }

    @Test
    final void exerciseReachesAnotherState() throws Exception {
        boolean same = fresh().save().equals(exercised().save());
        assertEquals(stateless(), same, "exercise() has to leave the power-on state, or the contract is not tested");
    }

    @Test
    final void resetIsIdempotent() throws Exception {
        DeviceBench b = exercised();
        b.reset();
        CardState once = b.save();
        String outside = outside(b);
        b.reset();
        assertEquals(once, b.save());
        assertEquals(outside, outside(b));
    }

    @Test
    final void resetLowersTheIrqLines() throws Exception {
        DeviceBench b = exercised();
        b.reset();
        for (Resource r : factory().resources()) {
            if (r.kind() == Resource.Kind.IRQ) assertFalse(b.irq(r.name()).level(), r.name());
        }
    }

    @Test
    final void quiesceAndResumeAreIdempotentAndLoseNothing() throws Exception {
        DeviceBench b = exercised();
        CardState before = b.save();
        String outside = outside(b);
        b.quiesce();
        b.quiesce();
        assertEquals(before, b.save());
        b.resume();
        b.resume();
        assertEquals(before, b.save());
        assertEquals(outside, outside(b));
    }

    @Test
    final void saveHasNoSideEffects() throws Exception {
        DeviceBench b = exercised();
        String outside = outside(b);
        CardState first = b.save();
        assertEquals(first, b.save());
        assertEquals(outside, outside(b));
    }

    @Test
    final void saveThenLoadIsTheIdentity() throws Exception {
        DeviceBench b = exercised();
        CardState state = b.save();
        Map<String, Long> deadlines = new HashMap<>(b.clock().deadlines());
        Map<String, Boolean> levels = levels(b);
        b.swap(factory());
        assertEquals(state, b.save());
        assertEquals(deadlines, b.clock().deadlines());
        assertEquals(levels, levels(b));
    }

    @Test
    final void loadIntoAFreshSlotSetsTheLines() throws Exception {
        DeviceBench b = exercised();
        DeviceBench copy = DeviceBench.unattached(factory(), properties());
        prepare(copy);
        copy.clock().runUntil(b.clock().nanos());
        copy.attach().load(b.save());
        assertEquals(levels(b), levels(copy));
    }

    private Map<String, Boolean> levels(DeviceBench b) {
        Map<String, Boolean> l = new HashMap<>();
        for (Resource r : factory().resources()) if (r.kind() == Resource.Kind.IRQ) l.put(r.name(), b.irq(r.name()).level());
        return l;
    }

    @Test
    final void oldestLoadableStateLoads() throws Exception {
        CardState old = new CardState(factory().type(), factory().oldestStateVersion());
        oldestState().copy().values().forEach((k, v) -> put(old, k, v));
        DeviceBench b = fresh();
        assertDoesNotThrow(() -> b.load(old));
    }

    /** A state that the card's rules take down to an older version, and up again, is one that the card loads. */
    @Test
    final void stateOfEveryVersionThatTheRulesLeadToLoads() throws Exception {
        CardState now = exercised().save();
        for (int v = factory().stateVersion() - 1; v >= factory().oldestStateVersion(); v--) {
            CardState old;
            try {
                old = factory().stateRules().convert(now, v);
            } catch (StateException thereIsNoRuleForIt) {
                break;
            }
            DeviceBench b = fresh();
            assertDoesNotThrow(() -> b.load(old), old::toString);
        }
    }

    @Test
    final void unknownStateValueIsIgnored() throws Exception {
        DeviceBench b = exercised();
        CardState state = b.save();
        CardState more = state.copy().put("a value of a later version", 42);
        b.load(more);
        assertEquals(state, b.save());
    }

    @Test
    final void absentStateValuesTakeDefaults() {
        DeviceBench b = fresh();
        assertDoesNotThrow(() -> b.load(new CardState(factory().type(), factory().stateVersion())));
    }

    @Test
    final void stateOfAWrongTypeIsRefusedByName() throws Exception {
        CardState state = exercised().save();
        for (String name : state.values().keySet()) {
            CardState bad = state.copy();
            if (bad.values().get(name) instanceof String) bad.put(name, 1);
            else bad.put(name, "not this");
            DeviceBench b = fresh();
            StateException e = assertThrows(StateException.class, () -> b.load(bad), name);
            assertTrue(e.getMessage().contains(name), "the message names the value: " + e.getMessage());
        }
    }

    @Test
    final void toleratesCallsAfterDetach() throws Exception {
        DeviceBench b = exercised();
        b.detach();
        String outside = outside(b);
        for (Resource r : b.claims()) {
            for (long offset = 0; offset < Math.min(r.length(), 64); offset++) {
                long o = offset;
                orRevoked(() -> b.read(r.name(), o, 1));
                orRevoked(() -> b.write(r.name(), o, 1, 0xff));
            }
        }
        orRevoked(b::quiesce);
        orRevoked(b::resume);
        orRevoked(() -> b.device().detach());
        assertEquals(outside, outside(b), "a card that has left changes nothing");
    }

    private static void orRevoked(Runnable call) {
        try {
            call.run();
        } catch (RevokedException e) {
            return; // The board takes care of these.
        } catch (IllegalArgumentException e) {
            if (!e.getMessage().contains("takes no access")) throw e;
        }
    }

    private static void put(CardState to, String name, Object value) {
        switch (value) {
            case Long l -> to.put(name, l);
            case String s -> to.put(name, s);
            case byte[] b -> to.put(name, b);
            case CardState s -> s.values().forEach((k, v) -> put(to.child(name), k, v));
            default -> throw new IllegalArgumentException(name);
        }
    }
}
