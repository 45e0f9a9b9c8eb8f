package org.backplane.shell;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine;
import org.backplane.board.api.Machines;

/** A board that makes {@link FakeMachine}s. */
final class FakeMachines implements Machines {
    final List<FakeMachine> all = new ArrayList<>();

    @Override
    public Machine create(String name, Map<String, List<String>> config) throws BoardException {
        if (find(name).isPresent()) throw new BoardException("there is a machine '" + name + "' already");
        FakeMachine m = new FakeMachine(name, config);
        all.add(m);
        m.ended().thenAccept(e -> all.remove(m));
        return m;
    }

    FakeMachine get(String name) {
        return all.stream().filter(m -> m.name().equals(name)).findFirst().orElseThrow();
    }

    @Override
    public List<Machine> list() {
        return List.copyOf(all);
    }

    @Override
    public Optional<Machine> find(String name) {
        return all.stream().filter(m -> m.name().equals(name)).map(Machine.class::cast).findFirst();
    }

    @Override
    public List<CardType> cardTypes() {
        return List.of(
                new CardType("device", "serial", "serial port", "org.backplane.dev-serial", "0.1.0", 1),
                new CardType("device", "serial", "serial port", "org.backplane.dev-serial", "0.2.0", 2),
                new CardType("device", "vga", "display", "org.backplane.dev-vga", "0.1.0", 3),
                new CardType("mmu", "direct", "two-dimensional", "org.backplane.direct-mmu", "0.1.0", 4),
                new CardType("mmu", "shadow", "shadow", "org.backplane.shadow-mmu", "0.1.0", 5),
                new CardType("image", "demo", "floppy", "org.backplane.firmware", "0.1.0", 6));
    }
}
