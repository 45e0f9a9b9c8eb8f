package org.backplane.itests.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleEvent;
import org.osgi.framework.SynchronousBundleListener;
import org.osgi.framework.wiring.BundleWiring;

/** Watches the class loaders of bundles as they come: which of them are still there when they should be gone? */
public final class CardLoaders implements AutoCloseable, SynchronousBundleListener {
    private static final String COPY = ".copy";
    private static final int COLLECTIONS = 5;

    /** By the bundle's name; a copy counts as its original. */
    private final Map<String, List<WeakReference<ClassLoader>>> seen = new TreeMap<>();

    public CardLoaders() {
        Osgi.ownBundles().forEach(this::see);
        Osgi.context().addBundleListener(this);
    }

    @Override
    public void bundleChanged(BundleEvent e) {
        if (e.getType() == BundleEvent.STARTED && e.getBundle().getSymbolicName().startsWith("org.backplane.")) see(e.getBundle());
    }

    private synchronized void see(Bundle b) {
        BundleWiring wiring = b.adapt(BundleWiring.class);
        if (wiring == null) return;
        seen.computeIfAbsent(b.getSymbolicName().replace(COPY, ""), n -> new ArrayList<>()).add(new WeakReference<>(wiring.getClassLoader()));
    }

    /** How many class loaders have come since the beginning. */
    public synchronized int count() {
        return seen.values().stream().mapToInt(List::size).sum();
    }

    /** Of each bundle there is at most one class loader beside the one in service, soon at least: what still runs out may hold another. */
    public void assertAtMostOneOldEach() {
        for (int i = 0; i < COLLECTIONS && !tooMany().isEmpty(); i++) System.gc();
        assertEquals(Map.of(), tooMany(), "class loaders that stay");
    }

    private synchronized Map<String, Long> tooMany() {
        Map<String, Long> old = new TreeMap<>();
        seen.forEach((name, loaders) -> {
            ClassLoader now = Osgi.bundle(name).adapt(BundleWiring.class).getClassLoader();
            old.put(name, loaders.stream().map(WeakReference::get).filter(l -> l != null && l != now).distinct().count());
        });
        assertTrue(old.size() > 10, old::toString);
        old.values().removeIf(n -> n <= 1);
        return old;
    }

    @Override
    public void close() {
        Osgi.context().removeBundleListener(this);
    }
}
