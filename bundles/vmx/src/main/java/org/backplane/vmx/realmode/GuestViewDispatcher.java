package org.backplane.vmx.realmode;

import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.exit.ExitDispatcher;
import org.backplane.kvm.spi.exit.ExitReasons;
import org.backplane.kvm.spi.exit.ForwardingDispatcher;

/**
 * The core's exit dispatch as the backend calls it from inside the guest: whoever is called finds the guest's view of its registers, and the processor's is back
 * afterwards if the guest can go on as it was running. If it cannot ({@link RealModeUnit#stranded}), its own view stays.
 *
 * <p><b>Thread.</b> That of the vCPU.
 */
final class GuestViewDispatcher extends ForwardingDispatcher {
    private final RealModeUnit unit;

    GuestViewDispatcher(RealModeUnit unit, ExitDispatcher core) {
        super(core);
        this.unit = unit;
    }

    /** The answer of a call; the guest goes on unless it is EXIT. */
    private int back(int answer) {
        if (answer != Intercepts.EXIT) unit.resume();
        return answer;
    }

    @Override
    public boolean passes(VcpuContext v) {
        unit.toGuest();
        boolean passes = next.passes(v);
        if (passes) unit.resume();
        return passes;
    }

    @Override
    public int portIn(VcpuContext v, int port, int size) {
        unit.toGuest();
        return back(next.portIn(v, port, size));
    }

    @Override
    public int portOut(VcpuContext v, int port, int size, int value) {
        unit.toGuest();
        return back(next.portOut(v, port, size, value));
    }

    @Override
    public int mmioRead(VcpuContext v, long gpa, int size) {
        unit.toGuest();
        return back(next.mmioRead(v, gpa, size));
    }

    @Override
    public int mmioWrite(VcpuContext v, long gpa, int size, long value) {
        unit.toGuest();
        return back(next.mmioWrite(v, gpa, size, value));
    }

    @Override
    public int handle(VcpuContext v) {
        boolean vm86 = unit.vm86();
        unit.toGuest();
        int answer = next.handle(v);
        if (vm86 && answer == Intercepts.RETRY && v.exit.reason == ExitReasons.EXCEPTION_NMI) unit.trapHandled(v.exit.interruptionInfo);
        // The processor would deliver an exception through an IDT.
        if (answer == Intercepts.FAULT && vm86) answer = unit.raiseByHand() ? Intercepts.RETRY : Intercepts.EXIT;
        return back(answer);
    }
}
