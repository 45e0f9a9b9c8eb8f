package org.backplane.board.machine;

import org.backplane.kvm.spi.device.VmClock;

/** The virtual clock as one card sees it, until it has left. Threading: as {@link VmClock}. */
record RevocableClock(VmClock board, Runnable check) implements VmClock {
    @Override
    public long nanos() {
        check.run();
        return board.nanos();
    }

    @Override
    public long wallBaseMillis() {
        check.run();
        return board.wallBaseMillis();
    }
}
