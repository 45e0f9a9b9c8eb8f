package org.backplane.x86.isa.exec;

import java.util.Map;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.x86.isa.Insn;
import org.backplane.x86.isa.Mnemonic;
import org.backplane.x86.isa.Opcode;
import org.backplane.x86.isa.OpcodeTable;
import org.backplane.x86.isa.fpu.Mmx;

/** The MMX instructions as seen from the processor: exceptions and operands; the packed arithmetic is in {@link Mmx}. */
final class MmxHandlers {
    private MmxHandlers() {}

    static void bind(Map<Mnemonic, Handler> map) {
        for (Opcode o : OpcodeTable.all()) if (o.is(Opcode.MMX)) map.put(o.mnemonic, MmxHandlers::packed);
        map.put(Mnemonic.MOVD, MmxHandlers::move);
        map.put(Mnemonic.MOVQ, MmxHandlers::move);
        map.put(Mnemonic.EMMS, MmxHandlers::emms);
    }

    /** SDM 3A table 12-2. */
    private static void available(Cpu c) {
        if ((c.s.cr0 & CpuState.CR0_EM) != 0) throw c.undefined();
        if ((c.s.cr0 & CpuState.CR0_TS) != 0) throw c.fault(Cpu.NM, Cpu.NO_ERROR);
        FpuHandlers.pendingException(c);
    }

    private static long operand(Cpu c, Insn i, int n) {
        return i.kind(n) == Insn.MMX ? Mmx.read(c.s, i.number(n)) : c.get(i, n);
    }

    private static void packed(Cpu c, Insn i) {
        available(c);
        CpuState s = c.s;
        long a = Mmx.read(s, i.number0), r;
        if (i.kind1 == Insn.IMM) {
            r = Mmx.shift(i.opcodeByte, i.regField(), a, (int) i.immediate & 0xff);
        } else {
            r = Mmx.operate(i.opcodeByte, a, operand(c, i, 1));
        }
        Mmx.enter(s);
        Mmx.write(s, i.number0, r);
    }

    private static void move(Cpu c, Insn i) {
        available(c);
        long value = operand(c, i, 1);
        if (i.kind0 == Insn.MMX) {
            Mmx.enter(c.s);
            Mmx.write(c.s, i.number0, value);
        } else {
            c.put(i, 0, value);
            Mmx.enter(c.s);
        }
    }

    private static void emms(Cpu c, Insn i) {
        available(c);
        Mmx.emms(c.s);
    }
}
