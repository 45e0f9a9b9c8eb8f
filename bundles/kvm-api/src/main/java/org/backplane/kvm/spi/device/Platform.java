package org.backplane.kvm.spi.device;

import org.osgi.annotation.versioning.ProviderType;

/** Lines of the chipset that a card may pull. They take effect at the next boundary. */
@ProviderType
public interface Platform {
    /** Resets the whole machine; {@code reason} is for the log. */
    void reset(String reason);

    /** The A20 gate: while off, bit 20 of every guest physical address is 0. */
    void setA20(boolean enabled);

    boolean a20();

    /** Switches the machine off: {@code run} ends with status 0. */
    void powerOff();

    /** Ends the machine with an exit status (isa-debug-exit). */
    void exit(int status);

    /** RAM in bytes, for CMOS. */
    long ramSize();

    /** What the machine is told to boot from, such as {@code a}. */
    String bootOrder();

    /** A POST code was written: shown by the board, kept as the last one. */
    void postCode(int code);
}
