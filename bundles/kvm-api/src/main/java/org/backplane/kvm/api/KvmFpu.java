package org.backplane.kvm.api;

/** x87 and SSE state, {@code struct kvm_fpu}: {@code fpr} in stack order, 10 bytes of 16 each. */
public final class KvmFpu {
    public final byte[][] fpr = new byte[8][16];
    public int fcw, fsw;

    /** Abridged tag word, as FXSAVE has it: bit n for physical register n, 1 means in use. */
    public int ftwx;

    public int lastOpcode;
    public long lastIp, lastDp;
    public final byte[][] xmm = new byte[16][16];
    public int mxcsr;
}
