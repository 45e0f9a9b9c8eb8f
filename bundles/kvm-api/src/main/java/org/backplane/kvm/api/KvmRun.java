package org.backplane.kvm.api;

/**
 * The page that {@link Vcpu#run} shares with its caller, {@code struct kvm_run}.
 *
 * <p>A port or MMIO access is completed at the next {@code run}: for a read the caller puts the bytes into {@link #data} and calls {@code
 * run} again. A write is complete when {@code run} returns.
 */
public final class KvmRun {
    /** Values of {@link #exitReason}, numbered as in KVM. */
    public enum Exit {
        UNKNOWN,
        EXCEPTION,
        IO,
        HYPERCALL,
        DEBUG,
        HLT,
        MMIO,
        IRQ_WINDOW_OPEN,
        SHUTDOWN,
        FAIL_ENTRY,
        INTR,
        SET_TPR,
        /** Later than 2007: the instruction at RIP cannot be emulated. */
        INTERNAL_ERROR
    }

    /** in: return with IRQ_WINDOW_OPEN as soon as an interrupt can be injected. */
    public boolean requestInterruptWindow;

    /** out: why run returned. */
    public Exit exitReason = Exit.UNKNOWN;

    /** out: an interrupt can be injected now; IF; CR8 and APIC base. */
    public boolean readyForInterruptInjection;

    public boolean ifFlag;
    public long cr8;
    public long apicBase;

    /** UNKNOWN and FAIL_ENTRY: the hardware's exit reason. */
    public long hardwareExitReason;

    /** IO: true for OUT. */
    public boolean ioOut;

    /** IO: access size 1, 2 or 4, port, and number of accesses (above 1 for string instructions). */
    public int ioSize;

    public int ioPort;
    public int ioCount;

    /** MMIO: address, length 1 to 8, direction. */
    public long mmioAddress;

    public int mmioLength;
    public boolean mmioWrite;

    /** IO and MMIO: the bytes, little-endian; for IO {@code ioSize * ioCount} of them. */
    public final byte[] data = new byte[4096];

    /** EXCEPTION; for DEBUG always #DB. */
    public int exception;

    public int errorCode;

    /** Values of {@link #debugCause}. */
    public enum DebugCause {
        /** One instruction, one element of a REP instruction, or the delivery of one event is done. */
        STEP,
        /** The instruction at {@link #debugAddress} is about to be executed. */
        BREAKPOINT,
        /** The last instruction, or an event's delivery, made a watched access, which is done. */
        WATCHPOINT
    }

    /** DEBUG: why. */
    public DebugCause debugCause = DebugCause.STEP;

    /** DEBUG: linear address of the breakpoint, or of the first watched byte that was accessed; else of the next instruction. */
    public long debugAddress;

    /** DEBUG with WATCHPOINT: the access was a write. */
    public boolean debugWrite;

    /** INTERNAL_ERROR and FAIL_ENTRY: what is wrong, for people. */
    public String message = "";

    /** The first {@code size} bytes of {@link #data} as a number. */
    public long dataValue(int size) {
        long v = 0;
        for (int i = size - 1; i >= 0; i--) v = v << 8 | data[i] & 0xff;
        return v;
    }

    /** Puts a number into the first {@code size} bytes of {@link #data}. */
    public void setData(int size, long value) {
        for (int i = 0; i < size; i++) data[i] = (byte) (value >>> 8 * i);
    }
}
