package org.backplane.x86.isa.fpu;

import org.backplane.kvm.spi.cpu.CpuState;

/**
 * Raising of x87 exceptions (SDM 1 8.4, 8.5): sets flags in the status word and says whether the masked response applies.
 */
final class Status {
    private Status() {}

    /**
     * Raises exceptions; ES and B are set when one of them is unmasked.
     *
     * @param flags {@code X87.IE} to {@code X87.PE}
     * @return true when all of them are masked
     */
    static boolean raise(CpuState s, int flags) {
        s.fpStatus |= flags;
        if ((flags & ~s.fpControl & X87.EXCEPTIONS) == 0) return true;
        s.fpStatus |= X87.ES | X87.B;
        return false;
    }

    /** Stack underflow: an operand is empty. C1 = 0 tells it from overflow. Returns whether it is masked. */
    static boolean underflow(CpuState s) {
        s.fpStatus = s.fpStatus & ~X87.C1 | X87.SF;
        return raise(s, X87.IE);
    }

    /** Stack overflow: the register to push into is not empty. Returns whether it is masked. */
    static boolean overflow(CpuState s) {
        s.fpStatus |= X87.SF | X87.C1;
        return raise(s, X87.IE);
    }

    /** Makes ES and B follow the flags and masks, as after a load of either word. */
    static void summarize(CpuState s) {
        if ((s.fpStatus & ~s.fpControl & X87.EXCEPTIONS) != 0) s.fpStatus |= X87.ES | X87.B;
        else s.fpStatus &= ~(X87.ES | X87.B);
    }
}
