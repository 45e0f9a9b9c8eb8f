package org.backplane.kvm.core.vm;

/**
 * What surrounds a VM: the board with its cards, or nothing. Called on the vCPU's thread.
 *
 * <p>A VM whose host is {@link #NONE} is one that a caller of the KVM API drives by hand: every port and MMIO access and HLT goes to
 * the caller.
 */
public interface VmHost {
    /** Nobody: the caller of {@code Vcpu.run} serves all exits. */
    VmHost NONE = new VmHost() {
        @Override
        public boolean servesExits() {
            return false;
        }

        @Override
        public boolean interruptPending(int vcpu) {
            return false;
        }

        @Override
        public int acknowledgeInterrupt(int vcpu) {
            throw new IllegalStateException("no interrupt controller");
        }

        @Override
        public void boundary() {}

        @Override
        public long instructionBudget() {
            return 100_000;
        }

        @Override
        public boolean exactBudget() {
            return false;
        }

        @Override
        public void idle() {}

        @Override
        public void wake() {}

        @Override
        public long tscNanos() {
            return System.nanoTime();
        }
    };

    /** Ports, MMIO and HLT are served here; otherwise they go to the caller of {@code run}. */
    boolean servesExits();

    /** The interrupt controller has an interrupt for this vCPU. */
    boolean interruptPending(int vcpu);

    /** Acknowledges it, once; the vector is the core's from now. -1 if there is none after all. */
    int acknowledgeInterrupt(int vcpu);

    /** The vCPU is at a boundary: run timers that are due, tasks that were posted. */
    void boundary();

    /** Instructions until the next boundary must come. */
    long instructionBudget();

    boolean exactBudget();

    /** The vCPU halted: wait until something may have happened, a few milliseconds at most, or until {@code leave}. */
    void idle();

    /** Ends {@link #idle} early; called from any thread. */
    void wake();

    /** Source of the TSC, 1 GHz. */
    long tscNanos();
}
