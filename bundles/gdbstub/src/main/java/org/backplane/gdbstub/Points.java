package org.backplane.gdbstub;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.backplane.board.api.MachineDebugger;
import org.backplane.board.api.MachineDebugger.Stop;
import org.backplane.kvm.api.GuestDebug.Watchpoint;

/** The break- and watchpoints that gdb has set, by the numbers of its Z packets. */
final class Points {
    private static final int SOFTWARE = 0, HARDWARE = 1, WRITE = 2, READ = 3, ACCESS = 4;

    private record Point(int type, long address, long length) {
        boolean covers(long a) {
            return a - address >= 0 && a - address < length;
        }
    }

    private final Set<Point> points = new LinkedHashSet<>();

    /** A type that exists. */
    static boolean known(int type) {
        return type >= SOFTWARE && type <= ACCESS;
    }

    /** Sets a point; setting it twice is setting it once. False if it was there. */
    boolean add(int type, long address, long length) {
        return points.add(new Point(type, address, type <= HARDWARE ? 1 : Math.max(1, length)));
    }

    void remove(int type, long address, long length) {
        points.remove(new Point(type, address, type <= HARDWARE ? 1 : Math.max(1, length)));
    }

    void tell(MachineDebugger debugger) {
        List<Long> breaks = points.stream().filter(p -> p.type <= HARDWARE).map(Point::address).distinct().toList();
        List<Watchpoint> watches = points.stream()
                .filter(p -> p.type >= WRITE)
                .map(p -> new Watchpoint(p.address, p.length, p.type != WRITE, p.type != READ))
                .toList();
        debugger.points(breaks, watches);
    }

    /** The part of a stop reply that names the point behind a stop; empty if none is. */
    String reason(Stop stop) {
        return switch (stop.reason()) {
            case BREAKPOINT -> any(p -> p.type == SOFTWARE && p.address == stop.address()) ? "swbreak:;" : "hwbreak:;";
            case WATCHPOINT -> watch(stop);
            default -> "";
        };
    }

    private String watch(Stop stop) {
        int own = stop.write() ? WRITE : READ;
        String address = Long.toHexString(stop.address());
        if (any(p -> p.type == own && p.covers(stop.address()))) return (stop.write() ? "watch:" : "rwatch:") + address + ";";
        return any(p -> p.type == ACCESS && p.covers(stop.address())) ? "awatch:" + address + ";" : "";
    }

    private boolean any(Predicate<Point> which) {
        return points.stream().anyMatch(which);
    }
}
