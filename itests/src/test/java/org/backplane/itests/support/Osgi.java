package org.backplane.itests.support;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceReference;

/** The container, for tests inside. */
public final class Osgi {
    private static final long PATIENCE_NANOS = 30_000_000_000L;

    private Osgi() {}

    public static BundleContext context() {
        return FrameworkUtil.getBundle(Osgi.class).getBundleContext();
    }

    /** The bundle with this symbolic name. */
    public static Bundle bundle(String symbolicName) {
        return Arrays.stream(context().getBundles())
                .filter(b -> symbolicName.equals(b.getSymbolicName()))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no bundle " + symbolicName));
    }

    /** The bundles of the distribution that are Backplane's own. */
    public static List<Bundle> ownBundles() {
        return Arrays.stream(context().getBundles()).filter(b -> b.getSymbolicName().startsWith("org.backplane.")).toList();
    }

    /** A service of this type; waits until it is there. */
    public static <T> T service(Class<T> type) {
        await("service " + type.getName(), () -> available(type));
        return context().getService(context().getServiceReference(type));
    }

    public static boolean available(Class<?> type) {
        ServiceReference<?> reference = context().getServiceReference(type);
        return reference != null;
    }

    /** Waits until something holds. */
    public static void await(String what, Callable<Boolean> condition) {
        long limit = System.nanoTime() + PATIENCE_NANOS;
        try {
            while (!condition.call()) {
                if (System.nanoTime() > limit) throw new AssertionError("waited in vain for: " + what);
                Thread.sleep(5);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new AssertionError(what, e);
        }
    }
}
