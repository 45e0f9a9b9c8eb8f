package org.backplane.devicekit.test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.Resource;
import org.junit.jupiter.api.Test;

/**
 * A guest that does anything at all, for every device: random accesses of all sizes to all claimed ranges, with the clock moving, bytes and media
 * coming from outside, and the card saved, loaded, reset and swapped in between.
 *
 * <p><b>Rules.</b> No call throws, whatever the guest writes. A save has no side effects. What a card saves, a fresh instance takes and saves
 * again, value for value; it drives the same lines and waits for the same deadlines. All this ends in bounded time, so no access loops for ever.
 *
 * <p><b>Two devices.</b> Half of the runs have a twin: a second slot with the same card gets the same accesses and the same clock but is never
 * saved or swapped. Every read has to answer the same in both: a swap that the guest can notice is found where it shows.
 *
 * <p><b>Again.</b> The run is a function of its seed. By default that is fixed, so that a build fails or not for a reason; {@code
 * -Dbackplane.fuzz.seed=N} takes another one ({@code random} any), {@code -Dbackplane.fuzz.steps=N} makes it longer. A failure names the
 * seed, the step and the last steps before it.
 */
public abstract class DeviceFuzzTest {
    private static final int HISTORY = 24;
    private static final int RUNS = 8;
    private static final long[] TELLING = {0, 1, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x7fff_ffffL, 0x8000_0000L, 0xffff_ffffL, -1L};

    /** Offsets at the beginning of a range that are tried more often than the rest: registers are there, memory is elsewhere. */
    private static final int LIKELY = 64;

    /** Longest time a device may take for all runs, in nanoseconds: far more than a sound one needs. */
    private static final long LIMIT = 60_000_000_000L;

    private final ArrayDeque<String> history = new ArrayDeque<>();

    /** A factory of the device under test. */
    protected abstract DeviceFactory factory();

    /** Properties of the slot. */
    protected Map<String, String> properties() {
        return Map.of();
    }

    /** Puts media and the like into the surroundings of a slot before the device is attached. The same for every call. */
    protected void prepare(DeviceBench bench) {}

    /** Something from outside that the bench does not know by itself: a key, a level on an input. Called with both devices of a run. */
    protected void disturb(DeviceBench bench, SplittableRandom random) {}

    /** Steps of all runs together. Override for a device whose accesses are slow. */
    protected int steps() {
        return 40_000;
    }

    @Test
    final void noGuestBreaksItAndNoSwapIsNoticed() throws Exception {
        long seed = seed();
        int steps = Integer.getInteger("backplane.fuzz.steps", steps());
        System.out.println(factory().type() + ": fuzz seed " + seed + ", " + steps + " steps");
        long end = System.nanoTime() + LIMIT;
        for (int run = 0; run < RUNS; run++) {
            SplittableRandom random = new SplittableRandom(seed + run);
            DeviceBench one = fresh();
            DeviceBench twin = run % 2 == 0 ? null : fresh();
            history.clear();
            for (int step = 0; step < steps / RUNS; step++) {
                try {
                    step(one, twin, random);
                } catch (Throwable e) {
                    throw new AssertionError(factory().type() + ": seed " + seed + ", run " + run + ", step " + step + ": " + e + "\n  "
                            + String.join("\n  ", history), e);
                }
                assertTrue(System.nanoTime() < end, "seed " + seed + ": the device takes too long");
            }
        }
    }

    private static long seed() {
        String given = System.getProperty("backplane.fuzz.seed", "2007");
        return given.equals("random") ? System.nanoTime() : Long.decode(given);
    }

    private DeviceBench fresh() {
        DeviceBench b = DeviceBench.unattached(factory(), properties());
        prepare(b);
        return b.attach().reset();
    }

    private void step(DeviceBench one, DeviceBench twin, SplittableRandom random) throws Exception {
        int what = random.nextInt(1000);
        if (what < 880) {
            access(one, twin, random);
        } else if (what < 940) {
            advance(one, twin, random);
        } else if (what < 965) {
            outside(one, twin, random);
        } else if (what < 970) {
            tell("reset");
            one.reset();
            if (twin != null) twin.reset();
        } else if (what < 985) {
            saveAndCopy(one);
        } else {
            swap(one);
        }
        if (twin != null) assertEquals(world(twin), world(one), "lines, deadlines and output of a device that was swapped and one that was not");
    }

    private void tell(String line) {
        if (history.size() == HISTORY) history.remove();
        history.add(line);
    }

    // ---- what the guest does ----

