package org.backplane.x86.emulate;

import java.util.Arrays;
import org.backplane.kvm.spi.cpu.DebugControl;
import org.backplane.kvm.spi.cpu.HostMemory;
import org.backplane.x86.isa.Decoder;
import org.backplane.x86.isa.Insn;
import org.backplane.x86.isa.Opcode;
import org.backplane.x86.isa.exec.Cpu;

/** Turns bytes into blocks: decodes up to a transfer of control, an instruction that may change the mode, or the end of the page. */
final class BlockBuilder {
    /** The most instructions in a block; bounds how far a run can go beyond its budget. */
    static final int MAX_INSTRUCTIONS = 48;

    private static final int PAGE = 0x1000;

    private final Decoder decoder = new Decoder();
    private final byte[] bytes = new byte[PAGE + 2 * Decoder.MAX_LENGTH];
    private final DeadFlags dead = new DeadFlags();
    private final Op[] ops = new Op[MAX_INSTRUCTIONS];

    /** Breakpoints to stop at, or null; and the linear address of the block. */
    private DebugControl cuts;

    private long cutsFrom;

    static int bits(int mode) {
        return (mode & Cpu.CODE64) != 0 ? 64 : (mode & Cpu.CODE32) != 0 ? 32 : 16;
    }

    /**
     * Builds the block at a host address.
     *
     * @return null when its first instruction goes on in the next page: use {@link #crossing}
     */
    Block build(long host, int mode) {
        int available = PAGE - ((int) host & PAGE - 1);
        int max = (mode & Block.STEP) != 0 ? 1 : MAX_INSTRUCTIONS;
        int window = Math.min(available, max * Decoder.MAX_LENGTH);
        HostMemory.copy(host, bytes, 0, window);
        Block b = new Block(host, mode);
        return fill(b, window, max) ? b : null;
    }

    /**
     * Builds the block at a host address that ends before the next of a debugger's breakpoints, if it has not ended by then.
     *
     * @param gva linear address of the block
     */
    Block build(long host, int mode, DebugControl debug, long gva) {
        cuts = debug;
        cutsFrom = gva;
        Block b = build(host, mode);
        cuts = null;
        if (b != null) {
            b.cutPage = gva & -PAGE;
            b.cutGeneration = debug.generation;
        }
        return b;
    }

    /** Builds a block of the one instruction that begins in the last bytes of a page and ends in another. */
    Block crossing(long host, long secondPage, int mode) {
        int first = PAGE - ((int) host & PAGE - 1);
        HostMemory.copy(host, bytes, 0, first);
        HostMemory.copy(secondPage, bytes, first, Decoder.MAX_LENGTH);
        Block b = new Block(host, mode);
        b.secondPage = secondPage;
        fill(b, first + Decoder.MAX_LENGTH, 1);
        return b;
    }

    /** Builds a block of one instruction from bytes that are not in RAM. */
    Block detached(byte[] code, int mode) {
        System.arraycopy(code, 0, bytes, 0, Decoder.MAX_LENGTH);
        Block b = new Block(0, mode);
        fill(b, Decoder.MAX_LENGTH, 1);
        return b;
    }

    private boolean fill(Block b, int window, int max) {
        int at = 0, n = 0, count = 0;
        Insn last = null;
        dead.begin();
        End end = null;
        while (n < max && end == null) {
            if (n > 0 && cuts != null && cuts.breaksAt(cutsFrom + at)) break;
            Insn i = decoder.decode(bytes, at, window - at, bits(b.mode));
            if (i == null) break;
            i.offset = at;
            i.index = n;
            at += i.length;
            n++;
            Opcode o = i.opcode;
            if (o.is(Opcode.END)) {
                end = new Generic.Last(i).at(i);
            } else if (o.is(Opcode.JUMP)) {
                if (max > 1) {
                    end = HotEnds.fused(last, i, b.mode);
                    if (end != null) count--;
                }
                if (end == null) end = HotEnds.of(i, b.mode);
            } else {
                ops[count] = HotOps.of(i, b.mode);
                if (max > 1) dead.next(ops, count, i);
                count++;
            }
            last = i;
        }
        if (n == 0) return false;
        if (end == null) {
            end = new End.Cut();
            end.offset = at;
            end.index = n;
        }
        if (max > 1) count = Stack.join(ops, count);
        b.body = Arrays.copyOf(ops, count);
        b.end = end;
        b.bytes = at;
        b.instructions = n;
        return true;
    }

}
