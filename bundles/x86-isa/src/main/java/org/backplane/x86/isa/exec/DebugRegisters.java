package org.backplane.x86.isa.exec;

import org.backplane.kvm.spi.cpu.CpuState;

/** Breakpoints of the debug registers (SDM 3B 17.2). */
public final class DebugRegisters {
    /** DR6 bits: debug-register access detected, single step, task switch. */
    public static final int BD = 1 << 13, BS = 1 << 14, BT = 1 << 15;

    /** DR7.GD: any access to a debug register is a #DB. */
    public static final int GD = 1 << 13;

    private static final int EXECUTE = 0, WRITE = 1, IO = 2;

    private DebugRegisters() {}

    private static boolean enabled(long dr7, int n) {
        return (dr7 >> 2 * n & 3) != 0;
    }

    private static int type(long dr7, int n) {
        return (int) (dr7 >> 16 + 4 * n) & 3;
    }

    private static int bytes(long dr7, int n) {
        return switch ((int) (dr7 >> 18 + 4 * n) & 3) {
            case 0 -> 1;
            case 1 -> 2;
            case 2 -> 8;
            default -> 4;
        };
    }

    /** Whether a data breakpoint is enabled. */
    public static boolean watchesData(long dr7) {
        if ((dr7 & 0xff) == 0) return false;
        for (int n = 0; n < 4; n++) if (enabled(dr7, n) && type(dr7, n) != EXECUTE && type(dr7, n) != IO) return true;
        return false;
    }

    /** Whether an instruction breakpoint is enabled. */
    public static boolean watchesCode(long dr7) {
        if ((dr7 & 0xff) == 0) return false;
        for (int n = 0; n < 4; n++) if (enabled(dr7, n) && type(dr7, n) == EXECUTE) return true;
        return false;
    }

    /** Collects the data breakpoints that an access hits; they are reported after the instruction, as a trap. */
    static void dataAccess(Cpu c, long gva, int size, boolean write) {
        CpuState s = c.s;
        for (int n = 0; n < 4; n++) {
            int type = type(s.dr[7], n);
            if (!enabled(s.dr[7], n) || type == EXECUTE || type == IO || type == WRITE && !write) continue;
            hit(c, n, gva, size);
        }
    }

    /** The same for ports, where CR4.DE allows it. */
    static void portAccess(Cpu c, int port, int size) {
        CpuState s = c.s;
        if ((s.dr[7] & 0xff) == 0 || (s.cr4 & CpuState.CR4_DE) == 0) return;
        for (int n = 0; n < 4; n++) if (enabled(s.dr[7], n) && type(s.dr[7], n) == IO) hit(c, n, port, size);
    }

    private static void hit(Cpu c, int n, long address, int size) {
        int bytes = bytes(c.s.dr[7], n);
        long from = c.s.dr[n] & -bytes;
        if (address < from + bytes && from < address + size) {
            c.s.pendingDebug |= 1 << n | CpuState.PENDING_ENABLED;
            c.stop();
        }
    }
}
