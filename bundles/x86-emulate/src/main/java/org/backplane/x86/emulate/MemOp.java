package org.backplane.x86.emulate;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.x86.isa.Insn;
import org.backplane.x86.isa.exec.Cpu;

/**
 * The address of a memory operand, shared by elements ({@link MemOp}) and ends.
 *
 * <p>A segment number of {@link #FLAT_SEGMENT} means: base 0, limit 4 GiB, access allowed, as the block's mode guarantees.
 */
abstract class MemOp extends Op {
    static final int FLAT_SEGMENT = -1;

    final int base, indexRegister, scale, segment;
    final long displacement, wrap;

    MemOp(Insn i, int mode) {
        base = i.base;
        indexRegister = i.indexRegister;
        scale = i.scale;
        displacement = i.displacement;
        wrap = i.addressSize == 2 ? 0xffff : 0xffffffffL;
        segment = segment(i, mode);
    }

    static int segment(Insn i, int mode) {
        int seg = i.segment;
        boolean flat = (mode & Cpu.FLAT) != 0 && (seg == CpuState.DS || seg == CpuState.ES || seg == CpuState.SS);
        return flat ? FLAT_SEGMENT : seg;
    }

    /** Whether the operand is [register + displacement] in a flat segment: such elements have shorter forms. */
    static boolean simple(Insn i, int mode) {
        return i.addressSize == 4 && i.base >= 0 && i.indexRegister < 0 && segment(i, mode) == FLAT_SEGMENT;
    }

    /** Linear address for a read of so many bytes. */
    final long forRead(Cpu c, int size) {
        return address(c, size, false);
    }

    /** Linear address for a write, or for a read-modify-write. */
    final long forWrite(Cpu c, int size) {
        return address(c, size, true);
    }

    private long address(Cpu c, int size, boolean write) {
        long[] g = c.gpr;
        long a = displacement;
        if (base >= 0) a += g[base];
        if (indexRegister >= 0) a += g[indexRegister] << scale;
        a &= wrap;
        return segment == FLAT_SEGMENT ? a : segmented(c, a, size, write);
    }

    private long segmented(Cpu c, long a, int size, boolean write) {
        c.at(this);
        return c.linear(segment, a, size, write);
    }
}
