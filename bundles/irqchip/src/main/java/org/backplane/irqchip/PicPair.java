package org.backplane.irqchip;

import org.backplane.devicekit.RegisterBank;
import org.backplane.devicekit.RegisterFile;
import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceContext;
import org.backplane.kvm.spi.device.InterruptController;
import org.backplane.kvm.spi.device.StateException;

/**
 * The interrupt system of a PC/AT: GSI 0 to 7 are the master's inputs, GSI 8 to 15 the slave's, and the slave's INT is the master's input
 * 2 (an interrupt on GSI 2 itself goes nowhere, as on the board).
 *
 * <p><b>The one output.</b> Whatever changes in a chip ends in {@link #outputsChanged}, which brings the cascade and {@link #output} up
 * to date; so {@link #pending} is a field read, which the core may make at every boundary.
 *
 * <p><b>Acknowledge.</b> The core sees {@code pending} and acknowledges in one step, both INTA cycles together. When the request has gone
 * in between, the master answers with its input 7 and sets no in-service bit: the spurious interrupt. A slave's request that falls takes
 * the cascade along, so the spurious 15 of real boards, where the line falls between the two cycles, cannot come up; the slave's
 * answer for it is there all the same.
 */
final class PicPair implements Device, InterruptController {
    /** The master's input for the slave. */
    private static final int CASCADE = 2;

    private final RegisterFile file = new RegisterFile("pic");
    // Inputs 0 to 2 of the master and 8 and 13 are edge-triggered for good (EISA; ICH datasheet, ELCR1 and ELCR2).
    private final Pic master = new Pic(file, "master", 0xf8, 1 << CASCADE, this::outputsChanged);
    private final Pic slave = new Pic(file, "slave", 0xde, 0, this::outputsChanged);
    private final RegisterBank masterPorts = master.ports();
    private final RegisterBank slavePorts = slave.ports();
    private final RegisterBank elcrPorts = new RegisterBank(file, 2).at(0, master.elcr()).at(1, slave.elcr());

    /** INT of the master. */
    private boolean output;

    @Override
    public void attach(DeviceContext context) {
        file.attach(context);
        context.claimPorts("master", 1, masterPorts);
        context.claimPorts("slave", 1, slavePorts);
        context.claimPorts("elcr", 1, elcrPorts);
        context.provide(InterruptController.class, this);
    }

    /** The inputs keep their levels: they belong to the devices that drive them. */
    @Override
    public void reset() {
        file.reset();
        master.restart();
        slave.restart();
        outputsChanged();
    }

    @Override
    public void save(CardState state) {
        file.save(state);
    }

    @Override
    public void load(CardState state) throws StateException {
        file.load(state);
        outputsChanged();
    }

    // ---- InterruptController ----

    @Override
    public void setLine(int gsi, boolean level) {
        if (gsi < 8) {
            if (gsi != CASCADE && gsi >= 0) master.input(gsi, level);
        } else if (gsi < 16) {
            slave.input(gsi - 8, level);
        }
    }

    @Override
    public boolean pending(int vcpu) {
        return output;
    }

    @Override
    public int acknowledge(int vcpu) {
        int in = master.request();
        if (in < 0) return master.spuriousVector();
        master.accept(in);
        int vector = in == CASCADE && !master.single() ? acknowledgeSlave() : master.vector(in);
        outputsChanged();
        return vector;
    }

    private int acknowledgeSlave() {
        int in = slave.request();
        if (in < 0) return slave.spuriousVector();
        slave.accept(in);
        // INT of the slave falls with the acknowledge; what waits behind it makes a new edge.
        master.input(CASCADE, false);
        return slave.vector(in);
    }

    private void outputsChanged() {
        master.input(CASCADE, slave.request() >= 0);
        output = master.request() >= 0;
    }
}
