package org.backplane.board;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine;
import org.backplane.board.api.Machines;
import org.junit.jupiter.api.Test;

class ConfiguredMachineTest {
    private final List<String> calls = new ArrayList<>();
    private Machine.State state = Machine.State.CREATED;
    private boolean refuse;

    private final Machines board = new Machines() {
        @Override
        public Machine create(String name, Map<String, List<String>> config) throws BoardException {
            if (refuse) throw new BoardException("no");
            calls.add("create " + name + " " + new TreeMap<>(config));
            state = Machine.State.CREATED;
            return machine(name);
        }

        @Override
        public List<Machine> list() {
            return List.of();
        }

        @Override
        public Optional<Machine> find(String name) {
            return Optional.empty();
        }

        @Override
        public List<CardType> cardTypes() {
            return List.of();
        }
    };

    private Machine machine(String name) {
        return (Machine) Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] {Machine.class}, (p, m, a) -> {
            switch (m.getName()) {
                case "name" -> {
                    return name;
                }
                case "state" -> {
                    return state;
                }
                case "start" -> state = Machine.State.RUNNING;
                case "stop" -> state = Machine.State.ENDED;
                default -> throw new UnsupportedOperationException(m.getName());
            }
            calls.add(m.getName());
            return null;
        });
    }

    /** As File Install and Declarative Services hand it over. */
    private static Map<String, Object> configuration(String... keysAndValues) {
        Map<String, Object> c = new TreeMap<>(Map.of(
                "service.pid", "org.backplane.machine~lab", "service.factoryPid", "org.backplane.machine", "component.id", 7L,
                "component.name", "x", "osgi.ds.satisfying.condition.target", "(x)", "felix.fileinstall.filename",
                "file:/x/machines/org.backplane.machine-lab.cfg"));
        for (int i = 0; i < keysAndValues.length; i += 2) c.put(keysAndValues[i], keysAndValues[i + 1]);
        return c;
    }

    @Test
    void aConfigurationMakesAMachineWithTheNameOfItsFile() {
        new ConfiguredMachine(board, configuration("m", "64", "device", "a", "device.1", "b", "nographic", "on"));
        assertEquals(List.of("create lab {device=[a, b], m=[64]}"), calls);
    }

    @Test
    void withoutAFileTheNameIsThatOfTheConfiguration() {
        Map<String, Object> c = configuration();
        c.remove("felix.fileinstall.filename");
        new ConfiguredMachine(board, c);
        assertEquals(List.of("create lab {}"), calls);
    }

    @Test
    void autostartStartsIt() {
        new ConfiguredMachine(board, configuration("autostart", "on"));
        assertEquals(List.of("create lab {}", "start"), calls);
    }

    @Test
    void aBadConfigurationIsNoMachineAndNoFailure() {
        ConfiguredMachine c = new ConfiguredMachine(board, configuration("foo", "1"));
        refuse = true;
        c.changed(configuration("m", "64"));
        c.stop();
        assertEquals(List.of(), calls);
    }

    @Test
    void aChangeMakesItAnewWhileItWasNotStarted() {
        ConfiguredMachine c = new ConfiguredMachine(board, configuration());
        c.changed(configuration("m", "32"));
        assertEquals(List.of("create lab {}", "stop", "create lab {m=[32]}"), calls);
    }

    @Test
    void aChangeDoesNotTouchARunningGuest() {
        ConfiguredMachine c = new ConfiguredMachine(board, configuration("autostart", "on"));
        c.changed(configuration("m", "32"));
        assertEquals(List.of("create lab {}", "start"), calls);
    }

    @Test
    void theMachineGoesWithItsConfiguration() {
        ConfiguredMachine c = new ConfiguredMachine(board, configuration("autostart", "on"));
        c.stop();
        c.stop();
        assertEquals(List.of("create lab {}", "start", "stop"), calls);
    }
}
