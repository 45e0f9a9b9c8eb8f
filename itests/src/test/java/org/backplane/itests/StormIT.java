package org.backplane.itests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import javax.management.openmbean.CompositeData;
import org.backplane.board.api.Machine.SlotInfo;
import org.backplane.itests.harness.InContainer;
import org.backplane.itests.support.CardLoaders;
import org.backplane.itests.support.Footprint;
import org.backplane.itests.support.NumbersGuest;
import org.backplane.itests.support.Osgi;
import org.backplane.itests.support.Storms;
import org.junit.jupiter.api.Test;
import org.osgi.framework.BundleEvent;
import org.osgi.framework.BundleException;
import org.osgi.framework.SynchronousBundleListener;

/**
 * Cards are replaced at random, and neither does the guest lose anything nor does anything stay of the versions that are gone. What they take of classes and
 * metaspace is counted where it shows, over ten thousand swaps: {@code StormUnderLinuxIT}.
 */
@InContainer
class StormIT {
    private static final Duration SOON = Duration.ofSeconds(60);

    @Test
    void aStormLeavesNothingBehind() throws Exception {
        // The machine registers itself at once where this is up already.
        MBeanServer jmx = ManagementFactory.getPlatformMBeanServer();
        try (NumbersGuest guest = NumbersGuest.start("storm"); CardLoaders loaders = new CardLoaders()) {
            List<SlotInfo> slots = guest.machine().slots();
            // Every kind of swap has been done once, so that the threads that the JDK and the framework need for it are there.
            Storms.rage(guest.machine(), "30,seed=1", SOON);
            List<String> threads = Footprint.now().threads();
            int bundles = Osgi.context().getBundles().length;
            String end = Storms.rage(guest.machine(), "80,seed=2", SOON);
            assertTrue(end.contains(": 80 swaps, 0 failed, p50 "), end);
            assertEquals(slots, guest.machine().slots(), "every slot has the card that it had");
            assertEquals(bundles, Osgi.context().getBundles().length, () -> Arrays.toString(Osgi.context().getBundles()));
            assertTrue(loaders.count() > Osgi.ownBundles().size() + 10, "class loaders came: " + loaders.count());
            Osgi.await("the same threads as before", () -> Footprint.now().threads().equals(threads));
            loaders.assertAtMostOneOldEach();
            CompositeData seen = (CompositeData) jmx.getAttribute(new ObjectName("org.backplane:type=Machine,name=storm"), "Pauses");
            assertTrue((long) ((CompositeData) seen.get("swaps")).get("count") >= 110, seen::toString);
            guest.proveAllCardsWork();
            guest.verifyEverything();
        }
    }

    @Test
    void aSwapThatFailsIsCountedAndTheOldCardServesOn() throws Exception {
        SynchronousBundleListener saboteur = e -> {
            if (e.getType() != BundleEvent.STARTED || !e.getBundle().getSymbolicName().endsWith(".copy")) return;
            try {
                e.getBundle().stop();
            } catch (BundleException x) {
                throw new IllegalStateException(x);
            }
        };
        Osgi.context().addBundleListener(saboteur);
        try (NumbersGuest guest = NumbersGuest.start("storm")) {
            String end = Storms.rage(guest.machine(), "6,rtc,seed=1", SOON);
            assertTrue(end.matches(".*: 6 swaps, [1-6] failed, .*"), end);
            assertEquals("0.1.0", guest.slot("rtc").version());
            guest.proveAllCardsWork();
            guest.verifyEverything();
        } finally {
            Osgi.context().removeBundleListener(saboteur);
        }
    }
}
