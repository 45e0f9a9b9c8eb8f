package org.backplane.x86.emulate;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.Emulator;
import org.backplane.kvm.spi.cpu.HostMemory;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.SoftTlb;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.mmu.FrameTable;
import org.backplane.kvm.spi.mmu.VmMemory;

/**
 * A machine with nothing but RAM, one vCPU and the interpreter: intercepts that never exit, a two-level page walk when CR0.PG is
 * set, ports that are logged, MMIO above RAM. Exceptions that the guest meets are logged too.
 */
class TestMachine implements VmMemory, Intercepts, AutoCloseable {
    final VcpuContext v;
    final CpuState s;
    final Interpreter emulator;
    final List<String> log = new ArrayList<>();

    /** Answer of the next port reads. */
    int portValue = 0xff;

    /** What MMIO reads give; MMIO writes go to the log. */
    long mmioValue = 0x11223344;

    private final Arena arena = Arena.ofConfined();
    private final FrameTable frames = new FrameTable();
    private final long ram, pages, firstFrame;

    TestMachine(long bytes) {
        ram = arena.allocate(bytes, 4096).address();
        pages = bytes >> 12;
        firstFrame = frames.map(ram, pages);
        v = new VcpuContext(0, this, null);
        s = v.state;
        s.reset();
        v.intercepts = this;
        emulator = new Interpreter(this);
    }

    @Override
    public void close() {
        emulator.close();
        frames.close();
        arena.close();
    }

    // ---- set-up ----

    /** Flat 32-bit protected mode at CPL 0, stack at 0x9000, as a boot loader leaves it. */
    TestMachine flat32() {
        s.cr0 |= CpuState.CR0_PE;
        for (int seg = 0; seg < 6; seg++) {
            s.segSel[seg] = seg == CpuState.CS ? 8 : 16;
            s.segBase[seg] = 0;
            s.segLimit[seg] = 0xffffffffL;
            s.segAr[seg] = seg == CpuState.CS ? 0xc09b : 0xc093;
        }
        s.gpr[CpuState.RSP] = 0x9000;
        return this;
    }

    /** Real mode with all segments at 0 and the stack at 0x8000. */
    TestMachine real16() {
        for (int seg = 0; seg < 6; seg++) {
            s.segSel[seg] = 0;
            s.segBase[seg] = 0;
        }
        s.gpr[CpuState.RSP] = 0x8000;
        return this;
    }

    /** Puts code at an address and RIP on it. The bytes are given in hexadecimal. */
    TestMachine code(long at, String hex) {
        bytes(at, hex);
        s.rip = at - s.segBase[CpuState.CS];
        return this;
    }

    TestMachine bytes(long at, String hex) {
        String h = hex.replace(" ", "");
        for (int i = 0; i < h.length(); i += 2) {
            write(at + i / 2, 1, Integer.parseInt(h.substring(i, i + 2), 16));
        }
        return this;
    }

    void put32(long at, long value) {
        HostMemory.putInt(ram + at, (int) value);
    }

    void put16(long at, int value) {
        HostMemory.putShort(ram + at, (short) value);
    }

    void put64(long at, long value) {
        HostMemory.putLong(ram + at, value);
    }

    long get32(long at) {
        return HostMemory.getInt(ram + at) & 0xffffffffL;
    }

    int get16(long at) {
        return HostMemory.getShort(ram + at) & 0xffff;
    }

    int get8(long at) {
        return HostMemory.getByte(ram + at) & 0xff;
    }

    long hostAddress(long gpa) {
        return ram + gpa;
    }

    // ---- running ----

    /** Runs exactly so many instructions. */
    int run(long instructions) {
        v.leave = false;
        return emulator.run(v, instructions, true);
    }

    /** Runs until HLT, at most 10 million instructions. */
    int runToHalt() {
        v.leave = false;
        s.activity = CpuState.ACTIVE;
        return emulator.run(v, 10_000_000, false);
    }

    long reg(int n) {
        return s.gpr[n];
    }

