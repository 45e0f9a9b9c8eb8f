package org.backplane.kvm.core.vm;

import static org.backplane.kvm.spi.cpu.Emulator.CMPXCHG_FAILED;
import static org.backplane.kvm.spi.cpu.Emulator.CONTINUE;
import static org.backplane.kvm.spi.cpu.Emulator.PROPAGATE_FAULT;
import static org.backplane.kvm.spi.cpu.Emulator.RETRY;
import static org.backplane.kvm.spi.cpu.Emulator.UNHANDLEABLE;

import org.backplane.kvm.core.cpu.Msrs;
import org.backplane.kvm.spi.cpu.EmulateOps;
import org.backplane.kvm.spi.cpu.HostMemory;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.SoftTlb;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.exit.ExitReasons;

/**
 * The world of {@code emulateOne}: gva → gpa by the MMU, memory through the one door, ports and MMIO over the exit bus, control
 * registers by the same handlers that serve exits.
 *
 * <p>An access that crosses a page, or from RAM into MMIO, is split at the border, and its parts into aligned pieces; both pages are translated
 * before anything is written.
 */
final class EmulationOps implements EmulateOps {
    private final VcpuExits exits;
    private final KvmVm vm;
    private final Msrs msrs;

    EmulationOps(VcpuExits exits, KvmVm vm, Msrs msrs) {
        this.exits = exits;
        this.vm = vm;
        this.msrs = msrs;
    }

    @Override
    public int readStd(VcpuContext v, long gva, int size, int access) {
        return readEmulated(v, gva, size, access);
    }

    @Override
    public int writeStd(VcpuContext v, long gva, int size, long value, int access) {
        return writeEmulated(v, gva, size, value, access);
    }

    @Override
    public int readEmulated(VcpuContext v, long gva, int size, int access) {
        int first = Math.min(size, 4096 - ((int) gva & 4095));
        long gpa = vm.mmu().gvaToGpa(v, gva, access);
        if (gpa < 0) return fault(v, gva);
        if (first == size) return readPhysical(v, gpa, size);
        long gpa2 = vm.mmu().gvaToGpa(v, next(v, gva, first), access);
        if (gpa2 < 0) return fault(v, next(v, gva, first));
        int r = readPart(v, gpa, first);
        if (r != CONTINUE) return r;
        long low = v.ioValue;
        r = readPart(v, gpa2, size - first);
        v.ioValue = low | v.ioValue << 8 * first;
        return r;
    }

    @Override
    public int writeEmulated(VcpuContext v, long gva, int size, long value, int access) {
        int write = access | Intercepts.WRITE;
        int first = Math.min(size, 4096 - ((int) gva & 4095));
        long gpa = vm.mmu().gvaToGpa(v, gva, write);
        if (gpa < 0) return fault(v, gva);
        if (first == size) return writePhysical(v, gpa, size, value);
        long gpa2 = vm.mmu().gvaToGpa(v, next(v, gva, first), write);
        if (gpa2 < 0) return fault(v, next(v, gva, first));
        int r = writePart(v, gpa, first, value);
        return r == CONTINUE ? writePart(v, gpa2, size - first, value >>> 8 * first) : r;
    }

    /** Atomic in memory. To a device, to a ROM and across pages it is a read and a write. */
    @Override
    public int cmpxchgEmulated(VcpuContext v, long gva, int size, long expected, long value, int access) {
        long gpa = vm.mmu().gvaToGpa(v, gva, access | Intercepts.WRITE);
        if (gpa < 0) return fault(v, gva);
        long host = vm.memory().host(gpa);
        if (host == 0 || ((int) gva & 4095) + size > 4096 || vm.memory().readOnly(gpa >>> 12)) {
            return exchange(v, gva, size, expected, value, access);
        }
        vm.memory().beforeWrite(gpa, size);
        long found = HostMemory.compareAndExchange(host, size, expected, value);
        if (found == (expected & mask(size))) return CONTINUE;
        v.ioValue = found;
        return CMPXCHG_FAILED;
    }

    private static long mask(int size) {
        return -1L >>> 64 - 8 * size;
    }

    private int exchange(VcpuContext v, long gva, int size, long expected, long value, int access) {
        int r = readEmulated(v, gva, size, access | Intercepts.WRITE);
        if (r != CONTINUE) return r;
        if (v.ioValue != (expected & mask(size))) return CMPXCHG_FAILED;
        return writeEmulated(v, gva, size, value, access);
    }

