package org.backplane.x86.emulate;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.x86.isa.Decoder;
import org.backplane.x86.isa.Insn;
import org.backplane.x86.isa.exec.Cpu;

/**
 * Fetches and decodes one instruction over the callbacks of {@code emulateOne}: in pieces that do not cross a page, and no byte of a page or behind the
 * segment's limit that the instruction does not reach.
 *
 * <p>A guest that is emulated at one place is emulated there often (the kernel's few stores to page tables): what was decoded lately is kept, and used
 * again if the bytes are the same.
 *
 * <p>Thread: that of the vCPU.
 */
final class InstructionFetch {
    private static final int KEPT = 64, PIECE = 8;

    private final VcpuContext v;
    private final CpuState s;
    private final OpsAdapter adapter;
    private final Decoder decoder = new Decoder();
    private final byte[] bytes = new byte[Decoder.MAX_LENGTH + 1];

    /** Decoded lately, by RIP: the instruction, of at most {@link #PIECE} bytes, and the piece that began with it. */
    private final Insn[] kept = new Insn[KEPT];

    private final long[] keptPiece = new long[KEPT];

    InstructionFetch(VcpuContext v, OpsAdapter adapter) {
        this.v = v;
        this.s = v.state;
        this.adapter = adapter;
    }

    /** The instruction at RIP; null if there is none of 15 bytes at most. */
    Insn fetch(Cpu c) {
        int bits = BlockBuilder.bits(c.mode);
        int have = 0;
        while (have < Decoder.MAX_LENGTH) {
            int size = piece(c, have);
            long piece = v.ioValue;
            int slot = (int) (s.rip ^ s.rip >>> 6) & KEPT - 1;
            if (have == 0 && size == PIECE) {
                Insn i = kept[slot];
                if (i != null && i.bits == bits && (piece ^ keptPiece[slot]) << 64 - 8 * i.length == 0) return i;
            }
            for (int n = 0; n < size; n++) bytes[have + n] = (byte) (piece >> 8 * n);
            have += size;
            Insn i = decoder.decode(bytes, 0, have, bits);
            if (i == null) continue;
            if (have == PIECE && size == PIECE) {
                kept[slot] = i;
                keptPiece[slot] = piece;
            }
            return i;
        }
        return null;
    }

    /** Reads the next piece into {@code ioValue} and answers its size. */
    private int piece(Cpu c, int have) {
        long ip = s.rip + have;
        if (ip > s.segLimit[CpuState.CS]) throw c.fault(Cpu.GP, 0);
        long gva = s.segBase[CpuState.CS] + ip & 0xffffffffL;
        int access = Intercepts.FETCH | (s.cpl == 3 ? Intercepts.USER : 0);
        boolean whole = have + PIECE <= bytes.length && (gva & 4095) <= 4096 - PIECE && ip + PIECE - 1 <= s.segLimit[CpuState.CS];
        int size = whole ? PIECE : 1;
        c.answer(adapter.result(adapter.ops.readStd(v, gva, size, access)));
        return size;
    }
}
