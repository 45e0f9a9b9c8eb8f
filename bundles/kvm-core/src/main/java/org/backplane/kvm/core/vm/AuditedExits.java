package org.backplane.kvm.core.vm;

import static org.backplane.kvm.spi.cpu.Intercepts.EXIT;

import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.exit.ExitDispatcher;

/**
 * The exit-dispatch bus of a VM that is audited: counts the exits served in place. In front of the bus and not in it, so that a VM without
 * an audit pays nothing. An exit answered EXIT is counted by the run loop.
 */
final class AuditedExits implements ExitDispatcher {
    private final ExitDispatcher bus;
    private final Auditor auditor;

    AuditedExits(ExitDispatcher bus, Auditor auditor) {
        this.bus = bus;
        this.auditor = auditor;
    }

    private int counted(int answer) {
        if (answer != EXIT) auditor.exit();
        return answer;
    }

    @Override
    public boolean observed(int reason) {
        return bus.observed(reason);
    }

    @Override
    public boolean passes(VcpuContext v) {
        return bus.passes(v);
    }

    @Override
    public int portIn(VcpuContext v, int port, int size) {
        return counted(bus.portIn(v, port, size));
    }

    @Override
    public int portOut(VcpuContext v, int port, int size, int value) {
        return counted(bus.portOut(v, port, size, value));
    }

    @Override
    public int mmioRead(VcpuContext v, long gpa, int size) {
        return counted(bus.mmioRead(v, gpa, size));
    }

    @Override
    public int mmioWrite(VcpuContext v, long gpa, int size, long value) {
        return counted(bus.mmioWrite(v, gpa, size, value));
    }

    @Override
    public int handle(VcpuContext v) {
        return counted(bus.handle(v));
    }

    @Override
    public int rdmsr(VcpuContext v, int index) {
        return bus.rdmsr(v, index);
    }

    @Override
    public int wrmsr(VcpuContext v, int index, long value) {
        return bus.wrmsr(v, index, value);
    }

    /** No exit, so it is not counted. */
    @Override
    public int emulate(VcpuContext v) {
        return bus.emulate(v);
    }

    @Override
    public long tsc(VcpuContext v) {
        return bus.tsc(v);
    }
}
