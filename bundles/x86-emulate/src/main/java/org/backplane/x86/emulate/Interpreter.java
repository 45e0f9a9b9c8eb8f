package org.backplane.x86.emulate;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.backplane.kvm.spi.cpu.EmulateOps;
import org.backplane.kvm.spi.cpu.Emulator;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.mmu.VmMemory;

/** The interpreter of one VM: its decoded code, and an engine for each vCPU. */
final class Interpreter implements Emulator {
    private final VmMemory memory;
    private final CodeCache code;
    private Engine[] engines = new Engine[1];
    private SingleStepper[] steppers = new SingleStepper[1];

    Interpreter(VmMemory memory) {
        this.memory = memory;
        this.code = new CodeCache(memory);
    }

    private Engine engine(VcpuContext v) {
        if (v.id >= engines.length) engines = Arrays.copyOf(engines, v.id + 1);
        Engine e = engines[v.id];
        if (e == null || e.c.v != v) e = engines[v.id] = new Engine(v, code);
        return e;
    }

    private SingleStepper stepper(VcpuContext v) {
        if (v.id >= steppers.length) steppers = Arrays.copyOf(steppers, v.id + 1);
        SingleStepper e = steppers[v.id];
        if (e == null || !e.serves(v)) e = steppers[v.id] = new SingleStepper(v);
        return e;
    }

    @Override
    public int run(VcpuContext v, long budget, boolean exact) {
        return engine(v).run(budget, exact);
    }

    @Override
    public int deliver(VcpuContext v, int info, int errorCode, int insnLength) {
        return engine(v).deliver(info, errorCode, insnLength);
    }

    @Override
    public int emulateOne(VcpuContext v, EmulateOps ops) {
        return stepper(v).emulate(ops);
    }

    @Override
    public void codeWritten(long frame, int offset, int length) {
        long host = memory.frames().host(frame);
        if (host == 0 || !code.written(host, offset, length)) return;
        // The writer may be a device that the running block has called.
        for (Engine e : engines) if (e != null) e.c.stop();
    }

    @Override
    public void flushCode() {
        code.clear();
        for (Engine e : engines) if (e != null) e.c.stop();
    }

    @Override
    public Map<String, Long> counters() {
        Map<String, Long> m = new LinkedHashMap<>();
        m.put("blocks_built", code.built);
        m.put("code_writes", code.writes);
        m.put("blocks_dropped", code.dropped);
        m.put("pages_released", code.released);
        return m;
    }

    @Override
    public void close() {
        code.clear();
    }
}
