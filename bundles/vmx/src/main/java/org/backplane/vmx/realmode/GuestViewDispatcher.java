package org.backplane.vmx.realmode;

import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.exit.ExitDispatcher;
import org.backplane.kvm.spi.exit.ExitReasons;

/**
 * The core's exit dispatch as the backend calls it from inside the guest: whoever is called finds the guest's view of its registers, and the processor's is back
 * afterwards if the guest can go on as it was running. If it cannot ({@link RealModeUnit#stranded}), its own view stays.
 *
 * <p><b>Thread.</b> That of the vCPU.
 */
final class GuestViewDispatcher implements ExitDispatcher {
    private final RealModeUnit unit;
    private final ExitDispatcher core;

    GuestViewDispatcher(RealModeUnit unit, ExitDispatcher core) {
        this.unit = unit;
        this.core = core;
    }

    /** The answer of a call; the guest goes on unless it is EXIT. */
    private int back(int answer) {
        if (answer != Intercepts.EXIT) unit.resume();
        return answer;
    }

    @Override
    public boolean observed(int reason) {
        return core.observed(reason);
    }

    @Override
    public boolean passes(VcpuContext v) {
        unit.toGuest();
        boolean passes = core.passes(v);
        if (passes) unit.resume();
        return passes;
    }

    @Override
    public int portIn(VcpuContext v, int port, int size) {
        unit.toGuest();
        return back(core.portIn(v, port, size));
    }

    @Override
    public int portOut(VcpuContext v, int port, int size, int value) {
        unit.toGuest();
        return back(core.portOut(v, port, size, value));
    }

    @Override
    public int mmioRead(VcpuContext v, long gpa, int size) {
        unit.toGuest();
        return back(core.mmioRead(v, gpa, size));
    }

    @Override
    public int mmioWrite(VcpuContext v, long gpa, int size, long value) {
        unit.toGuest();
        return back(core.mmioWrite(v, gpa, size, value));
    }

    @Override
    public int handle(VcpuContext v) {
        boolean vm86 = unit.vm86();
        unit.toGuest();
        int answer = core.handle(v);
        if (vm86 && answer == Intercepts.RETRY && v.exit.reason == ExitReasons.EXCEPTION_NMI) unit.trapHandled(v.exit.interruptionInfo);
        // The processor would deliver an exception through an IDT.
        if (answer == Intercepts.FAULT && vm86) answer = unit.raiseByHand() ? Intercepts.RETRY : Intercepts.EXIT;
        return back(answer);
    }

    @Override
    public int rdmsr(VcpuContext v, int index) {
        return core.rdmsr(v, index);
    }

    @Override
    public int wrmsr(VcpuContext v, int index, long value) {
        return core.wrmsr(v, index, value);
    }

    @Override
    public int emulate(VcpuContext v) {
        return core.emulate(v);
    }

    @Override
    public long tsc(VcpuContext v) {
        return core.tsc(v);
    }
}
