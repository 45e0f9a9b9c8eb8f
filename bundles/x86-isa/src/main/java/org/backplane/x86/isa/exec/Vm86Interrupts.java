package org.backplane.x86.isa.exec;

import org.backplane.kvm.spi.cpu.CpuState;

/**
 * INT n in virtual-8086 mode with CR4.VME and IOPL 3 (SDM 3B 20.3.3, methods 4 and 5): a bit of the TSS's redirection map, which lies below the I/O
 * map, says whether it goes through the IDT or, as on an 8086, through the vectors at linear address 0.
 */
final class Vm86Interrupts {
    private static final int MAP_BYTES = 32, IO_MAP_OFFSET = 0x66;

    private Vm86Interrupts() {}

    /** The 8086 program handles this vector itself. */
    static boolean handlesItself(Cpu c, int vector) {
        CpuState s = c.s;
        if (!s.vm86() || (s.cr4 & CpuState.CR4_VME) == 0 || c.iopl() < 3) return false;
        long at = c.readSystem(s.segBase[CpuState.TR] + IO_MAP_OFFSET, 2) - MAP_BYTES + (vector >> 3);
        if (at > s.segLimit[CpuState.TR]) throw c.fault(Cpu.GP, 0);
        return (c.readSystem(s.segBase[CpuState.TR] + at, 1) >> (vector & 7) & 1) == 0;
    }

    /** Method 5: pushes FLAGS, CS and IP, clears IF and TF, and goes on at the vector. */
    static void enter(Cpu c, int vector) {
        c.v.trace.delivering(c.v, CpuState.INFO_VALID | CpuState.TYPE_SOFTWARE_INTERRUPT | vector, 0);
        CpuState s = c.s;
        int entry = (int) c.readSystem(vector * 4L, 4);
        Frame frame = c.frame;
        frame.current(c);
        frame.push(c, 2, s.rflags() & ~CpuState.NT);
        frame.push(c, 2, s.segSel[CpuState.CS]);
        frame.push(c, 2, c.nextRip());
        frame.commit(c);
        Segments.setReal(s, CpuState.CS, entry >>> 16);
        s.rip = entry & 0xffff;
        s.rflagsOther &= ~(CpuState.IF | CpuState.TF);
        c.eventEntered = true;
    }
}
