package org.backplane.kvm.spi.device;
public class RevokedException extends IllegalStateException {
    private static final long serialVersionUID = 1;
    public RevokedException(String slot) {
        super("the card in slot " + slot + " has been removed");
    }
}
