package ${package};

import org.backplane.devicekit.Access;
import org.backplane.devicekit.Field;
import org.backplane.devicekit.Register;
import org.backplane.devicekit.RegisterBank;
import org.backplane.devicekit.RegisterFile;
import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceContext;
import org.backplane.kvm.spi.device.IrqLine;
import org.backplane.kvm.spi.device.StateException;
import org.backplane.kvm.spi.device.VmClock;
import org.backplane.kvm.spi.device.VmTimer;

/** Counts periods of the VM's clock while it is enabled, and interrupts at the end of each. */
final class ${className} implements Device {
    static final int LENGTH = 0x1000;
    private static final long MILLISECOND = 1_000_000;

    private final RegisterFile file = new RegisterFile("${artifactId}");
    private final Register identification =
            file.register("identification", 32).resetValue(0x44524143).readOnly().derived();
    private final Register control =
            file.register("control", 32).bits("enable", 0).bits("interrupt", 1).onWrite(v -> controlWritten());
    private final Register status =
            file.register("status", 32).bits("elapsed", 0, 1, Access.WRITE_ONE_TO_CLEAR).onWrite(v -> updateIrq());
    private final Register period = file.register("period", 32).resetValue(1000);
    private final Register count = file.register("count", 32).readOnly();
    private final RegisterBank regs = new RegisterBank(file, LENGTH)
            .readAt(0x00, identification)
            .at(0x04, control)
            .at(0x08, status)
            .at(0x0c, period)
            .readAt(0x10, count);
    private final Field enable = control.field("enable");
    private final Field interrupt = control.field("interrupt");
    private final Field elapsed = status.field("elapsed");

    private VmClock clock;
    private VmTimer timer;
    private IrqLine irq;

    @Override
    public void attach(DeviceContext context) {
        file.attach(context);
        clock = context.clock();
        timer = context.timer("period", this::periodIsOver);
        irq = context.irq("irq");
        context.claimMmio("regs", 4, regs);
    }

    private void controlWritten() {
        if (!enable.isSet()) timer.cancel();
        else if (!timer.armed()) arm();
        updateIrq();
    }

    private void arm() {
        timer.arm(clock.nanos() + Math.max(period.value(), 1) * MILLISECOND);
    }

    private void periodIsOver() {
        count.set(count.value() + 1);
        elapsed.set(true);
        updateIrq();
        arm();
    }

    private void updateIrq() {
        irq.set(elapsed.isSet() && interrupt.isSet());
    }

    @Override
    public void reset() {
        file.reset();
        timer.cancel();
        updateIrq();
    }

    @Override
    public void save(CardState state) {
        file.save(state);
    }

    /** Registers by name. The timer's deadline is the core's and has come back already, if it was saved. */
    @Override
    public void load(CardState state) throws StateException {
        file.load(state);
        if (enable.isSet() && !timer.armed()) arm();
        updateIrq();
    }
}
