package org.backplane.kvm.core.paging;

import java.util.Map;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.EmulateOps;
import org.backplane.kvm.spi.cpu.Emulator;
import org.backplane.kvm.spi.cpu.EmulatorFactory;
import org.backplane.kvm.spi.cpu.HostMemory;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.SoftTlb;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.mmu.VmMemory;

/**
 * An engine whose "instructions" are single accesses that a test asks for: it goes the way of every engine, TLB first, then the backend's
 * paging unit, and its {@code emulateOne} does the access at hand over the callbacks. {@link #run} calls the script, which calls the rest.
 */
final class ScriptedEngine implements EmulatorFactory, Emulator {
    /** How an access ended. */
    enum Way {
        MEMORY,
        DEVICE,
        EMULATED,
        FAULT
    }

    private static final long EFER = 0xc0000080L;

    private final Runnable script;
    private VcpuContext v;

    // The access at hand.
    private long gva, value;
    private int size, access;
    private boolean emulated;

    /** What the last access read. */
    long read;

    /** Host address of the last access that ended as MEMORY. */
    long host;

    /** Accesses that hit the TLB. */
    long hits;

    ScriptedEngine(Runnable script) {
        this.script = script;
    }

    void use(VcpuContext v) {
        this.v = v;
    }

    /** Does an access that crosses no page. After FAULT the vector and error code are in the vCPU. */
    Way access(long gva, int size, int access, long value) {
        this.gva = gva;
        this.size = size;
        this.access = access;
        this.value = value;
        emulated = false;
        while (true) {
            int half = (access & Intercepts.USER) != 0 ? SoftTlb.USER : SoftTlb.SUPERVISOR;
            int kind = (access & Intercepts.WRITE) != 0 ? SoftTlb.WRITE : (access & Intercepts.FETCH) != 0 ? SoftTlb.EXEC : SoftTlb.READ;
            int i = half + SoftTlb.slot(gva);
            if (v.tlb.entries[i + kind] == (gva & SoftTlb.PAGE)) {
                hits++;
                return memory(gva + v.tlb.entries[i + SoftTlb.ADDEND]);
            }
            long host = v.intercepts.translate(v, gva, access);
            if (host >= 0) return memory(host);
            if (host == Intercepts.T_FAULT) return Way.FAULT;
            if (host == Intercepts.T_MMIO) return device();
            if (host != Intercepts.T_RETRY) throw new AssertionError(v.exit + ": " + v.exit.failedCheck);
            if (emulated) return Way.EMULATED;
        }
    }

    private Way memory(long host) {
        this.host = host;
        if ((access & Intercepts.WRITE) != 0) HostMemory.put(host, size, value);
        else read = HostMemory.get(host, size);
        return Way.MEMORY;
    }

    private Way device() {
        boolean write = (access & Intercepts.WRITE) != 0;
        int answer = write ? v.intercepts.mmioWrite(v, v.gpa, size, value) : v.intercepts.mmioRead(v, v.gpa, size);
        if (answer != Intercepts.DONE) throw new AssertionError("a device access is answered " + answer);
        read = v.ioValue;
        return Way.DEVICE;
    }

    /** MOV to CR; false for #GP. */
    boolean writeCr(int cr, long value) {
        return done(v.intercepts.writeCr(v, cr, value));
    }

    /** WRMSR of EFER; false for #GP. */
    boolean writeEfer(long value) {
        v.state.gpr[CpuState.RCX] = EFER;
        return done(v.intercepts.wrmsr(v, (int) EFER, value));
    }

    void invlpg(long gva) {
        if (!done(v.intercepts.invlpg(v, gva))) throw new AssertionError("INVLPG faults");
    }

    private boolean done(int answer) {
        if (answer == Intercepts.EXIT) throw new AssertionError(v.exit + ": " + v.exit.failedCheck);
        return answer == Intercepts.DONE;
    }

    // ---- the emulator's side ----

    @Override
    public int run(VcpuContext v, long budget, boolean exact) {
        script.run();
        return BUDGET;
    }

    @Override
    public int emulateOne(VcpuContext v, EmulateOps ops) {
        int answer = (access & Intercepts.WRITE) != 0
                ? ops.writeEmulated(v, gva, size, value, access & Intercepts.USER)
                : ops.readEmulated(v, gva, size, access);
        if (answer != CONTINUE) return answer;
        read = v.ioValue;
        emulated = true;
        v.state.rip ^= 1;
        return CONTINUE;
    }

    @Override
    public int deliver(VcpuContext v, int info, int errorCode, int insnLength) {
        throw new AssertionError("no event is ever injected");
    }

    @Override
    public void codeWritten(long frame, int offset, int length) {}

    @Override
    public void flushCode() {}

    @Override
    public Map<String, Long> counters() {
        return Map.of();
    }

    @Override
    public void close() {}

    // ---- the factory's side ----

    @Override
    public String type() {
        return "scripted";
    }

    @Override
    public String description() {
        return "accesses that a test asks for";
    }

    @Override
    public Emulator create(VmMemory memory) {
        return this;
    }

    @Override
    public long cpuFeatures() {
        return -1;
    }
}
