// SPDX-License-Identifier: Apache-2.0
package org.backplane.deploy;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine;
import org.backplane.board.api.Machine.SlotInfo;
import org.backplane.board.api.Machines;
import org.osgi.framework.Bundle;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The slots of all machines in which cards of one bundle are: they are handed to the next version together, or emptied. */
final class Slots {
    private static final Logger LOG = LoggerFactory.getLogger(Deployed.class);
    private static final String DEVICE = "device";

    /** A slot with a card of the bundle. */
    record Place(Machine machine, SlotInfo slot) {
        private String name() {
            return "machine " + machine.name() + ", slot " + slot.slot();
        }
    }

    private final Machines machines;

    Slots(Machines machines) {
        this.machines = machines;
    }

    List<Place> of(Bundle b) {
        List<Place> all = new ArrayList<>();
        for (Machine m : machines.list()) {
            for (SlotInfo s : m.slots()) {
                if (s.bundle().equals(b.getSymbolicName()) && s.version().equals(b.getVersion().toString())) all.add(new Place(m, s));
            }
        }
        return all;
    }

    /** Where a card goes on, for the end of a sentence; empty if it is nowhere. */
    static String names(List<Place> places) {
        return places.isEmpty() ? "" : places.stream().map(Place::name).collect(Collectors.joining("; ", " in ", ""));
    }

    /**
     * Has one bundle's cards replaced by another's, in all places or in none.
     *
     * @return null, or why not, one line
     */
    String move(String file, List<Place> places, Bundle from, Bundle to) {
        for (int i = 0; i < places.size(); i++) {
            Place p = places.get(i);
            try {
                Machine.SwapReport r = swap(p, to);
                LOG.info("{}: {}: {} -> {}, pause {} us", file, p.name(), r.from(), r.to(), r.pauseNanos() / 1000);
            } catch (BoardException e) {
                if (p.machine.state() == Machine.State.ENDED) continue;
                for (Place done : places.subList(0, i)) back(file, done, from);
                return "machine " + p.machine.name() + ": " + e.getMessage();
            }
        }
        return null;
    }

    private static Machine.SwapReport swap(Place p, Bundle to) throws BoardException {
        return p.machine.swap(p.slot.slot(), p.slot.type() + "#" + to.getBundleId());
    }

    private static void back(String file, Place p, Bundle to) {
        try {
            swap(p, to);
        } catch (BoardException e) {
            LOG.warn("{}: {}: the old card does not come back: {}", file, p.name(), e.getMessage());
        }
    }

    /**
     * Has other cards of the type take over from the bundle's; where there is none, a device is unplugged with its slot. A card of the CPU is waited for.
     */
    void empty(String file, Bundle b) {
        for (Place p : of(b)) {
            try {
                if (another(p, b)) {
                    Machine.SwapReport r = p.machine.swap(p.slot.slot(), null);
                    LOG.info("{}: {}: {} -> {}", file, p.name(), r.from(), r.to());
                    continue;
                }
                if (!p.slot.kind().equals(DEVICE)) {
                    LOG.warn("{}: {}: the machine waits for another card of type {}", file, p.name(), p.slot.type());
                    continue;
                }
            } catch (BoardException e) {
                LOG.warn("{}: {}: {}", file, p.name(), e.getMessage());
            }
            if (p.slot.kind().equals(DEVICE)) unplug(file, p);
        }
    }

    private boolean another(Place p, Bundle b) {
        return machines.cardTypes().stream()
                .anyMatch(c -> c.kind().equals(p.slot.kind()) && c.type().equals(p.slot.type()) && c.bundleId() != b.getBundleId());
    }

    private static void unplug(String file, Place p) {
        try {
            p.machine.unplug(p.slot.slot());
            LOG.info("{}: {}: unplugged", file, p.name());
        } catch (BoardException e) {
            LOG.warn("{}: {}: {}", file, p.name(), e.getMessage());
        }
    }
}
