package org.backplane.kvm.spi.device;
public class ClaimException extends RuntimeException {
    private static final long serialVersionUID = 1;
    public ClaimException(String message) {
        super(message);
    }
}
