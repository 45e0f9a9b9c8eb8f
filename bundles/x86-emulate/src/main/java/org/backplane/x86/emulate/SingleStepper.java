package org.backplane.x86.emulate;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.EmulateOps;
import org.backplane.kvm.spi.cpu.Emulator;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.x86.isa.Insn;
import org.backplane.x86.isa.Opcode;
import org.backplane.x86.isa.exec.Cpu;
import org.backplane.x86.isa.exec.DebugRegisters;
import org.backplane.x86.isa.exec.Semantics;
import org.backplane.x86.isa.exec.Unwind;

/**
 * {@code emulateOne} of one vCPU: the same handlers as in bulk, over {@link EmulateOps} and without a TLB.
 *
 * <p>Thread: that of the vCPU.
 */
final class SingleStepper {
    private final VcpuContext v;
    private final CpuState s;
    private final OpsAdapter adapter = new OpsAdapter();
    private final Cpu c;
    private final InstructionFetch fetch;

    SingleStepper(VcpuContext v) {
        this.v = v;
        this.s = v.state;
        this.c = new Cpu(v, adapter, true);
        c.calls = adapter;
        fetch = new InstructionFetch(v, adapter);
        c.single = true;
    }

    boolean serves(VcpuContext other) {
        return v == other;
    }

    int emulate(EmulateOps ops) {
        adapter.ops = ops;
        adapter.retry = false;
        c.begin(s.rip, v.instructions);
        c.offset = c.index = c.length = 0;
        c.ext = 0;
        c.updateMode();
        int resume = s.rflagsOther & CpuState.RF;
        try {
            Insn i = fetch.fetch(c);
            if (i == null) return Emulator.UNHANDLEABLE;
            run(i);
            v.debug.completed();
            return Emulator.CONTINUE;
        } catch (Unwind u) {
            v.debug.dropped();
            s.rip = c.rip();
            s.rflagsOther |= resume;
            return switch (u.kind) {
                case Unwind.FAULT -> fault();
                case Unwind.RETRY -> adapter.retry ? Emulator.RETRY : Emulator.CONTINUE;
                default -> Emulator.UNHANDLEABLE;
            };
        } finally {
            adapter.ops = null;
        }
    }

    private int fault() {
        v.faultVector = c.faultVector;
        v.faultError = c.faultError;
        return Emulator.PROPAGATE_FAULT;
    }

    private void run(Insn i) {
        boolean trap = (s.rflagsOther & CpuState.TF) != 0;
        int shadow = s.blocking & (CpuState.BLOCKING_STI | CpuState.BLOCKING_MOV_SS);
        c.at(i);
        // Before, because IRET may set it.
        s.rflagsOther &= ~CpuState.RF;
        c.eventEntered = false;
        c.end = 1;
        Semantics.of(i.mnemonic()).run(c, i);
        if (!i.opcode.is(Opcode.JUMP)) c.step();
        s.blocking &= ~shadow;
        v.instructions++;
        if (trap && !c.eventEntered && (s.blocking & CpuState.BLOCKING_MOV_SS) == 0) s.pendingDebug |= DebugRegisters.BS;
    }
}
