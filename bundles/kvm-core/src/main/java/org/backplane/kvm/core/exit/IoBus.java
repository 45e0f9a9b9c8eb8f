package org.backplane.kvm.core.exit;

import org.backplane.kvm.spi.device.RevokedException;

/**
 * Port and MMIO accesses to cards: finds the route, splits what a handler does not take, and shields the VM from a handler that throws.
 *
 * <p><b>Guarantees.</b> An access to an unclaimed address is handled: reads give ones, writes vanish; likewise one that is narrower than anything the
 * handler takes. What a handler throws ends the
 * access as floating and is reported to {@link CardFault}; it never reaches the engine. A handler that does not return loses its thread the vCPU, see
 * {@link Tenure}.
 */
public final class IoBus {
    /** Told when a card's handler throws. */
    public interface CardFault {
        void handlerThrew(String slot, Throwable e);
    }

    private volatile RouteTable routes = RouteTable.EMPTY;
    private final CardFault faults;

    /** Of the thread that runs the vCPU. Replaced while no thread does. */
    private Tenure tenure = new Tenure();

    public IoBus(CardFault faults) {
        this.faults = faults;
    }

    /** Puts a new table in service: one volatile store. */
    public void publish(RouteTable table) {
        routes = table;
    }

    public Tenure tenure() {
        return tenure;
    }

    /** Another thread runs the vCPU from now on. It calls this before it does, or is started behind it. */
    public void tenure(Tenure next) {
        tenure = next;
    }

    public boolean claimsPort(int port) {
        return routes.ports[port] != Route.FLOATING;
    }

    public boolean claimsMmio(long gpa) {
        return routes.mmio(gpa) != Route.FLOATING;
    }

    public long portRead(int vcpu, int port, int size) {
        RouteTable t = routes;
        Route r = t.ports[port];
        if ((r.sizes() & size) != 0 && fits(r, port, size)) return read(r, vcpu, port, size) & mask(size);
        long value = 0;
        int part = part(r, port, size);
        for (int i = 0; i < size; i += part) {
            value |= (readPart(t.ports[port + i & 0xffff], vcpu, port + i & 0xffff, part) & mask(part)) << 8 * i;
        }
        return value;
    }

    public void portWrite(int vcpu, int port, int size, long value) {
        RouteTable t = routes;
        Route r = t.ports[port];
        if ((r.sizes() & size) != 0 && fits(r, port, size)) {
            write(r, vcpu, port, size, value & mask(size));
            return;
        }
        int part = part(r, port, size);
        for (int i = 0; i < size; i += part) {
            writePart(t.ports[port + i & 0xffff], vcpu, port + i & 0xffff, part, value >>> 8 * i & mask(part));
        }
    }

    public long mmioRead(int vcpu, long gpa, int size) {
        RouteTable t = routes;
        Route r = t.mmio(gpa);
        if ((r.sizes() & size) != 0 && fits(r, gpa, size)) return read(r, vcpu, gpa, size) & mask(size);
        long value = 0;
        int part = part(r, gpa, size);
        for (int i = 0; i < size; i += part) value |= (readPart(t.mmio(gpa + i), vcpu, gpa + i, part) & mask(part)) << 8 * i;
        return value;
    }

    public void mmioWrite(int vcpu, long gpa, int size, long value) {
        RouteTable t = routes;
        Route r = t.mmio(gpa);
        if ((r.sizes() & size) != 0 && fits(r, gpa, size)) {
            write(r, vcpu, gpa, size, value & mask(size));
            return;
        }
        int part = part(r, gpa, size);
        for (int i = 0; i < size; i += part) writePart(t.mmio(gpa + i), vcpu, gpa + i, part, value >>> 8 * i & mask(part));
    }

    /** The unit to split an access into: the largest that the handler takes, or a byte where the access leaves its range. */
    private static int part(Route r, long address, int size) {
        if (!fits(r, address, size)) return 1;
        for (int p = size >> 1; p > 1; p >>= 1) if ((r.sizes() & p) != 0) return p;
        return 1;
    }

    private static boolean fits(Route r, long address, int size) {
        return r.length() == 0 || address - r.base() + size <= r.length();
    }

    private long readPart(Route r, int vcpu, long address, int size) {
        return (r.sizes() & size) != 0 ? read(r, vcpu, address, size) : -1;
    }

    private void writePart(Route r, int vcpu, long address, int size, long value) {
        if ((r.sizes() & size) != 0) write(r, vcpu, address, size, value);
    }

    private static long mask(int size) {
        return -1L >>> 64 - 8 * size;
    }

    private long read(Route r, int vcpu, long address, int size) {
        Tenure t = tenure;
        t.begin(r.owner());
        long value;
        try {
            value = r.handler().read(vcpu, address - r.base(), size);
        } catch (Throwable e) {
            threw(r, e);
            value = -1;
        }
        t.done();
        return value;
    }

    private void write(Route r, int vcpu, long address, int size, long value) {
        Tenure t = tenure;
        t.begin(r.owner());
        try {
            r.handler().write(vcpu, address - r.base(), size, value);
        } catch (Throwable e) {
            threw(r, e);
        }
        t.done();
    }

    /** Whatever it is, checked exceptions that were smuggled out and errors of the card's own too: it is the card's affair and not the engine's. */
    private void threw(Route r, Throwable e) {
        if (e instanceof Tenure.Lost lost) throw lost;
        if (!(e instanceof RevokedException)) faults.handlerThrew(r.owner(), e);
    }
}
