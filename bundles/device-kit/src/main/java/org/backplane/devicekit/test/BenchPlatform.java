package org.backplane.devicekit.test;

import java.util.ArrayList;
import java.util.List;
import org.backplane.kvm.spi.device.Platform;

/** The chipset lines: keeps what the device did with them. */
public final class BenchPlatform {
    private final List<String> resets = new ArrayList<>();
    private final List<Integer> postCodes = new ArrayList<>();
    private final List<Integer> exits = new ArrayList<>();
    private int powerOffs;
    private boolean a20 = true;
    private long ramSize = 128L << 20;
    private String bootOrder = "a";

    /** Reasons of the resets asked for. */
    public List<String> resets() {
        return resets;
    }

    public List<Integer> postCodes() {
        return postCodes;
    }

    /** Exit statuses asked for. */
    public List<Integer> exits() {
        return exits;
    }

    public int powerOffs() {
        return powerOffs;
    }

    public boolean a20() {
        return a20;
    }

    /** In bytes; 128 MiB unless set. */
    public void ramSize(long bytes) {
        ramSize = bytes;
    }

    public void bootOrder(String order) {
        bootOrder = order;
    }

    Platform lines(DeviceBench.Context context) {
        return new Platform() {
            @Override
            public void reset(String reason) {
                context.check();
                resets.add(reason);
            }

            @Override
            public void setA20(boolean enabled) {
                context.check();
                a20 = enabled;
            }

            @Override
            public boolean a20() {
                context.check();
                return a20;
            }

            @Override
            public void powerOff() {
                context.check();
                powerOffs++;
            }

            @Override
            public void exit(int status) {
                context.check();
                exits.add(status);
            }

            @Override
            public long ramSize() {
                context.check();
                return ramSize;
            }

            @Override
            public String bootOrder() {
                context.check();
                return bootOrder;
            }

            @Override
            public void postCode(int code) {
                context.check();
                postCodes.add(code);
            }
        };
    }
}
