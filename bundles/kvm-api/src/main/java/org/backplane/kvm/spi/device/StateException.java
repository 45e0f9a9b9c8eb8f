package org.backplane.kvm.spi.device;

/** A saved state cannot be taken. The message names the card, the value and what is wrong. */
public class StateException extends Exception {
    private static final long serialVersionUID = 1;

    public StateException(String message) {
        super(message);
    }
}
