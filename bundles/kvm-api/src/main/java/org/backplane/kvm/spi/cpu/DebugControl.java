package org.backplane.kvm.spi.cpu;

import java.util.Arrays;

/**
 * What a debugger outside of the guest wants from the engine, and what the engine found: breakpoints, watchpoints and single step of one vCPU.
 *
 * <p><b>Guarantees.</b> The guest cannot tell that it is debugged. Nothing is written to its memory, and its own debug registers and
 * TF are not used: breakpoints and watchpoints are linear addresses kept here, any number of them, in every mode of the processor. They live as long as
 * the vCPU, so a swapped engine, MMU or backend finds them again.
 *
 * <p><b>Cost.</b> A page that holds a breakpoint gets no EXEC tag in the {@link SoftTlb}, one that holds a watched byte no READ or WRITE tag. So every
 * fetch from and access to such a page takes the engine's slow path, where this object is asked, and all other pages run as if it were not
 * there.
 *
 * <p><b>What the engine does.</b> While {@link #active}:
 * <ul>
 * <li>Before it executes the instruction at an address for which {@link #breaksAt} holds, it asks {@link #stopsBefore} and returns
 *     {@link Emulator#DEBUG_STOP} if so. An event that can be delivered at this boundary comes first.
 * <li>It reports accesses of instructions and of event delivery by {@link #access}; if that answers true, the current instruction is the last one before a
 *     boundary.
 * <li>When an instruction, or one element of a REP instruction, or the delivery of an event is complete, it calls {@link #completed}; when it
 *     unwinds with nothing done, {@link #dropped}.
 * <li>At each boundary it tests {@link #stopped} and returns {@link Emulator#DEBUG_STOP} if so.
 * </ul>
 * With {@link #singleStep} every completion is a stop: one step is one instruction, one element of a REP instruction (as TF has it), or the delivery of
 * one event, which stops at its handler's first instruction.
 *
 * <p><b>Thread.</b> {@link #set} and the answers are for the core, with the vCPU at a boundary; everything else is for the vCPU's thread.
 */
public final class DebugControl {
    /** Why it stopped. */
    public static final int NONE = 0, STEP = 1, BREAKPOINT = 2, WATCHPOINT = 3;

    /** Kinds of access that a watchpoint looks for, a bit set. */
    public static final int READ = 1, WRITE = 2;

    private static final long PAGE = ~0xfffL;
    private static final long[] NO_ADDRESSES = {};

    /** Anything at all is wanted. */
    public boolean active;

    /** Stop after whatever comes next. */
    public boolean singleStep;

    /** Grows whenever breakpoints change: code that was decoded with an older set in mind may run through a breakpoint. */
    public int generation;

    /** Sorted. */
    private long[] breakpoints = NO_ADDRESSES;

    /** First and last byte of each watched range, and what is looked for. */
    private long[] watchFirst = NO_ADDRESSES, watchLast = NO_ADDRESSES;

    private int[] watchKind = {};

    private int cause;
    private long address;
    private int access;

    /** A watched access of the instruction that is not complete yet: its kind, 0 when there is none, and the watched byte that it hit first. */
    private int hitKind;

    private long hitAddress;

    /** The breakpoint that was reported last, and the instructions retired then: the next run begins with the instruction there. */
    private long passedAt, passedCount = -1;

    // ---- for the core ----

    /**
     * Replaces what is wanted. The caller flushes the TLB if this answers true.
     *
     * @param breaks linear addresses of instructions
     * @param first linear addresses of the first watched bytes
     * @param last those of the last, not below the first
     * @param kinds bit sets of {@link #READ} and {@link #WRITE}
     * @return whether break- or watchpoints changed
     */
    public boolean set(boolean step, long[] breaks, long[] first, long[] last, int[] kinds) {
        long[] sorted = breaks.clone();
        Arrays.sort(sorted);
        boolean changed = !Arrays.equals(sorted, breakpoints)
                || !Arrays.equals(first, watchFirst)
                || !Arrays.equals(last, watchLast)
                || !Arrays.equals(kinds, watchKind);
        if (changed) {
            generation++;
            breakpoints = sorted;
            watchFirst = first.clone();
            watchLast = last.clone();
            watchKind = kinds.clone();
        }
        singleStep = step;
        active = step || sorted.length > 0 || first.length > 0;
        hitKind = 0;
        return changed;
    }

