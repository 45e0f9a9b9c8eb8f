package org.backplane.x86.isa.exec;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.Intercepts;

/**
 * A stack that an event or a gate is about to use: pushes go to memory, but no register changes until {@link #commit}. One
 * belongs to each {@link Cpu} and is set up anew each time.
 */
final class Frame {
    private int selector, ar, access;
    private boolean inner;
    private long base, limit, sp, mask;

    /** The current stack. */
    void current(Cpu c) {
        CpuState s = c.s;
        inner = false;
        selector = 0;
        base = s.segBase[CpuState.SS];
        limit = s.segLimit[CpuState.SS];
        ar = s.segAr[CpuState.SS];
        sp = s.gpr[CpuState.RSP];
        access = Intercepts.WRITE | (s.cpl == 3 ? Intercepts.USER : 0);
        mask = c.stackMask();
    }

    /** Another stack, for privilege level {@code cpl}. Its descriptor is checked. */
    void inner(int newSelector, long descriptor, long newSp, int cpl) {
        inner = true;
        selector = newSelector;
        base = Segments.base(descriptor);
        limit = Segments.limit(descriptor);
        ar = Segments.rights(descriptor);
        sp = newSp;
        access = Intercepts.WRITE | (cpl == 3 ? Intercepts.USER : 0);
        mask = (ar & CpuState.AR_DB) != 0 ? 0xffffffffL : 0xffff;
    }

    void push(Cpu c, int size, long value) {
        long at = sp - size & mask;
        boolean expandDown = (ar & 0xc) == 4;
        boolean bad = expandDown ? at <= limit || at + size - 1 > mask : at + size - 1 > limit && limit != 0xffffffffL;
        if (bad) throw inner ? c.selectorFault(Cpu.SS, selector) : c.fault(Cpu.SS, c.ext);
        long gva = base + at & 0xffffffffL;
        c.watchImplicit(gva, size, true);
        c.memory.write(c, gva, size, value, access);
        sp = at;
    }

    /** Makes the pushes the stack; an inner stack segment must be set by the caller first. */
    void commit(Cpu c) {
        long[] g = c.gpr;
        g[CpuState.RSP] = g[CpuState.RSP] & ~mask & 0xffffffffL | sp & mask;
    }
}