    // ---- memory ----

    @Override
    public FrameTable frames() {
        return frames;
    }

    @Override
    public long frame(long gfn) {
        return gfn >= 0 && gfn < pages ? firstFrame + gfn : 0;
    }

    @Override
    public long host(long gpa) {
        return gpa >= 0 && gpa < pages << 12 ? ram + gpa : 0;
    }

    @Override
    public boolean readOnly(long gfn) {
        return false;
    }

    @Override
    public boolean dirtyLogged(long gfn) {
        return false;
    }

    @Override
    public void markDirty(long gfn) {}

    @Override
    public List<Slot> slots() {
        return List.of(new Slot(0, 0, pages, firstFrame, false, false));
    }

    @Override
    public long read(long gpa, int size) {
        return HostMemory.get(ram + gpa, size);
    }

    @Override
    public void write(long gpa, int size, long value) {
        beforeWrite(gpa, size);
        HostMemory.put(ram + gpa, size, value);
    }

    @Override
    public void write(long gpa, byte[] from, int offset, int length) {
        beforeWrite(gpa, length);
        HostMemory.copy(from, offset, ram + gpa, length);
    }

    @Override
    public void read(long gpa, byte[] to, int offset, int length) {
        HostMemory.copy(ram + gpa, to, offset, length);
    }

    @Override
    public void beforeWrite(long gpa, int length) {
        if (frames.codeMask(frame(gpa >> 12)) != 0) emulator.codeWritten(frame(gpa >> 12), (int) gpa & 0xfff, length);
    }

    // ---- paging ----

    /** Bit 63 of an answer: not writable. */
    private static final long READ_ONLY = 1L << 62;

    private long walk(long gva, int access) {
        boolean user = (access & USER) != 0, write = (access & WRITE) != 0;
        int code = access & (WRITE | USER);
        long pde = entry((s.cr3 & ~0xfffL) + (gva >>> 22) * 4);
        if ((pde & 1) == 0) return pageFault(gva, code);
        long pte = entry((pde & ~0xfffL) + (gva >>> 12 & 0x3ff) * 4);
        if ((pte & 1) == 0) return pageFault(gva, code);
        boolean writable = (pde & pte & 2) != 0 || !user && (s.cr0 & CpuState.CR0_WP) == 0;
        if (user && (pde & pte & 4) == 0 || write && !writable) return pageFault(gva, code | 1);
        return pte & ~0xfffL | gva & 0xfff | (writable ? 0 : READ_ONLY);
    }

    private long entry(long gpa) {
        return gpa + 4 <= pages << 12 ? HostMemory.getInt(ram + gpa) & 0xffffffffL : 0;
    }

    private long pageFault(long gva, int code) {
        s.cr2 = gva;
        v.fault(14, code);
        return -1;
    }

    @Override
    public long translate(VcpuContext v, long gva, int access) {
        long gpa = gva;
        if ((s.cr0 & CpuState.CR0_PG) != 0) {
            gpa = walk(gva, access);
            if (gpa == -1) return T_FAULT;
        }
        boolean writable = (gpa & READ_ONLY) == 0;
        gpa &= ~READ_ONLY;
        if (gpa >= pages << 12 || isDevice(gpa)) {
            v.gpa = gpa;
            return T_MMIO;
        }
        boolean codePage = frames.codeMask(firstFrame + (gpa >> 12)) != 0;
        if ((access & WRITE) != 0) v.codePage = codePage;
        int half = (access & USER) != 0 ? SoftTlb.USER : SoftTlb.SUPERVISOR;
        v.tlb.fill(half, gva, ram + (gpa & ~0xfffL), true, writable && !codePage, true, false);
        return ram + gpa;
    }

    boolean isDevice(long gpa) {
        return false;
    }

    // ---- devices ----

    @Override
    public int mmioRead(VcpuContext v, long gpa, int size) {
        v.ioValue = mmioValue & (size == 8 ? -1 : (1L << 8 * size) - 1);
        return DONE;
    }

