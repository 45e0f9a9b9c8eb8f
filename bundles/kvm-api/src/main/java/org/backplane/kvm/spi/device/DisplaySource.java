package org.backplane.kvm.spi.device;

import org.osgi.annotation.versioning.ConsumerType;

/** Facet of a card with a screen. Called as a callback of the card. */
@ConsumerType
public interface DisplaySource {
    /** Renders the screen as it is now. */
    Frame render();

    /** The characters of a text screen, one string a row (CP437 as Unicode); empty in a graphics mode. */
    String[] text();

    /**
     * A picture.
     *
     * @param pixels {@code 0xRRGGBB}, row by row
     */
    record Frame(int width, int height, int[] pixels) {}
}
