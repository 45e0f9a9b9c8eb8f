package org.backplane.itests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.backplane.board.api.Machine;
import org.backplane.board.api.Machines;
import org.backplane.itests.bad.BadActivator;
import org.backplane.itests.bad.Kinds;
import org.backplane.itests.bad.Manners;
import org.backplane.itests.harness.InContainer;
import org.backplane.itests.support.CardJar;
import org.backplane.itests.support.NumbersGuest;
import org.backplane.itests.support.Osgi;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;
import org.osgi.framework.ServiceReference;

/** Of a machine that was stopped nothing is left: no thread, no memory, no object, no use of a service, no class of a bundle that went. */
@InContainer
class ReleaseIT {
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final long MIB_KB = 1024;
    private static final int GUEST_MIB = 512;

    @AfterEach
    void letGo() {
        System.setProperty(Kinds.OVER, "");
    }

    private static Map<String, String> memory() {
        return Map.of("m", Integer.toString(GUEST_MIB));
    }

    /** A machine that ran, with swaps of its cards, and was stopped. */
    private static WeakReference<Machine> runAndStop(String name) throws Exception {
        try (NumbersGuest g = NumbersGuest.start(name, memory())) {
            g.machine().swap("mmu", "shadow");
            g.proveAllCardsWork();
            return new WeakReference<>(g.machine());
        }
    }

    /** Threads of this machine; of what else runs in this JVM nobody knows when it comes and goes. */
    private static List<String> threadsOf(String machine) {
        return Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(n -> n.equals("machine-" + machine) || n.startsWith("machine-" + machine + ":"))
                .toList();
    }

    /** Address space of this process in KiB. */
    private static long addressSpace() throws IOException {
        return Files.readAllLines(STATUS).stream()
                .filter(l -> l.startsWith("VmSize:"))
                .mapToLong(l -> Long.parseLong(l.replaceAll("\\D", "")))
                .findFirst()
                .orElseThrow();
    }

    /** Who uses the services of our bundles, by service. */
    private static Map<String, List<String>> uses() {
        Map<String, List<String>> uses = new TreeMap<>();
        for (Bundle b : Osgi.ownBundles()) {
            if (b.getRegisteredServices() == null) continue;
            for (ServiceReference<?> ref : b.getRegisteredServices()) {
                Bundle[] users = ref.getUsingBundles();
                uses.put(ref.getProperty("service.id") + " of " + b.getSymbolicName(),
                        users == null ? List.of() : Arrays.stream(users).map(Bundle::getSymbolicName).sorted().toList());
            }
        }
        return uses;
    }

    private static List<String> bundles() {
        return Arrays.stream(Osgi.context().getBundles()).map(b -> b.getBundleId() + " " + b.getSymbolicName() + " " + b.getState()).toList();
    }

    private static void awaitCollected(WeakReference<?> object) {
        Osgi.await("the object is collected", () -> {
            System.gc();
            return object.get() == null;
        });
    }

    @Test
    void aStoppedMachineLeavesNothing() throws Exception {
        Assumptions.assumeTrue(Files.isReadable(STATUS), "the address space can be seen on Linux only");
        runAndStop("warm");
        Map<String, List<String>> usesBefore = uses();
        List<String> bundlesBefore = bundles();
        long spaceBefore = addressSpace();
        long spaceWith;
        WeakReference<Machine> gone;
        try (NumbersGuest g = NumbersGuest.start("one", memory())) {
            spaceWith = addressSpace();
            assertTrue(threadsOf("one").size() >= 2, "the machine's thread and its watchdog are seen");
            gone = new WeakReference<>(g.machine());
        }
        assertTrue(spaceWith >= spaceBefore + GUEST_MIB / 4 * 3 * MIB_KB, "the guest's memory is seen: " + spaceBefore + " KiB, then " + spaceWith);
        for (int i = 0; i < 3; i++) runAndStop("one");
        Osgi.await("its threads end: " + threadsOf("one"), () -> threadsOf("one").isEmpty());
        assertEquals(usesBefore, uses());
        assertEquals(bundlesBefore, bundles());
        assertTrue(addressSpace() < spaceBefore + GUEST_MIB / 2 * MIB_KB, "the guest's memory is given back: " + spaceBefore + " KiB, now " + addressSpace());
        awaitCollected(gone);
        assertEquals(List.of(), Osgi.service(Machines.class).list());
    }

    @Test
    void aCardThatWasPluggedAndItsBundleAreCollected() throws Exception {
        WeakReference<ClassLoader> loader;
        try (NumbersGuest g = NumbersGuest.start("one")) {
            loader = plugAndUnplug(g, Manners.class);
            Osgi.await("the bundle's classes are collected", () -> {
                System.gc();
                return loader.get() == null;
            });
            g.verifyEverything();
        }
    }

    @Test
    void aCardThatHungIsCollectedWithItsThreadWhenItCameBack() throws Exception {
        System.clearProperty(Kinds.OVER);
        try (NumbersGuest g = NumbersGuest.start("one", Map.of("card-limit", "400"))) {
            WeakReference<ClassLoader> loader = plugAndUnplug(g, Kinds.LoopsInATimer.class);
            Osgi.await("the machine has a second thread", () -> threadsOf("one").stream().filter("machine-one"::equals).count() == 2);
            System.setProperty(Kinds.OVER, "");
            Osgi.await("the lost thread ends", () -> threadsOf("one").stream().filter("machine-one"::equals).count() == 1);
            awaitCollected(loader);
            g.proveAllCardsWork();
            g.verifyEverything();
        }
    }

    /** The class loader of a bundle that was plugged and is uninstalled. */
    private static WeakReference<ClassLoader> plugAndUnplug(NumbersGuest g, Class<?> card) throws Exception {
        String activator = BadActivator.class.getName();
        Bundle b = new CardJar("com.example.shortlived", "1.0.0")
                .header("Bundle-Activator", activator)
                .header("Card-Type", "shortlived")
                .header("Card-Class", card.getName())
                .classes(activator, activator + "$Factory", Manners.class.getName(), Kinds.class.getName())
                .classes(card == Manners.class ? new String[0] : new String[] {card.getName()})
                .start();
        WeakReference<ClassLoader> loader = new WeakReference<>(b.loadClass(card.getName()).getClassLoader());
        g.machine().plug("shortlived", "s", Map.of());
        if (card == Manners.class) g.machine().unplug("s");
        else Osgi.await("the card is unplugged", () -> g.machine().slots().stream().noneMatch(s -> s.slot().equals("s")));
        b.uninstall();
        Osgi.context().getBundle(0).adapt(org.osgi.framework.wiring.FrameworkWiring.class).refreshBundles(List.of(b));
        return loader;
    }
}
