package org.backplane.kvm.core.vm;

import java.util.Arrays;
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
 *
 * <p>An instruction may read and write any number of MMIO places (FSAVE, a store across two pages). Its reads are answered one {@code run} after
 * the other; its writes are kept and handed out one a {@code run}, in order, before the guest goes on.
 */
final class UserExit {
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

    /** Values that the caller gave, for the instruction that is executed again; a port's address is -1 - port. */
    private final Accesses replies = new Accesses();

    /** MMIO writes of the last instruction; {@code told} of them have been reported. */
    private final Accesses writes = new Accesses();

    private int told;

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
        return inSize == 0 && !replyOwed && told == writes.size();
    }

    /** {@code run} is called again: take what the caller gave. An exit may be {@link #pending} at once. */
    void complete() {
        pending = false;
        if (told < writes.size()) tellWrite();
        if (inSize != 0) {
            long mask = inSize == 4 ? -1L : (1L << 8 * inSize) - 1;
            long old = inSize == 4 ? 0 : v.state.gpr[CpuState.RAX];
            v.state.gpr[CpuState.RAX] = old & ~mask | run.dataValue(inSize) & mask & 0xffffffffL;
            inSize = 0;
        }
        if (replyOwed) {
            replyOwed = false;
            replies.add(replyAddress, replySize, run.dataValue(replySize));
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
        if (string() && reply(-1L - port, size)) return Intercepts.DONE;
        portExit(port, size, false);
        if (string()) {
            owe(-1L - port, size);
            return Intercepts.EXIT;
        }
        inSize = size;
        v.ioValue = 0;
        leaveAfterExit();
        return Intercepts.DONE;
    }

    int portOut(int port, int size, int value) {
        portExit(port, size, true);
        run.setData(size, value);
        leaveAfterExit();
        return Intercepts.DONE;
    }

    private boolean string() {
        return (v.ioString & VcpuContext.STRING) != 0;
    }

    private void leaveAfterExit() {
        v.leaveAfterExit = true;
        v.leave = true;
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
        if (told == writes.size()) {
            writes.clear();
            told = 0;
        }
        writes.add(gpa, size, value);
        if (!pending) tellWrite();
        leaveAfterExit();
        return Intercepts.DONE;
    }

    /** Reports the next write that the caller does not know of. */
    private void tellWrite() {
        mmioExit(writes.address(told), writes.bytes(told), true);
        run.setData(writes.bytes(told), writes.value(told));
        told++;
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
        if (v.instructions != repliesFor) replies.clear();
        // The instruction is executed again, and its writes with it.
        writes.clear();
        told = 0;
    }

    private boolean reply(long address, int size) {
        if (replies.size() == 0) return false;
        int at = v.instructions == repliesFor ? replies.last(address, size) : -1;
        if (at < 0) {
            if (v.instructions != repliesFor) replies.clear();
            return false;
        }
        v.ioValue = replies.value(at);
        replyUnused = false;
        // An INS reads its port again for the next element; an MMIO address is another one for each element.
        if (address < 0) replies.clear();
        return true;
    }

    /** A list of accesses that grows as it must and makes no garbage. */
    private static final class Accesses {
        private long[] addresses = new long[8];
        private int[] sizes = new int[8];
        private long[] values = new long[8];
        private int size;

        int size() {
            return size;
        }

        void clear() {
            size = 0;
        }

        void add(long address, int bytes, long value) {
            if (size == addresses.length) {
                addresses = Arrays.copyOf(addresses, 2 * size);
                sizes = Arrays.copyOf(sizes, 2 * size);
                values = Arrays.copyOf(values, 2 * size);
            }
            addresses[size] = address;
            sizes[size] = bytes;
            values[size++] = value;
        }

        long address(int at) {
            return addresses[at];
        }

        int bytes(int at) {
            return sizes[at];
        }

        long value(int at) {
            return values[at];
        }

        /** The newest access to this place with this width, or -1. */
        int last(long address, int bytes) {
            for (int i = size - 1; i >= 0; i--) if (addresses[i] == address && sizes[i] == bytes) return i;
            return -1;
        }
    }
}