    @Override
    public int mmioWrite(VcpuContext v, long gpa, int size, long value) {
        log.add("mmio " + Long.toHexString(gpa) + ' ' + size + ' ' + Long.toHexString(value));
        return DONE;
    }

    @Override
    public int portIn(VcpuContext v, int port, int size) {
        v.ioValue = portValue & 0xffffffffL;
        return DONE;
    }

    @Override
    public int portOut(VcpuContext v, int port, int size, int value) {
        log.add("out " + Integer.toHexString(port) + ' ' + size + ' ' + Integer.toHexString(value));
        return DONE;
    }

    // ---- instructions ----

    @Override
    public int cpuid(VcpuContext v) {
        for (int r = 0; r < 4; r++) s.gpr[r] = r;
        return DONE;
    }

    @Override
    public int rdtsc(VcpuContext v) {
        v.ioValue = v.instructions;
        return DONE;
    }

    @Override
    public int rdmsr(VcpuContext v, int index) {
        return v.fault(13, 0);
    }

    @Override
    public int wrmsr(VcpuContext v, int index, long value) {
        switch (index) {
            case 0x174 -> s.sysenterCs = value;
            case 0x175 -> s.sysenterEsp = value;
            case 0x176 -> s.sysenterEip = value;
            default -> {
                return v.fault(13, 0);
            }
        }
        return DONE;
    }

    @Override
    public int readCr(VcpuContext v, int cr) {
        v.ioValue = switch (cr) {
            case 0 -> s.cr0;
            case 2 -> s.cr2;
            case 3 -> s.cr3;
            default -> s.cr4;
        };
        return DONE;
    }

    @Override
    public int writeCr(VcpuContext v, int cr, long value) {
        switch (cr) {
            case 0 -> s.cr0 = value;
            case 2 -> s.cr2 = value;
            case 3 -> s.cr3 = value;
            default -> s.cr4 = value;
        }
        v.tlb.flush(false);
        return DONE;
    }

    @Override
    public int clts(VcpuContext v) {
        s.cr0 &= ~CpuState.CR0_TS;
        return DONE;
    }

    @Override
    public int lmsw(VcpuContext v, int value) {
        s.cr0 = s.cr0 & ~0xeL | value;
        return DONE;
    }

    @Override
    public int readDr(VcpuContext v, int dr) {
        v.ioValue = s.dr[dr];
        return DONE;
    }

    @Override
    public int writeDr(VcpuContext v, int dr, long value) {
        s.dr[dr] = value;
        return DONE;
    }

    @Override
    public int invlpg(VcpuContext v, long gva) {
        v.tlb.flush(SoftTlb.Flush.ADDRESS, 0, gva);
        return DONE;
    }

    @Override
    public int instruction(VcpuContext v, int exitReason) {
        return DONE;
    }

    @Override
    public int exception(VcpuContext v, int vector, int errorCode, long address) {
        log.add("#" + vector + ' ' + Integer.toHexString(Math.max(errorCode, 0)));
        return DONE;
    }

    @Override
    public int interruptWindow(VcpuContext v) {
        return DONE;
    }

    @Override
    public int softwareException(VcpuContext v, int vector) {
        return exception(v, vector, 0, 0);
    }

    @Override
    public int monitorTrap(VcpuContext v) {
        log.add("monitor trap at " + Long.toHexString(s.rip));
        return EXIT;
    }

    @Override
    public int nmiWindow(VcpuContext v) {
        return DONE;
    }

    @Override
    public int taskSwitch(VcpuContext v, int selector, int source) {
        log.add("task " + Integer.toHexString(selector) + ' ' + source);
        return DONE;
    }

    @Override
    public int tripleFault(VcpuContext v) {
        log.add("triple fault");
        s.activity = CpuState.SHUTDOWN;
        return EXIT;
    }

    /** A run that ends because of an exit. */
    static final int EXITED = Emulator.EXITED;
}