    /** Why the engine stopped, or {@link #NONE}. */
    public int cause() {
        return cause;
    }

    /** BREAKPOINT: its address. WATCHPOINT: the first watched byte that was hit. */
    public long address() {
        return address;
    }

    /** WATCHPOINT: the kind of access, {@link #READ} or {@link #WRITE}. */
    public int access() {
        return access;
    }

    /** The stop was reported, or is of no interest any more. */
    public void clear() {
        cause = NONE;
    }

    // ---- for the TLB ----

    /** A breakpoint lies in the page. */
    public boolean breaksIn(long page) {
        int i = Arrays.binarySearch(breakpoints, page);
        if (i < 0) i = -1 - i;
        return i < breakpoints.length && (breakpoints[i] & PAGE) == page;
    }

    /** What is watched for in the page, a bit set. */
    public int watchedIn(long page) {
        int kinds = 0;
        for (int i = 0; i < watchFirst.length; i++) {
            if ((watchFirst[i] & PAGE) <= page && watchLast[i] >= page) kinds |= watchKind[i];
        }
        return kinds;
    }

    // ---- for the engine ----

    /** There is a breakpoint at a linear address. */
    public boolean breaksAt(long gva) {
        return breakpoints.length > 0 && Arrays.binarySearch(breakpoints, gva) >= 0;
    }

    /** A whole block of instructions must not be run from here: a step is wanted, or a breakpoint may be here. */
    public boolean stepsAt(long gva) {
        return singleStep || breaksAt(gva);
    }

    /**
     * The instruction at {@code gva} is about to be executed: stop before it? Not if the stop at this breakpoint was the last thing reported.
     *
     * @param retired instructions retired so far
     */
    public boolean stopsBefore(long gva, long retired) {
        if (!breaksAt(gva) || gva == passedAt && retired == passedCount) return false;
        passedAt = gva;
        passedCount = retired;
        stop(BREAKPOINT, gva, 0);
        return true;
    }

    /**
     * An access to linear memory of {@code size} bytes is being made.
     *
     * @return whether it is watched for: then the engine must come to a boundary after this instruction
     */
    public boolean access(long gva, int size, boolean write) {
        int kind = write ? WRITE : READ;
        boolean hit = false;
        for (int i = 0; i < watchFirst.length; i++) {
            if ((watchKind[i] & kind) == 0 || gva > watchLast[i] || gva + size - 1 < watchFirst[i]) continue;
            hit = true;
            // A write is the better answer for an instruction that does both.
            if (hitKind == 0 || write && hitKind == READ) {
                hitKind = kind;
                hitAddress = Math.max(gva, watchFirst[i]);
            }
        }
        return hit;
    }

    /** Whether {@link #access} needs to be asked at all. */
    public boolean watches() {
        return watchFirst.length > 0;
    }

    /** An instruction, an element of a REP instruction, or an event's delivery is complete. */
    public void completed() {
        if (hitKind != 0) {
            stop(WATCHPOINT, hitAddress, hitKind);
            hitKind = 0;
        } else if (singleStep) {
            stop(STEP, 0, 0);
        }
    }

    /** The current instruction unwound and is executed again, or never: what it accessed does not count. */
    public void dropped() {
        hitKind = 0;
    }

    /** At a boundary behind a complete instruction: is there something to report? */
    public boolean stopped() {
        if (hitKind != 0) completed();
        return cause != NONE;
    }

    /** The first cause counts, but a watchpoint says more than a step. */
    private void stop(int why, long where, int how) {
        if (cause != NONE && !(cause == STEP && why == WATCHPOINT)) return;
        cause = why;
        address = where;
        access = how;
    }
}
