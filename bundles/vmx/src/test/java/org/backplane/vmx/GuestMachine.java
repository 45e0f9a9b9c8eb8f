package org.backplane.vmx;

import java.util.HexFormat;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.Emulator;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.mmu.Mmu;
import org.backplane.kvm.spi.mmu.Spte;
import org.backplane.kvm.testing.TestMemory;
import org.backplane.x86.emulate.InterpreterFactory;

/**
 * Guest code on the backend with the interpreter as the engine and a VMCS that a test programs by VMWRITE. Every exit leaves the guest at once, so
 * that {@link #go} answers its reason with the record in {@code v.exit}. The guest is in flat 32-bit protected mode with a GDT, two tasks, and an IDT
 * whose handlers are HLTs; EPT maps the first megabyte to itself.
 */
final class GuestMachine implements AutoCloseable {
    static final long CODE = 0x1000, GDT = 0x2000, IDT = 0x3000, TSS = 0x4000, TSS2 = 0x4100, DATA = 0x5000, HANDLERS = 0x6000, STACK = 0x9000;

    static final int CODE0 = 0x08, DATA0 = 0x10, CODE3 = 0x1b, DATA3 = 0x23, TASK = 0x28, TASK2 = 0x30;

    /** Answer of {@link #go} when the guest did not exit. */
    static final int NO_EXIT = -1;

    final TestMemory memory = new TestMemory().ram(0, 1 << 20);
    final Rig.Core core = new Rig.Core();
    final VcpuContext v = new VcpuContext(0, memory, core);
    final CpuState s = v.state;
    final VmxBackend backend;
    private final Emulator engine = new InterpreterFactory().create(memory);
    private final long leafTable;

    GuestMachine() {
        core.observesAll = true;
        core.takes = true;
        s.reset();
        Rig.flat(s);
        tables();
        backend = (VmxBackend) new VmxFactory().create(memory, engine, new Rig.TestMmu(Mmu.Kind.TWO_DIMENSIONAL));
        backend.attach(v);
        long table = memory.frames().allocate();
        v.root = table;
        for (int level = 4; level > 1; level--) {
            long next = memory.frames().allocate();
            memory.frames().setEntry(table, 0, Spte.of(next, Spte.P | Spte.W | Spte.U));
            table = next;
        }
        leafTable = table;
        for (int page = 0; page < 256; page++) ept(page, Spte.of(memory.frame(page), Spte.P | Spte.W | Spte.U));
    }

    private void tables() {
        descriptor(CODE0, 0, 0xfffff, 0xc09b);
        descriptor(DATA0, 0, 0xfffff, 0xc093);
        descriptor(CODE3, 0, 0xfffff, 0xc0fb);
        descriptor(DATA3, 0, 0xfffff, 0xc0f3);
        descriptor(TASK, TSS, 0x67, 0x8b);
        descriptor(TASK2, TSS2, 0x67, 0x89);
        for (int vector = 0; vector < 256; vector++) {
            code(HANDLERS + 16 * vector, "f4");
            gate(vector, 0x8e);
        }
        s.gdtBase = GDT;
        s.gdtLimit = 0x37;
        s.idtBase = IDT;
        s.idtLimit = 0x7ff;
        s.segSel[CpuState.TR] = TASK;
        s.segBase[CpuState.TR] = TSS;
        s.segLimit[CpuState.TR] = 0x67;
        s.gpr[CpuState.RSP] = STACK;
        // The second task runs at its own stack, with the same segments.
        memory.write(TSS2 + 0x20, 4, HANDLERS);
        memory.write(TSS2 + 0x24, 4, 2);
        memory.write(TSS2 + 0x38, 4, STACK + 0x100);
        for (int n = 0; n < 6; n++) memory.write(TSS2 + 0x48 + 4 * n, 2, n == 1 ? CODE0 : DATA0);
        memory.write(TSS + 0x66, 2, 0x68);
        memory.write(TSS + 4, 4, STACK + 0x800);
        memory.write(TSS + 8, 2, DATA0);
    }

    private void descriptor(int selector, long base, long limit, int ar) {
        long d = limit & 0xffff | (base & 0xffffff) << 16 | (long) (ar & 0xff) << 40 | (limit >> 16 & 15) << 48 | (long) (ar >> 12 & 15) << 52;
        memory.write(GDT + (selector & ~7), 8, d);
    }

    /** An interrupt gate to the vector's handler, with another type and P bit if a test wants it. */
    void gate(int vector, int type) {
        long target = HANDLERS + 16 * vector;
        memory.write(IDT + 8 * vector, 8, target & 0xffff | (long) CODE0 << 16 | (long) type << 40 | target >> 16 << 48);
    }

    /** A task gate to the second task. */
    void taskGate(int vector) {
        memory.write(IDT + 8 * vector, 8, (long) TASK2 << 16 | 0x85L << 40);
    }

    /** Sets the EPT leaf of a page of the first megabyte. */
    void ept(int page, long entry) {
        leaf(page, entry);
        v.tlb.flush(false);
    }

    /** The same without the flush. */
    void leaf(int page, long entry) {
        memory.frames().setEntry(leafTable, page, entry);
    }

    /** A zeroed page of host memory: its host-physical address. */
    long page() {
        return memory.frames().allocate() << 12;
    }

    /** The host address of such a page. */
    long host(long page) {
        return memory.frames().host(page >>> 12);
    }

    /** Makes CPL 3. */
    GuestMachine user() {
        s.cpl = 3;
        for (int seg = 0; seg < 6; seg++) {
            s.segSel[seg] = seg == CpuState.CS ? CODE3 : DATA3;
            s.segAr[seg] = seg == CpuState.CS ? 0xc0fb : 0xc0f3;
        }
        return this;
    }

    // ---- VMCS ----

    Vmcs vmcs() {
        return backend.vcpu(v).vmcs;
    }

    GuestMachine set(VmcsField field, long value) {
        vmcs().vmwrite(field.encoding, value);
        return this;
    }

    long get(VmcsField field) {
        return vmcs().vmread(field.encoding);
    }

    GuestMachine with(VmcsField field, long bits) {
        return set(field, get(field) | bits);
    }

    GuestMachine without(VmcsField field, long bits) {
        return set(field, get(field) & ~bits);
    }

    GuestMachine primary(int bits) {
        return with(VmcsField.PRIMARY_PROCESSOR_BASED_CONTROLS, bits);
    }

    GuestMachine secondary(int bits) {
        return with(VmcsField.SECONDARY_PROCESSOR_BASED_CONTROLS, bits);
    }

    // ---- run ----

    void code(long at, String hex) {
        byte[] bytes = HexFormat.of().parseHex(hex.replace(" ", ""));
        memory.write(at, bytes, 0, bytes.length);
        engine.flushCode();
    }

    /** Runs code at {@link #CODE} until an exit. */
    int go(String hex) {
        code(CODE, hex);
        s.rip = CODE;
        return enter();
    }

    /** Goes on until an exit. */
    int enter() {
        return backend.enter(v, 1000, false);
    }

    /** Goes on behind the instruction that exited, as a handler that did its work. */
    int next() {
        s.rip += v.exit.insnLength;
        v.instructions++;
        return enter();
    }

    @Override
    public void close() {
        backend.close();
        engine.close();
        memory.close();
    }
}
