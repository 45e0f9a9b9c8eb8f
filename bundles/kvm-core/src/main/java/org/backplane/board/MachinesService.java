package org.backplane.board;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine;
import org.backplane.board.api.MachineFrontEnd;
import org.backplane.board.api.Machines;
import org.backplane.board.cards.Card;
import org.backplane.board.cards.CardRegistry;
import org.backplane.board.machine.PcMachine;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;

/** The machines of this container, in order of creation. When the core's bundle stops, they stop, in order. */
@Component
public final class MachinesService implements Machines {
    private final CardRegistry registry;
    private final FrontEnds frontEnds = new FrontEnds();
    private final Map<String, PcMachine> machines = new LinkedHashMap<>();

    @Activate
    public MachinesService(@Reference CardRegistry registry) {
        this.registry = registry;
    }

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void addFrontEnd(MachineFrontEnd frontEnd) {
        frontEnds.add(frontEnd, this::list);
    }

    void removeFrontEnd(MachineFrontEnd frontEnd) {
        frontEnds.remove(frontEnd);
    }

    @Override
    public Machine create(String name, Map<String, List<String>> config) throws BoardException {
        if (!name.matches("[A-Za-z0-9_.-]+")) throw new BoardException("'" + name + "' is no name for a machine");
        synchronized (machines) {
            if (machines.containsKey(name)) throw new BoardException("there is a machine '" + name + "' already");
            frontEnds.check(config);
            PcMachine m = new PcMachine(name, config, registry, () -> forget(name));
            machines.put(name, m);
            try {
                frontEnds.serve(m);
            } catch (BoardException e) {
                m.stop();
                throw e;
            }
            return m;
        }
    }

    @Override
    public List<Machine> list() {
        synchronized (machines) {
            return List.copyOf(machines.values());
        }
    }

    @Override
    public Optional<Machine> find(String name) {
        synchronized (machines) {
            return Optional.ofNullable(machines.get(name));
        }
    }

    private void forget(String name) {
        synchronized (machines) {
            machines.remove(name);
        }
    }

    @Override
    public List<CardType> cardTypes() {
        return registry.all().stream().map(MachinesService::describe).toList();
    }

    private static CardType describe(Card c) {
        return new CardType(
                c.kind().label(), c.type(), c.factory().description(), c.bundle(), c.version(), c.bundleId());
    }

    @Deactivate
    void stop() {
        list().forEach(Machine::stop);
    }
}
