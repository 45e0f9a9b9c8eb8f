package org.backplane.kvm.spi.exit;

import org.backplane.kvm.spi.cpu.VcpuContext;
import org.osgi.annotation.versioning.ProviderType;

/** An {@link ExitDispatcher} in front of another one, to which it hands every call that a subclass does not take. */
@ProviderType
public abstract class ForwardingDispatcher implements ExitDispatcher {
    /** Where the calls go. */
    protected final ExitDispatcher next;

    protected ForwardingDispatcher(ExitDispatcher next) {
        this.next = next;
    }

    @Override
    public boolean observed(int reason) {
        return next.observed(reason);
    }

    @Override
    public boolean passes(VcpuContext v) {
        return next.passes(v);
    }

    @Override
    public int portIn(VcpuContext v, int port, int size) {
        return next.portIn(v, port, size);
    }

    @Override
    public int portOut(VcpuContext v, int port, int size, int value) {
        return next.portOut(v, port, size, value);
    }

    @Override
    public int mmioRead(VcpuContext v, long gpa, int size) {
        return next.mmioRead(v, gpa, size);
    }

    @Override
    public int mmioWrite(VcpuContext v, long gpa, int size, long value) {
        return next.mmioWrite(v, gpa, size, value);
    }

    @Override
    public int handle(VcpuContext v) {
        return next.handle(v);
    }

    @Override
    public int rdmsr(VcpuContext v, int index) {
        return next.rdmsr(v, index);
    }

    @Override
    public int wrmsr(VcpuContext v, int index, long value) {
        return next.wrmsr(v, index, value);
    }

    @Override
    public int emulate(VcpuContext v) {
        return next.emulate(v);
    }

    @Override
    public long tsc(VcpuContext v) {
        return next.tsc(v);
    }
}
