package org.backplane.x86.isa.exec;

import org.backplane.kvm.spi.cpu.CpuState;

/** What is read from the current TSS outside of a task switch: inner stacks and the I/O permission bitmap (SDM 3A 7.2). */
final class TaskState {
    private TaskState() {}

    private static boolean wide(CpuState s) {
        return (s.segAr[CpuState.TR] & 8) != 0;
    }

    private static long inner(Cpu c, int cpl, boolean selector) {
        CpuState s = c.s;
        boolean wide = wide(s);
        int at = wide ? 4 + 8 * cpl : 2 + 4 * cpl;
        int last = wide ? at + 5 : at + 3;
        if (last > s.segLimit[CpuState.TR]) throw c.selectorFault(Cpu.TS, s.segSel[CpuState.TR]);
        int size = wide ? 4 : 2;
        long base = s.segBase[CpuState.TR] + at;
        return selector ? c.readSystem(base + size, 2) : c.readSystem(base, size);
    }

    static int innerSs(Cpu c, int cpl) {
        return (int) inner(c, cpl, true);
    }

    static long innerSp(Cpu c, int cpl) {
        return inner(c, cpl, false);
    }

    /** #GP(0) unless the I/O permission bitmap allows the ports (SDM 1 18.5.2). */
    static void checkPorts(Cpu c, int port, int size) {
        CpuState s = c.s;
        int ar = s.segAr[CpuState.TR];
        if ((ar & CpuState.AR_UNUSABLE) != 0 || !wide(s) || s.segLimit[CpuState.TR] < 0x67) throw c.fault(Cpu.GP, 0);
        int map = (int) c.readSystem(s.segBase[CpuState.TR] + 0x66, 2);
        long at = map + (port >> 3);
        if (at + 1 > s.segLimit[CpuState.TR]) throw c.fault(Cpu.GP, 0);
        long bits = c.readSystem(s.segBase[CpuState.TR] + at, 2);
        if ((bits >> (port & 7) & (1 << size) - 1) != 0) throw c.fault(Cpu.GP, 0);
    }
}