    private void access(DeviceBench one, DeviceBench twin, SplittableRandom random) {
        List<Resource> claims = one.claims();
        if (claims.isEmpty()) return;
        Resource r = claims.get(random.nextInt(claims.size()));
        int sizes = one.sizes(r.name());
        int size = 1 << random.nextInt(r.kind() == Resource.Kind.MMIO ? 4 : 3);
        long offset = random.nextInt(4) > 0 ? random.nextLong(Math.min(r.length(), LIKELY)) : random.nextLong(r.length());
        // Narrower than the narrowest access that the card takes: the bus lets it float, the bench refuses it.
        int narrowest = Integer.lowestOneBit(sizes);
        size = Math.max(size, narrowest);
        offset -= offset % narrowest;
        if (offset + size > r.length()) return;
        if (random.nextBoolean()) {
            tell(String.format("read%d %s+%x", size * 8, r.name(), offset));
            long value = one.read(r.name(), offset, size);
            if (twin != null) assertEquals(twin.read(r.name(), offset, size), value, "a read, beside a device that was never swapped");
        } else {
            long value = value(random) & -1L >>> 64 - size * 8;
            tell(String.format("write%d %s+%x = %x", size * 8, r.name(), offset, value));
            one.write(r.name(), offset, size, value);
            if (twin != null) twin.write(r.name(), offset, size, value);
        }
    }

    private static long value(SplittableRandom random) {
        return switch (random.nextInt(4)) {
            case 0 -> TELLING[random.nextInt(TELLING.length)];
            case 1 -> 1L << random.nextInt(64);
            default -> random.nextLong();
        };
    }

    // ---- what the world does ----

    private void advance(DeviceBench one, DeviceBench twin, SplittableRandom random) {
        // From a nanosecond to some ten seconds, each order of magnitude as likely.
        long nanos = random.nextLong(1L << random.nextInt(1, 34));
        boolean late = random.nextInt(8) == 0;
        tell((late ? "clock jumps " : "clock +") + nanos);
        for (DeviceBench b : twin == null ? new DeviceBench[] {one} : new DeviceBench[] {one, twin}) {
            if (late) b.clock().jump(nanos);
            else b.clock().advance(nanos);
            b.settle();
        }
    }

    private void outside(DeviceBench one, DeviceBench twin, SplittableRandom random) {
        long seed = random.nextLong();
        tell("from outside " + Long.toHexString(seed));
        fromOutside(one, new SplittableRandom(seed));
        if (twin != null) fromOutside(twin, new SplittableRandom(seed));
    }

    private void fromOutside(DeviceBench b, SplittableRandom random) {
        for (Resource r : factory().resources()) {
            switch (r.kind()) {
                case CHARACTER -> b.character(r.name()).input(Integer.toHexString(random.nextInt()));
                case DMA -> b.dma(r.name()).program(new byte[random.nextInt(2048)]);
                case BLOCK -> {
                    BenchBlock medium = b.block(r.name());
                    if (medium != null) medium.setFailing(random.nextInt(4) == 0);
                    if (medium != null) medium.setReadOnly(random.nextInt(4) == 0);
                }
                default -> {}
            }
        }
        disturb(b, random);
        b.settle();
    }

    // ---- what the board does ----

    /** Saves, which must change nothing, and lets a fresh instance in another slot take the state and save it again. */
    private void saveAndCopy(DeviceBench b) throws Exception {
        tell("save, load into another slot");
        String before = world(b);
        CardState state = b.save();
        assertEquals(state, b.save(), "saved twice");
        assertEquals(before, world(b), "a save has no side effects");
        DeviceBench copy = DeviceBench.unattached(factory(), properties());
        prepare(copy);
        copy.clock().runUntil(b.clock().nanos());
        copy.attach().copyDeadlines(b).load(state.copy());
        assertEquals(state, copy.save(), "saved, loaded into a fresh slot and saved again");
        assertEquals(levels(b), levels(copy), "lines after a load into a fresh slot");
    }

    private void swap(DeviceBench b) throws Exception {
        tell("swap");
        String before = world(b);
        CardState state = b.save();
        b.swap(factory());
        assertEquals(state, b.save(), "saved, loaded and saved again");
        assertEquals(before, world(b), "the world before and after a swap");
    }

    // ---- what can be seen from outside ----

    private String world(DeviceBench b) {
        StringBuilder s = new StringBuilder();
        for (Resource r : factory().resources()) {
            switch (r.kind()) {
                case IRQ -> s.append(r.name()).append(b.irq(r.name()).level() ? '+' : '-').append(b.irq(r.name()).edges()).append(' ');
                case DMA -> s.append(r.name()).append(b.dma(r.name()).moved()).append(' ');
                case CHARACTER -> s.append(r.name()).append(b.character(r.name()).sent()).append('/').append(b.character(r.name()).waiting()).append(' ');
                default -> {}
            }
        }
        return s.append(b.clock().deadlines()).append(b.platform().resets().size()).append(b.platform().exits().size()).append(b.platform().a20()).toString();
    }

    private Map<String, Boolean> levels(DeviceBench b) {
        Map<String, Boolean> l = new HashMap<>();
        for (Resource r : factory().resources()) if (r.kind() == Resource.Kind.IRQ) l.put(r.name(), b.irq(r.name()).level());
        return l;
    }
}