    private int readPhysical(VcpuContext v, long gpa, int size) {
        if (vm.memory().frame(gpa >>> 12) == 0) return answer(exits.mmioRead(v, gpa, size));
        v.ioValue = vm.memory().read(gpa, size);
        return CONTINUE;
    }

    /** Reads the 1 to 7 bytes of an access that lie in one page. */
    private int readPart(VcpuContext v, long gpa, int size) {
        long value = 0;
        for (int done = 0, n; done < size; done += n) {
            n = piece(gpa + done, size - done);
            int r = readPhysical(v, gpa + done, n);
            if (r != CONTINUE) return r;
            value |= v.ioValue << 8 * done;
        }
        v.ioValue = value;
        return CONTINUE;
    }

    private int writePart(VcpuContext v, long gpa, int size, long value) {
        for (int done = 0, n; done < size; done += n) {
            n = piece(gpa + done, size - done);
            int r = writePhysical(v, gpa + done, n, value >>> 8 * done & mask(n));
            if (r != CONTINUE) return r;
        }
        return CONTINUE;
    }

    /** The longest aligned piece of 1, 2 or 4 bytes at an address. */
    private static int piece(long gpa, int left) {
        if ((gpa & 3) == 0 && left >= 4) return 4;
        return (gpa & 1) == 0 && left >= 2 ? 2 : 1;
    }

    private int writePhysical(VcpuContext v, long gpa, int size, long value) {
        if (vm.memory().frame(gpa >>> 12) == 0) return answer(exits.mmioWrite(v, gpa, size, value));
        vm.memory().write(gpa, size, value);
        return CONTINUE;
    }

    private static long next(VcpuContext v, long gva, int bytes) {
        return v.state.codeBits() == 64 ? gva + bytes : gva + bytes & 0xffffffffL;
    }

    private static int fault(VcpuContext v, long gva) {
        v.state.cr2 = gva;
        v.faultVector = 14;
        return PROPAGATE_FAULT;
    }

    /** From the terms of an intercept to those of the emulator; an exit for the caller means: leave, and run it again. */
    private static int answer(int intercept) {
        return switch (intercept) {
            case Intercepts.DONE -> CONTINUE;
            case Intercepts.FAULT -> PROPAGATE_FAULT;
            default -> RETRY;
        };
    }

    @Override
    public int portIn(VcpuContext v, int port, int size) {
        return answer(exits.portIn(v, port, size));
    }

    @Override
    public int portOut(VcpuContext v, int port, int size, int value) {
        return answer(exits.portOut(v, port, size, value));
    }

    @Override
    public int readCr(VcpuContext v, int cr) {
        return answer(exits.readCr(cr));
    }

    @Override
    public int writeCr(VcpuContext v, int cr, long value) {
        return answer(exits.writeCr(cr, value));
    }

    @Override
    public int readDr(VcpuContext v, int dr) {
        return answer(exits.readDr(dr));
    }

    @Override
    public int writeDr(VcpuContext v, int dr, long value) {
        return answer(exits.writeDr(dr, value));
    }

    @Override
    public int rdmsr(VcpuContext v, int index) {
        if (!msrs.read(index)) return answer(v.fault(13, 0));
        v.ioValue = msrs.value;
        return CONTINUE;
    }

    @Override
    public int wrmsr(VcpuContext v, int index, long value) {
        return msrs.write(index, value) ? CONTINUE : answer(v.fault(13, 0));
    }

    @Override
    public int cpuid(VcpuContext v) {
        return answer(exits.cpuid());
    }

    @Override
    public int rdtsc(VcpuContext v) {
        v.ioValue = msrs.tsc();
        return CONTINUE;
    }

    @Override
    public int invlpg(VcpuContext v, long gva) {
        vm.mmu().invlpg(v, gva);
        v.tlb.flush(SoftTlb.Flush.ADDRESS, v.state.pcid(), gva);
        return CONTINUE;
    }

    @Override
    public int instruction(VcpuContext v, int exitReason) {
        switch (exitReason) {
            case ExitReasons.HLT -> v.state.activity = org.backplane.kvm.spi.cpu.CpuState.HLT;
            // These would exit only if a control said so; the handlers do the rest.
            case ExitReasons.INVD, ExitReasons.WBINVD, ExitReasons.PAUSE, ExitReasons.RDPMC, ExitReasons.GDTR_IDTR, ExitReasons.LDTR_TR -> {}
            default -> {
                int answer = exits.unconditional(exitReason);
                return answer == Intercepts.EXIT ? UNHANDLEABLE : answer(answer);
            }
        }
        return CONTINUE;
    }
}
