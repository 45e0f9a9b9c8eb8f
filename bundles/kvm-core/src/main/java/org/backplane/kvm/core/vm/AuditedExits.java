package org.backplane.kvm.core.vm;

import static org.backplane.kvm.spi.cpu.Intercepts.EXIT;

import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.exit.ExitDispatcher;
import org.backplane.kvm.spi.exit.ForwardingDispatcher;

/**
 * The exit-dispatch bus of a VM that is audited: counts the exits served in place. In front of the bus and not in it, so that a VM without
 * an audit pays nothing. An exit answered EXIT is counted by the run loop; {@code emulate} is none.
 */
final class AuditedExits extends ForwardingDispatcher {
    private final Auditor auditor;

    AuditedExits(ExitDispatcher bus, Auditor auditor) {
        super(bus);
        this.auditor = auditor;
    }

    private int counted(int answer) {
        if (answer != EXIT) auditor.exit();
        return answer;
    }

    @Override
    public int portIn(VcpuContext v, int port, int size) {
        return counted(next.portIn(v, port, size));
    }

    @Override
    public int portOut(VcpuContext v, int port, int size, int value) {
        return counted(next.portOut(v, port, size, value));
    }

    @Override
    public int mmioRead(VcpuContext v, long gpa, int size) {
        return counted(next.mmioRead(v, gpa, size));
    }

    @Override
    public int mmioWrite(VcpuContext v, long gpa, int size, long value) {
        return counted(next.mmioWrite(v, gpa, size, value));
    }

    @Override
    public int handle(VcpuContext v) {
        return counted(next.handle(v));
    }
}
