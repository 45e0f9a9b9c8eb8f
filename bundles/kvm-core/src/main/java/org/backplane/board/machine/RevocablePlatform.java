package org.backplane.board.machine;

import org.backplane.kvm.spi.device.Platform;

/** The chipset's lines as one card sees them, until it has left. Threading: as {@link Platform}. */
record RevocablePlatform(Platform board, Runnable check) implements Platform {
    @Override
    public void reset(String reason) {
        check.run();
        board.reset(reason);
    }

    @Override
    public void setA20(boolean enabled) {
        check.run();
        board.setA20(enabled);
    }

    @Override
    public boolean a20() {
        check.run();
        return board.a20();
    }

    @Override
    public void powerOff() {
        check.run();
        board.powerOff();
    }

    @Override
    public void exit(int status) {
        check.run();
        board.exit(status);
    }

    @Override
    public long ramSize() {
        check.run();
        return board.ramSize();
    }

    @Override
    public String bootOrder() {
        check.run();
        return board.bootOrder();
    }

    @Override
    public void postCode(int code) {
        check.run();
        board.postCode(code);
    }
}
