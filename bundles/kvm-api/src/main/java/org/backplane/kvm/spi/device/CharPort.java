package org.backplane.kvm.spi.device;

import org.osgi.annotation.versioning.ProviderType;

/** A character back end (console, file, socket), as the device sees it. It stays when the card is swapped. */
@ProviderType
public interface CharPort {
    /** Sends one byte. Never blocks for long and never loses a byte. */
    void write(int b);

    /** Takes the next byte of input, 0 to 255, or -1 when none waits. */
    int read();

    /** A byte of input waits. */
    boolean readable();

    /** Called, as a callback of the card, when input arrives after {@link #read} answered -1. Set in attach. */
    void onInput(Runnable callback);
}
