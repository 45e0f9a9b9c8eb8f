package org.backplane.vmx;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;
import org.backplane.kvm.spi.cpu.CpuBackend;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.EmulateOps;
import org.backplane.kvm.spi.cpu.Emulator;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.exit.ExitDispatcher;
import org.backplane.kvm.spi.exit.ExitReasons;
import org.backplane.kvm.spi.mmu.Mmu;
import org.backplane.kvm.spi.mmu.VmMemory;
import org.backplane.kvm.testing.TestMemory;

/** A vCPU on the backend with everything around it scripted: the engine runs a lambda, the core answers what a test says. */
final class Rig implements AutoCloseable {
    final TestMemory memory = new TestMemory().ram(0, 1 << 20).slot(0xf0000, 0x10000, true, false);
    final Core core = new Core();
    final Engine engine = new Engine();
    final VcpuContext v = new VcpuContext(0, memory, core);
    final CpuState s = v.state;
    final TestMmu mmu;
    final VmxBackend backend;

    Rig(Mmu.Kind kind) {
        s.reset();
        mmu = new TestMmu(kind);
        backend = (VmxBackend) new VmxFactory().create(memory, engine, mmu);
        backend.attach(v);
    }

    static Rig shadow() {
        return new Rig(Mmu.Kind.SHADOW);
    }

    static Rig direct() {
        return new Rig(Mmu.Kind.TWO_DIMENSIONAL);
    }

    /** Flat 32-bit protected mode, as a loader leaves it. */
    Rig flat() {
        flat(s);
        return this;
    }

    static void flat(CpuState s) {
        s.cr0 |= CpuState.CR0_PE;
        for (int seg = 0; seg < 6; seg++) {
            s.segSel[seg] = seg == CpuState.CS ? 8 : 16;
            s.segBase[seg] = 0;
            s.segLimit[seg] = 0xffffffffL;
            s.segAr[seg] = seg == CpuState.CS ? 0xc09b : 0xc093;
        }
        s.rip = 0x1000;
    }

    VmxVcpu vcpu() {
        return backend.vcpu(v);
    }

    Intercepts intercepts() {
        return v.intercepts;
    }

    /** Enters; the engine does this. */
    int enter(ToIntFunction<Intercepts> run) {
        engine.run = run;
        return backend.enter(v, 1000, false);
    }

    int enter() {
        return enter(i -> Emulator.BUDGET);
    }

    /** Enters; the engine makes one call, and leaves if it answers EXIT. The answer stays in {@link Engine#answer}. */
    int call(ToIntFunction<Intercepts> call) {
        return enter(i -> {
            engine.answer = call.applyAsInt(i);
            return engine.answer == Intercepts.EXIT ? Emulator.EXITED : Emulator.BUDGET;
        });
    }

    long count(int reason) {
        return backend.counters().getOrDefault("exits." + ExitReasons.name(reason), 0L);
    }

    @Override
    public void close() {
        memory.close();
    }

    /** The engine. */
    final class Engine implements Emulator {
        ToIntFunction<Intercepts> run = i -> BUDGET;
        int answer = -1;
        int deliverAnswer = Intercepts.DONE;

        /** What a delivery does, if not nothing. */
        ToIntFunction<VcpuContext> delivery;

        final List<Integer> delivered = new ArrayList<>();

        @Override
        public int run(VcpuContext v, long budget, boolean exact) {
            return run.applyAsInt(v.intercepts);
        }

        @Override
        public int deliver(VcpuContext v, int info, int errorCode, int insnLength) {
            delivered.add(info);
            if (delivery != null) return delivery.applyAsInt(v);
            if (deliverAnswer != Intercepts.DONE) return v.intercepts.tripleFault(v);
            return Intercepts.DONE;
        }

        @Override
        public int emulateOne(VcpuContext v, EmulateOps ops) {
            return UNHANDLEABLE;
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
    }

    /** The core. */
    static final class Core implements ExitDispatcher {
        int observed = CpuBackend.NO_EXIT;
        int answer = Intercepts.DONE;
        ToIntFunction<VcpuContext> handler;
        int handled;
        ToIntFunction<VcpuContext> emulation;
        int emulated;
        long tsc = 1000, tscPerLook;

        /** What an access to a port or a device in memory does besides. */
        Runnable device = () -> {};

        /** An MSR that does not exist. */
        static final int BAD_MSR = 0x666;

        final Map<Integer, Long> msrs = new HashMap<>();

        /** Reasons of the exits that an observer was shown, and whether it takes them. */
        final List<Integer> shown = new ArrayList<>();

        boolean takes;

        /** Every reason is observed. */
        boolean observesAll;

        @Override
        public boolean observed(int reason) {
            return observesAll || reason == observed;
        }

        @Override
        public boolean passes(VcpuContext v) {
            shown.add(v.exit.reason);
            return !takes;
        }

        @Override
        public int portIn(VcpuContext v, int port, int size) {
            device.run();
            v.ioValue = port;
            return answer;
        }

        @Override
        public int portOut(VcpuContext v, int port, int size, int value) {
            device.run();
            return answer;
        }

        @Override
        public int mmioRead(VcpuContext v, long gpa, int size) {
            device.run();
            v.ioValue = gpa;
            return answer;
        }

        @Override
        public int mmioWrite(VcpuContext v, long gpa, int size, long value) {
            device.run();
            return answer;
        }

        @Override
        public int handle(VcpuContext v) {
            handled++;
            return handler != null ? handler.applyAsInt(v) : answer;
        }

        @Override
        public int rdmsr(VcpuContext v, int index) {
            Long value = msrs.get(index);
            if (value == null) return v.fault(13, 0);
            v.ioValue = value;
            return Intercepts.DONE;
        }

        @Override
        public int wrmsr(VcpuContext v, int index, long value) {
            if (index == BAD_MSR) return v.fault(13, 0);
            msrs.put(index, value);
            return Intercepts.DONE;
        }

        @Override
        public int emulate(VcpuContext v) {
            emulated++;
            return emulation == null ? Intercepts.EXIT : emulation.applyAsInt(v);
        }

        @Override
        public long tsc(VcpuContext v) {
            return tsc += tscPerLook;
        }
    }

    /** An MMU that only says how it is used. */
    static final class TestMmu implements Mmu {
        private Kind kind;

        TestMmu(Kind kind) {
            this.kind = kind;
        }

        void become(Kind k) {
            kind = k;
        }

        @Override
        public Kind kind() {
            return kind;
        }

        @Override
        public void setRoot(VcpuContext v) {}

        @Override
        public Fault fault(VcpuContext v, long address, int errorCode) {
            return Fault.GUEST;
        }

        @Override
        public void invlpg(VcpuContext v, long gva) {}

        @Override
        public void guestPteWritten(long gpa, int size) {}

        @Override
        public long gvaToGpa(VcpuContext v, long gva, int access) {
            return gva;
        }

        @Override
        public void slotsChanged() {}

        @Override
        public void writeProtect(VmMemory.Slot slot) {}

        @Override
        public Map<String, Long> counters() {
            return Map.of();
        }

        @Override
        public void close() {}
    }
}
