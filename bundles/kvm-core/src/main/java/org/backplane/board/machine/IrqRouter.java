package org.backplane.board.machine;

import org.backplane.kvm.core.exit.IoBus;
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

    /**
     * @param onInterrupt called when the controller has an interrupt after something changed: the vCPU should come to a boundary
     * @param faults told when the controller throws
     */
    IrqRouter(Runnable onInterrupt, IoBus.CardFault faults) {
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
        try {
            return controller.pending(vcpu);
        } catch (RuntimeException | LinkageError | AssertionError | StackOverflowError e) {
            faults.handlerThrew(slot, e);
            return false;
        }
    }

    /** The vector, or -1 if there is none after all. */
    int acknowledge(int vcpu) {
        try {
            return controller.acknowledge(vcpu);
        } catch (RuntimeException | LinkageError | AssertionError | StackOverflowError e) {
            faults.handlerThrew(slot, e);
            return -1;
        }
    }

    private void tell(int gsi) {
        try {
            controller.setLine(gsi, asserted[gsi] > 0);
        } catch (RuntimeException | LinkageError | AssertionError | StackOverflowError e) {
            faults.handlerThrew(slot, e);
        }
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
