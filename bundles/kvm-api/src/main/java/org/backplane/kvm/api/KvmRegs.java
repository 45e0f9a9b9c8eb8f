package org.backplane.kvm.api;

/** General registers in the order of their encoding (RAX RCX RDX RBX RSP RBP RSI RDI R8–R15), RIP and RFLAGS. */
public final class KvmRegs {
    public static final int RAX = 0, RCX = 1, RDX = 2, RBX = 3, RSP = 4, RBP = 5, RSI = 6, RDI = 7;
    public final long[] gpr = new long[16];
    public long rip;
    public long rflags = 2;
}
