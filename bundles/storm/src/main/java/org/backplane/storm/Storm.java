package org.backplane.storm;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine;
import org.backplane.board.api.Machine.SlotInfo;
import org.backplane.board.api.Machine.State;
import org.backplane.board.api.PauseStats;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A storm over one machine. A swap is one of two kinds: side by side, from a bundle to its copy or back, where every {@value #RENEW_ONE_OF}th time the copy
 * is a fresh one; or in place, an update of the bundle. When it is over, every slot has the card that it had, and the copies are gone.
 *
 * <p><b>Thread.</b> Its own. {@link #stop} and {@link #lines} come from anywhere.
 */
final class Storm implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(Storm.class);

    /** Chances. */
    private static final int IN_PLACE_ONE_OF = 10, RENEW_ONE_OF = 5;

    /** Milliseconds that the guest has to itself between two swaps, at most: enough to use the card. */
    private static final int LONGEST_REST = 10;

    private static final int PATIENCE_MILLIS = 20;

    private final Machine machine;
    private final StormPlan plan;
    private final BundleContext context;
    private final Random random;

    /** The bundle behind each slot that takes part, and what the slot's cards are called. */
    private final Map<String, CardBundle> bundles = new LinkedHashMap<>();

    private final Map<String, String> types = new HashMap<>();

    /** Slots whose card comes from the copy now. */
    private final Map<String, Boolean> onCopy = new HashMap<>();

    private volatile boolean stopped;
    private volatile boolean over;
    private volatile int swaps;
    private volatile int failed;

    Storm(Machine machine, StormPlan plan, BundleContext context) {
        this.machine = machine;
        this.plan = plan;
        this.context = context;
        random = new Random(plan.seed());
    }

    Machine machine() {
        return machine;
    }

    StormPlan plan() {
        return plan;
    }

    /** After the swap that is under way, the cards are put back. */
    void stop() {
        stopped = true;
    }

    boolean over() {
        return over;
    }

    int swaps() {
        return swaps;
    }

    /** What {@code -stats} ends with. */
    Map<String, String> lines() {
        PauseStats.Figures f = machine.pauses().swaps();
        Map<String, String> lines = new LinkedHashMap<>();
        lines.put("storm.seed", Long.toString(plan.seed()));
        lines.put("storm", String.format(Locale.ROOT, "%d swaps, %d failed, p50 %.2f ms, p99 %.2f ms, max %.2f ms",
                swaps, failed, f.p50Nanos() / 1e6, f.p99Nanos() / 1e6, f.maxNanos() / 1e6));
        return lines;
    }

    @Override
    public void run() {
        LOG.info("storm on {}: {} swaps, seed {}", machine.name(), plan.count(), plan.seed());
        try {
            while (goesOn() && machine.state() != State.RUNNING) rest(PATIENCE_MILLIS);
            if (goesOn()) prepare();
            List<String> slots = List.copyOf(bundles.keySet());
            while (goesOn() && swaps < plan.count()) {
                String slot = slots.get(random.nextInt(slots.size()));
                if (random.nextInt(IN_PLACE_ONE_OF) == 0) inPlace(bundles.get(slot));
                else sideBySide(slot);
                rest(random.nextInt(LONGEST_REST + 1));
            }
        } catch (BoardException e) {
            LOG.warn("{}", e.getMessage());
        } finally {
            putBack();
            over = true;
        }
    }

    private boolean goesOn() {
        return !stopped && !machine.ended().isDone() && !containerStops();
    }

    /** Its cards go in their order then. */
    private boolean containerStops() {
        return context.getBundle(Constants.SYSTEM_BUNDLE_ID).getState() == Bundle.STOPPING;
    }

    private void rest(int millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            stopped = true;
        }
    }

    /** Finds the bundles behind the cards. */
    private void prepare() throws BoardException {
        Map<Bundle, CardBundle> known = new HashMap<>();
        for (SlotInfo s : machine.slots()) {
            if (!plan.cards().isEmpty() && !plan.cards().contains(s.slot())) continue;
            Bundle b = bundle(s);
            if (b == null && plan.cards().isEmpty()) continue;
            if (b == null) throw new BoardException("storm: slot " + s.slot() + " has no card");
            bundles.put(s.slot(), known.computeIfAbsent(b, o -> new CardBundle(context, o)));
            types.put(s.slot(), s.type());
            onCopy.put(s.slot(), false);
        }
        if (bundles.isEmpty()) throw new BoardException("storm: machine " + machine.name() + " has no cards");
    }

    private Bundle bundle(SlotInfo s) {
        if (!s.state().equals("active")) return null;
        return Arrays.stream(context.getBundles())
                .filter(b -> s.bundle().equals(b.getSymbolicName()) && s.version().equals(b.getVersion().toString()))
                .findFirst()
                .orElse(null);
    }

    // ---- side by side ----

    private void sideBySide(String slot) {
        CardBundle b = bundles.get(slot);
        boolean toCopy = !onCopy.get(slot);
        String what = "slot " + slot;
        try {
            if (toCopy && b.hasCopy() && !inUse(b) && random.nextInt(RENEW_ONE_OF) == 0) b.dropCopy();
            Bundle to = toCopy ? b.copy() : b.original();
            what += ": to version " + to.getVersion() + " of " + to.getSymbolicName();
            machine.swap(slot, types.get(slot) + "#" + to.getBundleId());
            onCopy.put(slot, toCopy);
            swaps++;
        } catch (BoardException | BundleException | RuntimeException e) {
            failed(what, e);
        }
    }

    /** Some slot has a card of the copy. */
    private boolean inUse(CardBundle b) {
        return bundles.entrySet().stream().anyMatch(e -> e.getValue() == b && onCopy.get(e.getKey()));
    }

    // ---- in place ----

    private void inPlace(CardBundle b) {
        // Another bundle with such a card would step in for the one that leaves.
        for (Map.Entry<String, CardBundle> e : bundles.entrySet()) {
            if (e.getValue() == b && onCopy.get(e.getKey()) && swaps < plan.count()) sideBySide(e.getKey());
        }
        if (inUse(b) || swaps >= plan.count() || !goesOn()) return;
        String what = b.original().getSymbolicName() + " in place, from version " + b.original().getVersion();
        try {
            b.dropCopy();
            String version = b.update();
            what += " to " + version;
            requireServing(b, version);
            swaps++;
        } catch (BoardException | BundleException | RuntimeException e) {
            failed(what, e);
        }
    }

    private void requireServing(CardBundle b, String version) throws BoardException {
        List<String> wrong = new ArrayList<>();
        for (SlotInfo s : machine.slots()) {
            if (bundles.get(s.slot()) != b || s.state().equals("active") && s.version().equals(version)) continue;
            wrong.add("slot " + s.slot() + " is " + s.state() + (s.version().isEmpty() ? "" : " with version " + s.version()));
        }
        if (!wrong.isEmpty()) throw new BoardException(String.join(", ", wrong) + (machine.stateDetail().isEmpty() ? "" : "; " + machine.stateDetail()));
    }

    // ---- failures, and the end ----

    /** A guest or a container that ends takes the cards with it; that is no failure. */
    private void failed(String what, Exception e) {
        if (machine.ended().isDone() || containerStops()) return;
        swaps++;
        failed++;
        LOG.warn("storm on {} (seed {}): swap {} failed: {}: {}", machine.name(), plan.seed(), swaps, what, cause(e));
        // A card that did not come back keeps the guest waiting for ever.
        if (machine.state() == State.WAITING) stop();
    }

    private static String cause(Throwable e) {
        String text = e.getMessage() == null ? e.toString() : e.getMessage();
        return text.lines().findFirst().orElse("");
    }

    /** Every slot gets the card that it had, and nothing of the storm's own stays. */
    private void putBack() {
        for (String slot : bundles.keySet()) {
            if (!onCopy.get(slot) || machine.ended().isDone()) continue;
            attempt(() -> machine.swap(slot, types.get(slot) + "#" + bundles.get(slot).original().getBundleId()));
        }
        for (CardBundle b : List.copyOf(bundles.values())) {
            attempt(b::dropCopy);
            attempt(b::restore);
        }
        bundles.clear();
    }

    private interface Attempt {
        void run() throws BoardException, BundleException;
    }

    private void attempt(Attempt a) {
        try {
            a.run();
        } catch (BoardException | BundleException | RuntimeException e) {
            // When the container stops, its bundles go anyway.
            if (!machine.ended().isDone() && !containerStops()) LOG.warn("storm on {}: the end did not go smoothly: {}", machine.name(), cause(e));
        }
    }
}
