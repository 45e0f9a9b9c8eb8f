package org.backplane.devicekit.test;

/** An IRQ line as the test sees it. */
public final class BenchIrq {
    private boolean level;
    private int edges;

    public boolean level() {
        return level;
    }

    /** Rising edges so far. */
    public int edges() {
        return edges;
    }

    void set(boolean l) {
        if (l && !level) edges++;
        level = l;
    }
}
