package org.backplane.kvm.spi.boot;

/** A kernel cannot be booted. The message is one line and names the file and what is wrong with it. */
public class BootException extends Exception {
    private static final long serialVersionUID = 1;

    public BootException(String message) {
        super(message);
    }
}
