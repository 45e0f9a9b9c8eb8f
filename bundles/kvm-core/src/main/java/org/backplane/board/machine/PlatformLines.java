package org.backplane.board.machine;

import org.backplane.kvm.spi.device.Platform;

/**
 * What cards asked of the chipset and the machine's loop does at the next boundary. Set by the machine's thread inside callbacks.
 */
final class PlatformLines implements Platform {
    private final Runnable attention;
    private final long ramSize;
    private final String bootOrder;

    /** Why a reset was asked for, or null. */
    String resetReason;

    /** The status to end with, or -1. */
    int exitStatus = -1;

    String exitReason = "";
    boolean a20 = true;
    int postCode;

    /** @param attention makes the vCPU come to a boundary */
    PlatformLines(long ramSize, String bootOrder, Runnable attention) {
        this.ramSize = ramSize;
        this.bootOrder = bootOrder;
        this.attention = attention;
    }

    @Override
    public void reset(String reason) {
        resetReason = reason;
        attention.run();
    }

    @Override
    public void setA20(boolean enabled) {
        if (a20 == enabled) return;
        a20 = enabled;
        attention.run();
    }

    @Override
    public boolean a20() {
        return a20;
    }

    @Override
    public void powerOff() {
        exitStatus = 0;
        exitReason = "power off";
        attention.run();
    }

    @Override
    public void exit(int status) {
        exitStatus = status;
        exitReason = "ended by the guest with status " + status;
        attention.run();
    }

    @Override
    public long ramSize() {
        return ramSize;
    }

    @Override
    public String bootOrder() {
        return bootOrder;
    }

    @Override
    public void postCode(int code) {
        postCode = code;
    }
}
