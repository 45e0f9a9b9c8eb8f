package org.backplane.kvm.core.vm;

import org.backplane.kvm.api.KvmRun;
import org.backplane.kvm.api.KvmRun.Exit;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.VcpuContext;

/**
 * Exits that go to the caller of {@code run}, and the completion of the accesses behind them (kvm-internals: an access is
 * completed at the next KVM_RUN).
 *
 * <p>A write, and a plain IN, complete their instruction first and leave then; the value of an IN is put into AL, AX or EAX when {@code run}
 * is called again. An MMIO read and INS leave before anything is committed; the next {@code run} executes the
 * instruction again, and this time the access finds its answer here.
 */
final class UserExit {
    private static final int REPLIES = 8;

    private final VcpuContext v;
    private final KvmRun run;

    /** An exit for the caller is pending: leave. */
    private boolean pending;

    /** The caller owes a value for a plain IN of this size. */
    private int inSize;

    /** The caller owes a value for an access that is executed again. */
    private boolean replyOwed;

    private long replyAddress;
    private int replySize;

    /** Values that the caller gave, consumed by the instruction that is executed again. */
    private final long[] addresses = new long[REPLIES];

    private final int[] sizes = new int[REPLIES];
    private final long[] values = new long[REPLIES];
    private int replies;

    /** The caller has given a value and the instruction has not taken it yet. */
    private boolean replyUnused;

    private long repliesFor;

    UserExit(VcpuContext v, KvmRun run) {
        this.v = v;
        this.run = run;
    }

    boolean pending() {
        return pending;
    }

    /** No half-done access waits for the caller: the vCPU can be saved or its cards swapped. */
    boolean idle() {
        return inSize == 0 && !replyOwed;
    }

    /** {@code run} is called again: take what the caller gave. */
    void complete() {
        pending = false;
        if (inSize != 0) {
            long mask = inSize == 4 ? -1L : (1L << 8 * inSize) - 1;
            long old = inSize == 4 ? 0 : v.state.gpr[CpuState.RAX];
            v.state.gpr[CpuState.RAX] = old & ~mask | run.dataValue(inSize) & mask & 0xffffffffL;
            inSize = 0;
        }
        if (replyOwed) {
            replyOwed = false;
            int at = replies % REPLIES;
            addresses[at] = replyAddress;
            sizes[at] = replySize;
            values[at] = run.dataValue(replySize);
            replies++;
            repliesFor = v.instructions;
            replyUnused = true;
        }
    }

    /** The next instruction must be the one that takes the caller's value: no event may come before it. */
    boolean replying() {
        if (replyUnused && v.instructions != repliesFor) replyUnused = false;
        return replyUnused;
    }

    int portIn(int port, int size) {
        if (v.ioString != 0 && reply(-1L - port, size)) return Intercepts.DONE;
        portExit(port, size, false);
        if (v.ioString != 0) {
            owe(-1L - port, size);
            return Intercepts.EXIT;
        }
        inSize = size;
        v.ioValue = 0;
        v.leave = true;
        return Intercepts.DONE;
    }

    int portOut(int port, int size, int value) {
        portExit(port, size, true);
        run.setData(size, value);
        v.leave = true;
        return Intercepts.DONE;
    }

    private void portExit(int port, int size, boolean out) {
        pending = true;
        run.exitReason = Exit.IO;
        run.ioOut = out;
        run.ioPort = port;
        run.ioSize = size;
        run.ioCount = 1;
    }

    int mmioRead(long gpa, int size) {
        if (reply(gpa, size)) return Intercepts.DONE;
        mmioExit(gpa, size, false);
        owe(gpa, size);
        return Intercepts.EXIT;
    }

    int mmioWrite(long gpa, int size, long value) {
        mmioExit(gpa, size, true);
        run.setData(size, value);
        v.leave = true;
        return Intercepts.DONE;
    }

    private void mmioExit(long gpa, int size, boolean write) {
        pending = true;
        run.exitReason = Exit.MMIO;
        run.mmioAddress = gpa;
        run.mmioLength = size;
        run.mmioWrite = write;
    }

    /** Leaves with a reason that has no completion. */
    void leave(Exit reason, String message) {
        pending = true;
        run.exitReason = reason;
        run.message = message;
    }

    private void owe(long address, int size) {
        replyOwed = true;
        replyAddress = address;
        replySize = size;
        if (v.instructions != repliesFor) replies = 0;
    }

    private boolean reply(long address, int size) {
        if (replies == 0) return false;
        if (v.instructions != repliesFor) {
            replies = 0;
            return false;
        }
        for (int i = Math.min(replies, REPLIES) - 1; i >= 0; i--) {
            if (addresses[i] == address && sizes[i] == size) {
                v.ioValue = values[i];
                replyUnused = false;
                // An INS reads its port again for the next element; an MMIO address is another one for each element.
                if (address < 0) replies = 0;
                return true;
            }
        }
        return false;
    }
}
