package org.backplane.vmx;

/** VMfail: a VMX instruction failed; VMfailValid with an error number, or VMfailInvalid (SDM 3C 30.2, 30.4). */
final class VmFailException extends RuntimeException {
    /** VMfailInvalid: there is no current VMCS to keep an error number in. */
    static final int INVALID = 0;

    /** VMCLEAR with an invalid address, or with that of the VMXON region. */
    static final int CLEAR_ADDRESS = 2, CLEAR_VMXON = 3;

    /** VMLAUNCH of a VMCS that is not clear; VMRESUME of one that is not launched. */
    static final int LAUNCH_NOT_CLEAR = 4, RESUME_NOT_LAUNCHED = 5;

    /** VM entry with bad control or host-state fields. */
    static final int BAD_CONTROLS = 7, BAD_HOST_STATE = 8;

    /** VMPTRLD with an invalid address, with that of the VMXON region, or of a region with another revision. */
    static final int LOAD_ADDRESS = 9, LOAD_VMXON = 10, LOAD_REVISION = 11;

    /** VMREAD or VMWRITE of a field that does not exist; VMWRITE of a read-only one. */
    static final int UNSUPPORTED_FIELD = 12, READ_ONLY_FIELD = 13;

    /** VMXON in VMX root operation. */
    static final int VMXON_IN_ROOT = 15;

    final int error;

    VmFailException(int error, String what) {
        super((error == INVALID ? "VMfailInvalid: " : "VM-instruction error " + error + ": ") + what);
        this.error = error;
    }
}
