package org.backplane.x86.emulate;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.VcpuContext;

/**
 * A {@link TestMachine} in protected mode with a GDT, an IDT whose handlers halt, and two tasks. After an exception the machine stands behind
 * the HLT of the handler at {@code HANDLERS + 16 * vector}, with the frame on the stack.
 */
final class ProtectedMachine extends TestMachine {
    static final long GDT = 0x2000, IDT = 0x2800, TSS = 0x3000, TSS2 = 0x3100, LDT = 0x3200, HANDLERS = 0x6000, CODE = 0x1000;

    /** Stacks: the one in use, the one that the TSS names for CPL 0. */
    static final long STACK = 0x9000, STACK0 = 0xa000;

    static final int CODE0 = 0x08, DATA0 = 0x10, CODE3 = 0x1b, DATA3 = 0x23, TASK = 0x28, TASK2 = 0x30, GATE = 0x38, CONFORMING = 0x40,
            CODE_16 = 0x48, LOCAL = 0x50, ABSENT = 0x58, SMALL = 0x60, EXPAND_DOWN = 0x68, TASK_GATE = 0x70, EXECUTE_ONLY = 0x80,
            READ_ONLY = 0x88, GATE_DPL0 = 0x90, SMALL_CODE = 0x98, LAST = 0x98;

    /** Exceptions that the bitmap selects leave the guest. */
    boolean leaveOnException;

    ProtectedMachine() {
        super(0x40000);
        flat32();
        s.gdtBase = GDT;
        s.gdtLimit = LAST + 7;
        s.idtBase = IDT;
        s.idtLimit = 0x7ff;
        descriptor(CODE0, 0, 0xfffff, 0xc09b);
        descriptor(DATA0, 0, 0xfffff, 0xc093);
        descriptor(CODE3, 0, 0xfffff, 0xc0fb);
        descriptor(DATA3, 0, 0xfffff, 0xc0f3);
        descriptor(TASK, TSS, 0x67, 0x8b);
        descriptor(TASK2, TSS2, 0x67, 0x89);
        gate(GDT + GATE, CODE0, 0x5000, 0xec, 2);
        descriptor(CONFORMING, 0, 0xfffff, 0xc09f);
        descriptor(CODE_16, 0, 0xffff, 0x9b);
        descriptor(LOCAL, LDT, 0xff, 0x82);
        descriptor(ABSENT, 0, 0xfffff, 0xc013);
        descriptor(SMALL, 0x8000, 0xfff, 0x4093);
        descriptor(EXPAND_DOWN, 0, 0x7fff, 0x4097);
        gate(GDT + TASK_GATE, TASK2, 0, 0xe5, 0);
        descriptor(EXECUTE_ONLY, 0, 0xfffff, 0xc099);
        descriptor(READ_ONLY, 0, 0xfffff, 0xc091);
        gate(GDT + GATE_DPL0, CODE0, 0x5000, 0x8c, 0);
        descriptor(SMALL_CODE, 0, 0x2000, 0x409b);
        for (int vector = 0; vector < 256; vector++) {
            bytes(HANDLERS + 16 * vector, "f4");
            gate(IDT + 8 * vector, CODE0, HANDLERS + 16 * vector, vector == 0x80 ? 0xee : 0x8e, 0);
        }
        s.segSel[CpuState.TR] = TASK;
        s.segBase[CpuState.TR] = TSS;
        s.segLimit[CpuState.TR] = 0x67;
        s.segAr[CpuState.TR] = 0x8b;
        put32(TSS + 4, STACK0);
        put32(TSS + 8, DATA0);
        put16(TSS + 0x66, 0x68); // no I/O bitmap
        v.exceptionBitmap = 0;
    }

    /** Writes a GDT entry; {@code ar} is in the VMX format and the limit in units of G. */
    void descriptor(int selector, long base, long limit, int ar) {
        put64(GDT + (selector & ~7), descriptor(base, limit, ar));
    }

    static long descriptor(long base, long limit, int ar) {
        return limit & 0xffff | (base & 0xffffff) << 16 | (long) (ar & 0xff) << 40 | (limit >> 16 & 15) << 48 | (long) (ar >> 12 & 15) << 52 | base >> 24 << 56;
    }

    void gate(long at, int selector, long offset, int type, int parameters) {
        put64(at, offset & 0xffff | (long) selector << 16 | (long) parameters << 32 | (long) type << 40 | offset >> 16 << 48);
    }

    @Override
    public int exception(VcpuContext v, int vector, int errorCode, long address) {
        super.exception(v, vector, errorCode, address);
        return leaveOnException ? EXIT : DONE;
    }

    /** Makes the current privilege level 3, with flat segments. */
    ProtectedMachine user() {
        s.cpl = 3;
        for (int seg = 0; seg < 6; seg++) {
            s.segSel[seg] = seg == CpuState.CS ? CODE3 : DATA3;
            s.segAr[seg] = seg == CpuState.CS ? 0xc0fb : 0xc0f3;
        }
        return this;
    }

    /** Runs code at {@link #CODE} until something halts. */
    ProtectedMachine go(String hex) {
        code(CODE, hex);
        runToHalt();
        return this;
    }

    /** The vector whose handler halted, or -1. */
    int vector() {
        long n = s.rip - HANDLERS - 1;
        return n >= 0 && n < 256 * 16 && (n & 15) == 0 ? (int) n >> 4 : -1;
    }

    /** A double word of the stack, counted from its top. */
    long stack(int n) {
        return get32(s.segBase[CpuState.SS] + s.gpr[CpuState.RSP] + 4L * n);
    }
}
