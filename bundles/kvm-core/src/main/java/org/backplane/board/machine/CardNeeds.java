package org.backplane.board.machine;

import java.util.LinkedHashMap;
import java.util.Map;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.Resource;

/**
 * What a card declares: its properties with their default values, and its resources, both by name. A staged card has its own, so that one that is
 * refused leaves nothing behind.
 */
record CardNeeds(String type, Map<String, String> defaults, Map<String, Resource> resources) {
    static CardNeeds of(String type, DeviceFactory factory) {
        Map<String, String> defaults = new LinkedHashMap<>();
        Map<String, Resource> resources = new LinkedHashMap<>();
        for (DeviceFactory.Property p : factory.properties()) defaults.put(p.name(), p.defaultValue());
        for (Resource r : factory.resources()) resources.put(r.name(), r);
        return new CardNeeds(type, defaults, resources);
    }

    /** No card yet. */
    static CardNeeds none(String type) {
        return new CardNeeds(type, Map.of(), Map.of());
    }

    /** @throws IllegalArgumentException if the card asks for what it does not declare */
    Resource resource(String name) {
        Resource r = resources.get(name);
        if (r == null) throw undeclared("'" + name + "'");
        return r;
    }

    /** @throws IllegalArgumentException if the card asks for what it does not declare */
    Resource resource(Resource.Kind kind, String name) {
        Resource r = resources.get(name);
        if (r == null || r.kind() != kind) throw undeclared(kind + " '" + name + "'");
        return r;
    }

    IllegalArgumentException undeclared(String what) {
        return new IllegalArgumentException("card " + type + " asks for " + what + " that it does not declare");
    }
}
