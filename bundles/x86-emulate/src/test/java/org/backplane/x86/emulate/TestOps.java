package org.backplane.x86.emulate;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.EmulateOps;
import org.backplane.kvm.spi.cpu.Emulator;
import org.backplane.kvm.spi.cpu.HostMemory;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.VcpuContext;

/** The callbacks of {@code emulateOne} over a {@link TestMachine}'s memory, byte by byte. */
final class TestOps implements EmulateOps {
    private final TestMachine m;

    TestOps(TestMachine m) {
        this.m = m;
    }

    private long host(VcpuContext v, long gva, int access) {
        long host = m.translate(v, gva & 0xffffffffL, access);
        if (host == Intercepts.T_MMIO) host = 0;
        return host;
    }

    @Override
    public int readStd(VcpuContext v, long gva, int size, int access) {
        long value = 0;
        for (int n = size - 1; n >= 0; n--) {
            long host = host(v, gva + n, access);
            if (host < 0) return Emulator.PROPAGATE_FAULT;
            if (host == 0) return Emulator.UNHANDLEABLE;
            value = value << 8 | HostMemory.getByte(host) & 0xff;
        }
        v.ioValue = value;
        return Emulator.CONTINUE;
    }

    @Override
    public int writeStd(VcpuContext v, long gva, int size, long value, int access) {
        for (int n = 0; n < size; n++) {
            long host = host(v, gva + n, access);
            if (host < 0) return Emulator.PROPAGATE_FAULT;
            if (host == 0) return Emulator.UNHANDLEABLE;
        }
        for (int n = 0; n < size; n++) HostMemory.putByte(host(v, gva + n, access), (byte) (value >> 8 * n));
        return Emulator.CONTINUE;
    }

    @Override
    public int readEmulated(VcpuContext v, long gva, int size, int access) {
        return readStd(v, gva, size, access);
    }

    @Override
    public int writeEmulated(VcpuContext v, long gva, int size, long value, int access) {
        return writeStd(v, gva, size, value, access);
    }

    @Override
    public int cmpxchgEmulated(VcpuContext v, long gva, int size, long expected, long value, int access) {
        int r = readStd(v, gva, size, access);
        if (r != Emulator.CONTINUE) return r;
        if (v.ioValue != expected) return Emulator.CMPXCHG_FAILED;
        return writeStd(v, gva, size, value, access);
    }

    private static int result(int answer) {
        return answer == Intercepts.DONE ? Emulator.CONTINUE : Emulator.PROPAGATE_FAULT;
    }

    @Override
    public int portIn(VcpuContext v, int port, int size) {
        return result(m.portIn(v, port, size));
    }

    @Override
    public int portOut(VcpuContext v, int port, int size, int value) {
        return result(m.portOut(v, port, size, value));
    }

    @Override
    public int readCr(VcpuContext v, int cr) {
        return result(m.readCr(v, cr));
    }

    @Override
    public int writeCr(VcpuContext v, int cr, long value) {
        return result(m.writeCr(v, cr, value));
    }

    @Override
    public int readDr(VcpuContext v, int dr) {
        return result(m.readDr(v, dr));
    }

    @Override
    public int writeDr(VcpuContext v, int dr, long value) {
        return result(m.writeDr(v, dr, value));
    }

    @Override
    public int rdmsr(VcpuContext v, int index) {
        return result(m.rdmsr(v, index));
    }

    @Override
    public int wrmsr(VcpuContext v, int index, long value) {
        return result(m.wrmsr(v, index, value));
    }

    @Override
    public int cpuid(VcpuContext v) {
        return result(m.cpuid(v));
    }

    @Override
    public int rdtsc(VcpuContext v) {
        return result(m.rdtsc(v));
    }

    @Override
    public int invlpg(VcpuContext v, long gva) {
        return result(m.invlpg(v, gva));
    }

    @Override
    public int instruction(VcpuContext v, int exitReason) {
        if (exitReason == 12) v.state.activity = CpuState.HLT;
        return Emulator.CONTINUE;
    }
}
