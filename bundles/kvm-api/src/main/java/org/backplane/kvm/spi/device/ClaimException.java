package org.backplane.kvm.spi.device;

/** A range is taken. The message names both cards and the range. */
public class ClaimException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public ClaimException(String message) {
        super(message);
    }
}
