package org.backplane.kvm.spi.device;

import org.osgi.annotation.versioning.ConsumerType;

/** Facet of the card with the keyboard. Called as a callback of the card. */
@ConsumerType
public interface KeyboardInput {
    /**
     * A key was pressed or released.
     *
     * @param key PC/AT set-1 make code; extended keys (E0 prefix) are {@code 0xe000 | code}, Pause is {@code 0xe11d45}
     * @return false if the keyboard's buffer is full: offer it again later
     */
    boolean key(int key, boolean down);
}
