package org.backplane.kvm.spi.exit;

/**
 * Details of the last VM exit of a vCPU: the exit-information fields of the VMCS (SDM 3C 24.9). One mutable object a
 * vCPU, filled by the backend; valid until the next entry.
 */
public final class VmExit {
    /** Basic exit reason, 16 bits, with bit 31 for a failed VM entry. */
    public int reason;

    /** Exit qualification; its meaning depends on the reason (SDM 3C 27.2.1). */
    public long qualification;

    /** Length of the instruction that caused the exit, in bytes. */
    public int insnLength;

    /** Interruption information and error code of an exception exit (SDM 3C 24.9.2). */
    public int interruptionInfo, interruptionError;

    /** VM-exit instruction information, of the exits that have it (SDM 3C 27.2.4); else 0. */
    public int instructionInformation;

    /** Linear address and physical address, where the reason has them. */
    public long gva, gpa;

    /**
     * The value that a CR, DR or MSR write carries: what the handler would otherwise fetch from the register that the exit names. For observers also
     * that of a port or MMIO write.
     */
    public long value;

    /** VM-instruction error number of a failed VMLAUNCH/VMRESUME, 0 if none. */
    public int instructionError;

    /** The rule of SDM 26 that a failed entry broke, or what is wrong with the tables the processor walks, for people; null if none. */
    public String failedCheck;

    /** Name of the reason, for people. */
    @Override
    public String toString() {
        String text = ExitReasons.name(reason) + " qualification 0x" + Long.toHexString(qualification);
        return failedCheck == null ? text : text + " (" + failedCheck + ")";
    }
}
