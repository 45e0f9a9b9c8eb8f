package com.example.gpio;

import java.util.ArrayList;
import java.util.List;

/** The front panels of the cards of this bundle that are in service, in all machines. Any thread may call. */
final class Panels {
    /** Told when there is a first panel, and when the last one is gone. */
    interface Listener {
        void first(Panels panels);

        void last();
    }

    private final Listener listener;
    private final List<Panel> inService = new ArrayList<>();
    private boolean closed;

    Panels(Listener listener) {
        this.listener = listener;
    }

    /** Comes into service; nothing happens if it is already. */
    synchronized void add(Panel p) {
        if (closed || inService.contains(p)) return;
        inService.add(p);
        if (inService.size() == 1) listener.first(this);
    }

    /** Goes out of service; nothing happens if it is not in it. */
    synchronized void remove(Panel p) {
        if (inService.remove(p) && inService.isEmpty()) listener.last();
    }

    /** The bundle stops. */
    synchronized void close() {
        closed = true;
        if (!inService.isEmpty()) listener.last();
        inService.clear();
    }

    synchronized List<Panel> all() {
        return List.copyOf(inService);
    }

    /**
     * The panel of this name, or with null the only one.
     *
     * @throws IllegalArgumentException if there is none, or more than one
     */
    Panel find(String name) {
        List<Panel> found = all().stream().filter(p -> name == null || p.name().equals(name)).toList();
        if (found.size() == 1) return found.getFirst();
        if (found.isEmpty()) throw new IllegalArgumentException(name == null ? "there is no panel" : "there is no panel '" + name + "'");
        throw new IllegalArgumentException(
                name == null ? "there are several panels (panel:show lists them): give a name" : "several panels are named '" + name + "': give their slots the property panel=NAME");
    }
}
