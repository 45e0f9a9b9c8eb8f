package org.backplane.kvm.spi.device;

import java.util.List;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Facet of a card that people can do something with from outside of the guest: press its buttons, turn its knobs, look at its lamps. The shell offers
 * it as {@code card:use SLOT CONTROL ARGUMENT…}, and {@code Machine.use} to programs. Called as a callback of the card.
 */
@ConsumerType
public interface CardControls {
    /** What there is, in the order in which people should see it. The same at all times. */
    List<Control> controls();

    /**
     * Uses a control.
     *
     * @param control one of the names
     * @return what people are told; may be empty or several lines
     * @throws IllegalArgumentException if the arguments are wrong; the message says what they should be
     */
    String use(String control, List<String> arguments);

    /**
     * A control.
     *
     * @param name one word
     * @param arguments what it takes, written like {@code BUTTON [SECONDS]}; empty for none
     * @param description one line
     */
    record Control(String name, String arguments, String description) {}
}
