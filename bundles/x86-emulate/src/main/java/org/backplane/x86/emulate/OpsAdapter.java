package org.backplane.x86.emulate;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.EmulateOps;
import org.backplane.kvm.spi.cpu.Emulator;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.x86.isa.exec.Cpu;
import org.backplane.x86.isa.exec.Memory;

/** {@link EmulateOps} in the shape that handlers know: memory, and the intercepts. */
final class OpsAdapter implements Memory, Intercepts {
    private static final int ACCESS_BITS = WRITE | USER | FETCH;

    /** The callbacks of the call in progress. */
    EmulateOps ops;

    /** A callback asked for a retry. */
    boolean retry;

    /** Translates a result of the callbacks into an intercept's answer. */
    int result(int r) {
        switch (r) {
            case Emulator.CONTINUE:
                return DONE;
            case Emulator.PROPAGATE_FAULT:
                return FAULT;
            case Emulator.RETRY:
                retry = true;
                return RETRY;
            default:
                return EXIT;
        }
    }

    // ---- memory ----

    @Override
    public long read(Cpu c, long gva, int size, int access) {
        int r = (access & SYSTEM) != 0
                ? ops.readStd(c.v, gva, size, access & ACCESS_BITS)
                : ops.readEmulated(c.v, gva, size, access & ACCESS_BITS);
        c.answer(result(r));
        return c.v.ioValue;
    }

    @Override
    public void write(Cpu c, long gva, int size, long value, int access) {
        long bits = value & Cpu.sizeMask(size);
        int r = (access & SYSTEM) != 0
                ? ops.writeStd(c.v, gva, size, bits, access & ACCESS_BITS)
                : ops.writeEmulated(c.v, gva, size, bits, access & ACCESS_BITS);
        c.answer(result(r));
    }

    @Override
    public long compareExchange(Cpu c, long gva, int size, long expected, long value, int access) {
        int r = ops.cmpxchgEmulated(c.v, gva, size, expected, value, access & ACCESS_BITS);
        if (r == Emulator.CMPXCHG_FAILED) return c.v.ioValue;
        c.answer(result(r));
        return expected;
    }

    /** A task's state must be writable before any of it is written. Elsewhere the one write that follows will tell. */
    @Override
    public void probeWrite(Cpu c, long gva, int access) {
        if ((access & SYSTEM) != 0) c.answer(result(ops.readStd(c.v, gva, 1, access & ACCESS_BITS)));
    }

    @Override
    public long hostForRead(Cpu c, long gva, int access) {
        return 0;
    }

    @Override
    public long hostForWrite(Cpu c, long gva, int access) {
        return 0;
    }

    // ---- instructions ----

    @Override
    public long translate(VcpuContext v, long gva, int access) {
        throw new IllegalStateException("emulateOne has no TLB");
    }

    @Override
    public int mmioRead(VcpuContext v, long gpa, int size) {
        throw new IllegalStateException("emulateOne has no TLB");
    }

    @Override
    public int mmioWrite(VcpuContext v, long gpa, int size, long value) {
        throw new IllegalStateException("emulateOne has no TLB");
    }

    @Override
    public int portIn(VcpuContext v, int port, int size) {
        return result(ops.portIn(v, port, size));
    }

    @Override
    public int portOut(VcpuContext v, int port, int size, int value) {
        return result(ops.portOut(v, port, size, value));
    }

    @Override
    public int cpuid(VcpuContext v) {
        return result(ops.cpuid(v));
    }

    @Override
    public int rdtsc(VcpuContext v) {
        return result(ops.rdtsc(v));
    }

    @Override
    public int rdmsr(VcpuContext v, int index) {
        return result(ops.rdmsr(v, index));
    }

    @Override
    public int wrmsr(VcpuContext v, int index, long value) {
        return result(ops.wrmsr(v, index, value));
    }

    @Override
    public int readCr(VcpuContext v, int cr) {
        return result(ops.readCr(v, cr));
    }

    @Override
    public int writeCr(VcpuContext v, int cr, long value) {
        return result(ops.writeCr(v, cr, value));
    }

    @Override
    public int clts(VcpuContext v) {
        return result(ops.writeCr(v, 0, v.state.cr0 & ~CpuState.CR0_TS));
    }

    /** LMSW can set PE but not clear it (SDM 2A). */
    @Override
    public int lmsw(VcpuContext v, int value) {
        return result(ops.writeCr(v, 0, v.state.cr0 & ~0xeL | value & 0xf));
    }

    @Override
    public int readDr(VcpuContext v, int dr) {
        return result(ops.readDr(v, dr));
    }

    @Override
    public int writeDr(VcpuContext v, int dr, long value) {
        return result(ops.writeDr(v, dr, value));
    }

    @Override
    public int invlpg(VcpuContext v, long gva) {
        return result(ops.invlpg(v, gva));
    }

    @Override
    public int instruction(VcpuContext v, int exitReason) {
        return result(ops.instruction(v, exitReason));
    }

    /** An exception inside an emulated instruction goes back to the caller, so nobody asks here. */
    @Override
    public int exception(VcpuContext v, int vector, int errorCode, long address) {
        return DONE;
    }

    @Override
    public int softwareException(VcpuContext v, int vector) {
        return DONE;
    }

    /** The engine traps at its own boundary. */
    @Override
    public int monitorTrap(VcpuContext v) {
        return DONE;
    }

    @Override
    public int interruptWindow(VcpuContext v) {
        return DONE;
    }

    @Override
    public int nmiWindow(VcpuContext v) {
        return DONE;
    }

    /** The handler carries it out over the callbacks. */
    @Override
    public int taskSwitch(VcpuContext v, int selector, int source) {
        return DONE;
    }

    @Override
    public int tripleFault(VcpuContext v) {
        return EXIT;
    }
}
