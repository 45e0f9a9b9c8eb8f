package org.backplane.vmx;

/** VMfailValid: a VMX instruction failed with an error number (SDM 3C 30.4). */
final class VmFailException extends RuntimeException {
    /** VMLAUNCH of a VMCS that is not clear; VMRESUME of one that is not launched. */
    static final int LAUNCH_NOT_CLEAR = 4, RESUME_NOT_LAUNCHED = 5;

    /** VM entry with bad control or host-state fields. */
    static final int BAD_CONTROLS = 7, BAD_HOST_STATE = 8;

    /** VMREAD or VMWRITE of a field that does not exist; VMWRITE of a read-only one. */
    static final int UNSUPPORTED_FIELD = 12, READ_ONLY_FIELD = 13;

    final int error;

    VmFailException(int error, String what) {
        super("VM-instruction error " + error + ": " + what);
        this.error = error;
    }
}
