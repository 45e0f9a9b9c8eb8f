package org.backplane.x86.isa.oracle;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemorySegment;
import org.backplane.kvm.spi.cpu.CpuState;

/** Moves x87 state between a {@link CpuState} and the FXSAVE image of a {@link HostCpu}. */
final class FpuTransfer {
    private FpuTransfer() {}

    static void toHost(CpuState s, HostCpu host) {
        MemorySegment fx = host.fxIn();
        fx.set(JAVA_SHORT, 0, (short) s.fpControl);
        fx.set(JAVA_SHORT, 2, (short) s.fpStatusWord());
        fx.set(JAVA_BYTE, 4, (byte) ~s.fpEmpty);
        for (int i = 0; i < 8; i++) {
            int reg = s.fpTop + i & 7;
            fx.set(JAVA_LONG_UNALIGNED, 32 + 16 * i, s.fpMantissa[reg]);
            fx.set(JAVA_SHORT, 40 + 16 * i, (short) s.fpSignExp[reg]);
        }
    }

    static void fromHost(HostCpu host, CpuState s) {
        MemorySegment fx = host.fxOut();
        s.fpControl = fx.get(JAVA_SHORT, 0) & 0xffff;
        s.setFpStatusWord(fx.get(JAVA_SHORT, 2));
        s.fpEmpty = ~fx.get(JAVA_BYTE, 4) & 0xff;
        for (int i = 0; i < 8; i++) {
            int reg = s.fpTop + i & 7;
            s.fpMantissa[reg] = fx.get(JAVA_LONG_UNALIGNED, 32 + 16 * i);
            s.fpSignExp[reg] = fx.get(JAVA_SHORT, 40 + 16 * i) & 0xffff;
        }
    }

    /**
     * What differs in two states, or null.
     *
     * @param undefined bits of the status word that may differ
     * @param ulps how far significands may be apart, in last places
     */
    static String difference(CpuState ours, CpuState theirs, int undefined, int ulps) {
        int status = (ours.fpStatusWord() ^ theirs.fpStatusWord()) & ~undefined;
        if (status != 0) return String.format("status word, bits %04x", status);
        if (ours.fpControl != theirs.fpControl) return "control word";
        if (ours.fpEmpty != theirs.fpEmpty) return "tags";
        for (int r = 0; r < 8; r++) {
            if (!close(ours, theirs, r, ulps)) return "st" + (r - ours.fpTop & 7);
        }
        return null;
    }

    private static boolean close(CpuState ours, CpuState theirs, int r, int ulps) {
        long a = ours.fpMantissa[r], b = theirs.fpMantissa[r];
        int ea = ours.fpSignExp[r], eb = theirs.fpSignExp[r];
        if (a == b && ea == eb) return true;
        if (ulps == 0 || (ea ^ eb) >> 15 != 0) return false;
        // The number line: exponent and significand as one integer; a difference across a power of two is one in it as well.
        long steps = ea == eb ? a - b : ea == eb + 1 ? (a << 1) - b : eb == ea + 1 ? a - (b << 1) : Long.MAX_VALUE;
        return Math.abs(steps) <= ulps;
    }

    /** Everything of the x87 state in one line, in stack order. */
    static String print(CpuState s) {
        StringBuilder b = new StringBuilder(String.format(
                "cw=%04x sw=%04x empty=%02x", s.fpControl, s.fpStatusWord(), s.fpEmpty));
        for (int i = 0; i < 8; i++) {
            int reg = s.fpTop + i & 7;
            b.append(String.format(
                    " st%d=%04x.%016x%s", i, s.fpSignExp[reg], s.fpMantissa[reg], (s.fpEmpty >> reg & 1) != 0 ? "e" : ""));
        }
        return b.toString();
    }
}
