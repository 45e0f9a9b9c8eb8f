package org.backplane.kvm.core.exit;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.backplane.kvm.spi.device.ClaimException;

/**
 * All routes of a VM: immutable, published as a whole through one volatile field of the {@link ExitBus}, so that an exit reads it once and a
 * swap is one store.
 */
public final class RouteTable {
    private static final int PORTS = 65536;

    /** No claims at all: a VM without cards. */
    public static final RouteTable EMPTY = new RouteTable(List.of(), List.of());

    final Route[] ports = new Route[PORTS];
    final Route[] mmio;

    private RouteTable(List<Route> portRoutes, List<Route> mmioRoutes) {
        Arrays.fill(ports, Route.FLOATING);
        for (Route r : portRoutes) Arrays.fill(ports, (int) r.base(), (int) (r.base() + r.length()), r);
        mmio = mmioRoutes.toArray(Route[]::new);
        Arrays.sort(mmio, Comparator.comparingLong(Route::base));
    }

    /**
     * Builds a table.
     *
     * @throws ClaimException if two routes overlap or one lies outside the address space
     */
    public static RouteTable of(List<Route> ports, List<Route> mmio) {
        for (Route r : ports) {
            if (r.base() < 0 || r.length() <= 0 || r.base() + r.length() > PORTS) {
                throw new ClaimException("slot " + r.owner() + ": ports " + range(r) + " are outside 0 to 0xffff");
            }
        }
        checkOverlap("port", ports);
        checkOverlap("MMIO", mmio);
        return new RouteTable(ports, mmio);
    }

    private static void checkOverlap(String kind, List<Route> routes) {
        List<Route> sorted = new ArrayList<>(routes);
        sorted.sort(Comparator.comparingLong(Route::base));
        for (int i = 1; i < sorted.size(); i++) {
            Route a = sorted.get(i - 1);
            Route b = sorted.get(i);
            if (b.base() < a.base() + a.length()) {
                throw new ClaimException(String.format(
                        "%s range %s of slot %s overlaps %s of slot %s", kind, range(b), b.owner(), range(a), a.owner()));
            }
        }
    }

    private static String range(Route r) {
        return String.format("0x%x-0x%x", r.base(), r.base() + r.length() - 1);
    }

    /** The route of a gpa, or {@link Route#FLOATING}. */
    Route mmio(long gpa) {
        for (Route r : mmio) if (r.contains(gpa)) return r;
        return Route.FLOATING;
    }
}
