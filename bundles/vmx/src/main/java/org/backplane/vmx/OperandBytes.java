package org.backplane.vmx;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.HostMemory;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.SoftTlb;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.mmu.Mmu;

/** What an exit qualification says about the instruction's operands, read from its bytes. */
final class OperandBytes {
    private final VcpuContext v;
    private final CpuState s;
    private final Mmu mmu;

    OperandBytes(VcpuContext v, Mmu mmu) {
        this.v = v;
        this.s = v.state;
        this.mmu = mmu;
    }

    /**
     * The general register of the MOV CR or MOV DR at RIP, 0 to 15: bits 2:0 of its last byte, with REX.B from the byte before the opcode
     * in 64-bit mode.
     */
    long register() {
        long last = s.linearRip() + v.insnLength - 1;
        int register = codeByte(last) & 7;
        if (v.insnLength > 3 && s.codeBits() == 64) {
            int rex = codeByte(last - 3);
            if ((rex & 0xf1) == 0x41) register |= 8;
        }
        return register;
    }

    /** A byte of the instruction that is being executed: it was just fetched. 0 if it is not there any more. */
    private int codeByte(long gva) {
        long[] e = v.tlb.entries;
        int i = v.tlb.base + SoftTlb.slot(gva);
        if (e[i + SoftTlb.EXEC] == (gva & SoftTlb.PAGE)) return HostMemory.getByte(gva + e[i + SoftTlb.ADDEND]) & 0xff;
        long gpa = mmu.gvaToGpa(v, gva, Intercepts.FETCH | (s.cpl == 3 ? Intercepts.USER : 0) | Mmu.PROBE);
        long host = gpa < 0 ? 0 : v.memory.host(gpa);
        return host == 0 ? 0 : HostMemory.getByte(host) & 0xff;
    }
}
