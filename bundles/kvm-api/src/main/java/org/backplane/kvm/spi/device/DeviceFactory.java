package org.backplane.kvm.spi.device;

import java.util.List;
import org.backplane.kvm.spi.CardFactory;
import org.osgi.annotation.versioning.ConsumerType;

/** Makes devices of one type. An OSGi service; {@link #type} is the name for {@code -device} and {@code plug}. */
@ConsumerType
public interface DeviceFactory extends CardFactory {
    /**
     * Service property: how the card wants to be plugged when its bundle is put into {@code deploy/}. The properties of its slot, written as behind the type of
     * {@code -device} ({@code window=0xfeb00000,irq=11}, with {@code id=NAME} for the slot's name), or {@link #PLUG_NOT}. Without it the card is plugged with
     * its defaults, if it has a place by default.
     */
    String PLUG = "backplane.plug";

    /** Value of {@link #PLUG}: not by itself. */
    String PLUG_NOT = "no";

    /**
     * What the device claims and where it sits unless the slot's properties say otherwise. The board shows it in lists, checks
     * properties against it, and resolves the names that the device uses with its {@link DeviceContext}.
     */
    List<Resource> resources();

    /** Properties that a slot may set, with their defaults; an unknown one is refused. */
    default List<Property> properties() {
        return List.of();
    }

    /** How the state that {@code save} writes changed over its versions. Asked of this card for older states that it loads, and for its own in an older card. */
    default StateRules stateRules() {
        return StateRules.NONE;
    }

    /** Makes a device that is not attached yet. Cheap, no side effect. */
    Device create();

    /**
     * A property of the card.
     *
     * @param name as in {@code -device TYPE,name=value}
     * @param defaultValue used when the slot does not set it
     * @param description one line
     */
    record Property(String name, String defaultValue, String description) {}
}
