package org.backplane.x86.isa.exec;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.x86.isa.Insn;
import org.backplane.x86.isa.InstructionInformation;
import org.backplane.x86.isa.Mnemonic;

/** IN, OUT, INS and OUTS with their privilege checks (SDM 1 18.5). */
final class PortHandlers {
    private PortHandlers() {}

    /** IOPL in protected mode; in virtual-8086 mode always the bitmap. */
    static void check(Cpu c, int port, int size) {
        CpuState s = c.s;
        if (s.protectedMode() && (s.cpl > c.iopl() || s.vm86())) TaskState.checkPorts(c, port, size);
        DebugRegisters.portAccess(c, port, size);
    }

    private static int port(Cpu c, Insn i, int operand) {
        return i.kind(operand) == Insn.IMM ? (int) i.immediate & 0xff : (int) c.gpr[CpuState.RDX] & 0xffff;
    }

    static void in(Cpu c, Insn i) {
        int port = port(c, i, 1), size = i.size0;
        check(c, port, size);
        c.sync();
        c.v.ioString = i.kind1 == Insn.IMM ? VcpuContext.IMMEDIATE : 0;
        c.answer(c.calls.portIn(c.v, port, size));
        c.setRegister(CpuState.RAX, size, c.v.ioValue);
    }

    static void out(Cpu c, Insn i) {
        int port = port(c, i, 0), size = i.size1;
        check(c, port, size);
        c.sync();
        c.v.ioString = i.kind0 == Insn.IMM ? VcpuContext.IMMEDIATE : 0;
        c.answer(c.calls.portOut(c.v, port, size, (int) c.register(CpuState.RAX, size)));
    }

    private static int form(Insn i, int segment) {
        int rep = i.rep || i.repne ? VcpuContext.REP : 0;
        return VcpuContext.STRING | rep | segment << 8 | InstructionInformation.addressSize(i) << 12;
    }

    /** One element of INS or OUTS. */
    static void element(Cpu c, Insn i) {
        int port = (int) c.gpr[CpuState.RDX] & 0xffff;
        if (i.mnemonic() == Mnemonic.INS) {
            int size = i.size0;
            check(c, port, size);
            long off = Cpu.wrap(c.gpr[CpuState.RDI], i.addressSize);
            long gva = c.linear(CpuState.ES, off, size, true);
            c.memory.probeWrite(c, gva, c.s.cpl == 3 ? 6 : 2); // the port is not read if the store would fault
            c.sync();
            c.v.ioString = form(i, CpuState.ES);
            c.v.operandGva = gva;
            c.answer(c.calls.portIn(c.v, port, size));
            c.write(gva, size, c.v.ioValue);
        } else {
            int size = i.size1;
            check(c, port, size);
            long gva = c.linear(i.segment, Cpu.wrap(c.gpr[CpuState.RSI], i.addressSize), size, false);
            long value = c.read(gva, size);
            c.sync();
            c.v.ioString = form(i, i.segment);
            c.v.operandGva = gva;
            c.answer(c.calls.portOut(c.v, port, size, (int) value));
        }
    }
}
