package org.backplane.board.machine;

import java.util.function.Supplier;
import org.backplane.kvm.core.exit.IoBus;
import org.backplane.kvm.core.exit.Tenure;
import org.backplane.kvm.spi.device.InterruptController;

/**
 * Interrupt lines by GSI: lines of several cards are wired-or, and only a change of the result reaches the controller.
 *
 * <p><b>Guarantees.</b> A controller that throws is reported; for the machine it has no interrupt then, and knows nothing of the line.
 *
 * <p><b>Threading.</b> The machine's thread.
 */
final class IrqRouter {
    static final int GSIS = 24;

    private static final InterruptController NONE = new InterruptController() {
        @Override
        public void setLine(int gsi, boolean level) {}

        @Override
        public boolean pending(int vcpu) {
            return false;
        }

        @Override
        public int acknowledge(int vcpu) {
            return -1;
        }
    };

    private final int[] asserted = new int[GSIS];
    private final Runnable onInterrupt;
    private final IoBus.CardFault faults;
    private InterruptController controller = NONE;
    private String slot = "";
    private final Supplier<Tenure> tenure;

    /**
     * @param onInterrupt called when the controller has an interrupt after something changed: the vCPU should come to a boundary
     * @param faults told when the controller throws
     * @param tenure of the machine's thread
     */
    IrqRouter(Runnable onInterrupt, IoBus.CardFault faults, Supplier<Tenure> tenure) {
        this.tenure = tenure;
        this.onInterrupt = onInterrupt;
        this.faults = faults;
    }

    /** Puts the controller of a slot in service, or null for none. It is told the lines as they are, which may not be what it last saw of them. */
    void setController(InterruptController c, String slot) {
        controller = c == null ? NONE : c;
        this.slot = slot;
        for (int g = 0; g < GSIS; g++) tell(g);
    }

    boolean pending(int vcpu) {
        Tenure t = tenure.get();
        Object before = t.enter(slot);
        boolean pending = false;
        try {
            pending = controller.pending(vcpu);
        } catch (Throwable e) {
            threw(e);
        }
        t.leave(before);
        return pending;
    }

    /** The vector, or -1 if there is none after all. */
    int acknowledge(int vcpu) {
        Tenure t = tenure.get();
        Object before = t.enter(slot);
        int vector = -1;
        try {
            vector = controller.acknowledge(vcpu);
        } catch (Throwable e) {
            threw(e);
        }
        t.leave(before);
        return vector;
    }

    private void tell(int gsi) {
        Tenure t = tenure.get();
        Object before = t.enter(slot);
        try {
            controller.setLine(gsi, asserted[gsi] > 0);
        } catch (Throwable e) {
            threw(e);
        }
        t.leave(before);
    }

    private void threw(Throwable e) {
        if (e instanceof Tenure.Lost lost) throw lost;
        faults.handlerThrew(slot, e);
    }

    /** One card's line changed. */
    void change(int gsi, boolean level) {
        boolean before = asserted[gsi] > 0;
        asserted[gsi] += level ? 1 : -1;
        notifyIfChanged(gsi, before);
    }

    /**
     * A swap: the old card's levels go and the new card's come in one step, so that no edge is seen that nobody made.
     *
     * @param old GSIs that the old card asserts, one entry a line
     * @param next the same of the new card
     */
    void exchange(int[] old, int[] next) {
        boolean[] before = new boolean[GSIS];
        for (int g = 0; g < GSIS; g++) before[g] = asserted[g] > 0;
        for (int g : old) asserted[g]--;
        for (int g : next) asserted[g]++;
        for (int g = 0; g < GSIS; g++) notifyIfChanged(g, before[g]);
    }

    private void notifyIfChanged(int gsi, boolean before) {
        boolean now = asserted[gsi] > 0;
        if (now == before) return;
        tell(gsi);
        look();
    }

    /** An interrupt may be waiting: if so, the vCPU takes it as soon as it can. */
    void look() {
        if (pending(0)) onInterrupt.run();
    }
}
