package org.backplane.kvm.spi.device;
public class StateException extends Exception {
    private static final long serialVersionUID = 1;
    public StateException(String message) {
        super(message);
    }
}
