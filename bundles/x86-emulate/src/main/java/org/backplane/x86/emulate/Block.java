package org.backplane.x86.emulate;

/**
 * A decoded basic block: some elements and an end. It belongs to a place in host memory and a decode mode, not to a virtual
 * address, so it survives address-space switches and serves all mappings of its page.
 */
final class Block {
    /**
     * {@link org.backplane.x86.isa.exec.Cpu#mode} bits beyond those of the CPU: one instruction only, for single steps; or cut before a
     * debugger's breakpoints.
     */
    static final int STEP = 1 << 8, CUT = 1 << 9;

    /** Host address of the first byte, length in bytes, number of instructions, decode mode. */
    final long host;

    final int mode;
    int bytes, instructions;

    Op[] body;
    End end;

    /** False once its bytes were written to: nobody may enter it any more. */
    boolean valid = true;

    /** For a block whose one instruction crosses into another page: that page's host address. Such a block is never linked. */
    long secondPage;

    /** For a CUT block: the linear page and the generation of breakpoints that it was cut for. */
    long cutPage;

    int cutGeneration;

    /** Successors by {@link End#FALL} and {@link End#TAKEN} inside the same page. */
    Block fall, taken;

    Block(long host, int mode) {
        this.host = host;
        this.mode = mode;
    }

    /** Offset of the first byte in its page. */
    int pageOffset() {
        return (int) host & 0xfff;
    }

    /** Whether a block at {@code delta} bytes from this one's start is in the same page. */
    boolean samePage(long delta) {
        long at = pageOffset() + delta;
        return at >= 0 && at < 0x1000;
    }
}
