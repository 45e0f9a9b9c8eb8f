package org.backplane.kvm.spi.device;

/** The card has left its slot, or was cut off: its context serves nobody any more. */
public class RevokedException extends IllegalStateException {
    private static final long serialVersionUID = 1;

    public RevokedException(String slot) {
        super("the card in slot " + slot + " has been removed");
    }
}
