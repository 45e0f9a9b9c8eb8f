package org.backplane.shell;

import java.io.PrintStream;
import org.backplane.kvm.spi.cpu.CpuState;

/** Registers as text, in the order and notation of QEMU's {@code info registers}. */
final class RegisterText {
    private static final String[] SEGMENTS = {"ES", "CS", "SS", "DS", "FS", "GS", "LDT", "TR"};

    /** General registers, in QEMU's order. */
    private static final int[] GPR_ORDER = {
        CpuState.RAX, CpuState.RBX, CpuState.RCX, CpuState.RDX, CpuState.RSI, CpuState.RDI, CpuState.RBP, CpuState.RSP
    };

    private static final String[] GPR_NAMES = {"AX", "CX", "DX", "BX", "SP", "BP", "SI", "DI"};
    private static final String[] ACTIVITY = {"active", "halted", "shut down", "waiting for SIPI"};
    private static final String[] SYSTEM_TYPES = {
        "?", "TSS16-avl", "LDT", "TSS16-busy", "CallGate16", "TaskGate", "IntGate16", "TrapGate16", "?", "TSS32-avl", "?", "TSS32-busy", "CallGate32",
        "?", "IntGate32", "TrapGate32"
    };

    private RegisterText() {}

    static void print(CpuState s, PrintStream out) {
        boolean wide = s.longModeActive();
        general(s, wide, out);
        for (int i = 0; i < 8; i++) {
            out.printf("%-3s=%04x %s %08x %s %s%n", SEGMENTS[i], s.segSel[i], address(s.segBase[i], wide), s.segLimit[i], descriptorBits(s.segAr[i]),
                    segment(i, s.segAr[i], s.realOrVm86()));
        }
        out.printf("GDT=     %s %08x%n", address(s.gdtBase, wide), s.gdtLimit);
        out.printf("IDT=     %s %08x%n", address(s.idtBase, wide), s.idtLimit);
        out.printf("CR0=%08x CR2=%s CR3=%s CR4=%08x%n", s.cr0, address(s.cr2, wide), address(s.cr3, wide), s.cr4);
        for (int i = 0; i < 4; i++) out.printf("DR%d=%s ", i, address(s.dr[i], wide));
        out.printf("%nDR6=%s DR7=%s%n", address(s.dr[6], wide), address(s.dr[7], wide));
        out.printf("EFER=%016x%n", s.efer);
        events(s, out);
    }

    private static void general(CpuState s, boolean wide, PrintStream out) {
        String letter = wide ? "R" : "E";
        int perLine = 4;
        for (int i = 0; i < 8; i++) {
            int r = GPR_ORDER[i];
            out.printf("%s%s=%s%s", letter, GPR_NAMES[r], address(s.gpr[r], wide), i % perLine == perLine - 1 ? "\n" : " ");
        }
        if (wide) for (int i = 8; i < 16; i++) out.printf("%-3s=%s%s", "R" + i, address(s.gpr[i], true), i % perLine == perLine - 1 ? "\n" : " ");
        out.printf("%sIP=%s %sFL=%08x [%s] CPL=%d %s %d-bit code%n", letter, address(s.rip, wide), letter, s.rflags(), flags(s), s.cpl,
                ACTIVITY[s.activity & 3], s.codeBits());
    }

    private static String flags(CpuState s) {
        long f = s.rflags();
        int[] bits = {CpuState.DF, CpuState.OF, CpuState.SF, CpuState.ZF, CpuState.AF, CpuState.PF, CpuState.CF};
        StringBuilder b = new StringBuilder();
        for (int i = 0; i < bits.length; i++) b.append((f & bits[i]) != 0 ? "DOSZAPC".charAt(i) : '-');
        if ((f & CpuState.IF) != 0) b.append(" IF");
        if ((f & CpuState.TF) != 0) b.append(" TF");
        if ((f & CpuState.VM) != 0) b.append(" VM");
        return b.toString();
    }

    private static String address(long value, boolean wide) {
        return wide ? String.format("%016x", value) : String.format("%08x", value & 0xffffffffL);
    }

    /** Access rights as they lie in the high word of a descriptor. */
    private static String descriptorBits(int ar) {
        return String.format("%08x", (ar & 0xf0ff) << 8);
    }

    private static String segment(int index, int ar, boolean paragraphs) {
        if ((ar & CpuState.AR_UNUSABLE) != 0) return "unusable";
        if (paragraphs && index < 6) return "real";
        String level = "DPL=" + (ar >> 5 & 3) + " ";
        if ((ar & CpuState.AR_S) == 0) return level + SYSTEM_TYPES[ar & 15];
        boolean code = (ar & 8) != 0;
        String size = (ar & CpuState.AR_L) != 0 ? "64" : (ar & CpuState.AR_DB) != 0 ? "32" : "16";
        return level + (code ? "CS" + size + " [" + letter(ar, 4, 'C') + letter(ar, 2, 'R') : "DS" + size + " [" + letter(ar, 4, 'E') + letter(ar, 2, 'W'))
                + letter(ar, 1, 'A') + "]";
    }

    private static char letter(int bits, int mask, char set) {
        return (bits & mask) != 0 ? set : '-';
    }

    private static void events(CpuState s, PrintStream out) {
        if (s.injectInfo != 0) out.printf("event to inject: vector %02x, type %d, error code %x%n", s.injectInfo & 0xff, s.injectInfo >> 8 & 7, s.injectError);
        if (s.vectoringInfo != 0) out.printf("event cut short: vector %02x, type %d%n", s.vectoringInfo & 0xff, s.vectoringInfo >> 8 & 7);
        if (s.blocking != 0) out.printf("blocking: %s%s%s%n", (s.blocking & CpuState.BLOCKING_STI) != 0 ? "STI " : "",
                (s.blocking & CpuState.BLOCKING_MOV_SS) != 0 ? "MOV-SS " : "", (s.blocking & CpuState.BLOCKING_NMI) != 0 ? "NMI" : "");
        if (s.nmiPending) out.println("an NMI is pending");
    }

    /** The x87 and SSE registers. */
    static void printFpu(CpuState s, PrintStream out) {
        out.printf("FCW=%04x FSW=%04x [ST=%d] empty=%02x MXCSR=%08x%n", s.fpControl, s.fpStatusWord(), s.fpTop, s.fpEmpty & 0xff, s.mxcsr);
        for (int i = 0; i < 8; i++) {
            int r = s.fpTop + i & 7;
            boolean empty = (s.fpEmpty >> r & 1) != 0;
            out.printf("ST%d=%04x %016x%s", i, s.fpSignExp[r], s.fpMantissa[r], empty ? " empty" : "      ");
            out.print(i % 2 == 1 ? "\n" : "  ");
        }
        for (int i = 0; i < 8; i++) out.printf("XMM%d=%016x%016x%s", i, s.xmm[2 * i + 1], s.xmm[2 * i], i % 2 == 1 ? "\n" : " ");
    }
}
