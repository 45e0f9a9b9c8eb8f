package org.backplane.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.jline.reader.Candidate;
import org.jline.reader.ParsedLine;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Completion, and the declarations that it and the help live on. */
class CompletionTest {
    private static final Map<String, List<Class<?>>> COMPONENTS = Map.of(
            "vm", List.of(LifeCommands.class, WaitCommand.class, ConsoleCommands.class, ScreenCommands.class),
            "card", List.of(CardCommands.class),
            "cpu", List.of(CpuCommands.class),
            "mem", List.of(MemCommands.class),
            "mmu", List.of(MmuCommands.class),
            "exit", List.of(ExitCommands.class),
            "monitor", List.of(MonitorCommands.class));

    private final MachineDirectory directory = new MachineDirectory(new FakeMachines());
    private final CommandSession session = FakeSession.in(Path.of("."));
    private final Catalog catalog = new Catalog(CompletionTest::entries);
    private final ShellCompleter completer = new ShellCompleter(
            session,
            catalog,
            directory,
            (reader, line, candidates) -> candidates.add(new Candidate("some.file")),
            (reader, line, candidates) -> candidates.add(new Candidate("gogo:" + line.wordIndex())));

    @BeforeEach
    void create() {
        directory.create(session, "a", Map.of());
        directory.create(session, "b", Map.of());
    }

    private static Stream<Catalog.Entry> entries() {
        return COMPONENTS.entrySet().stream().flatMap(e -> e.getValue().stream().flatMap(c ->
                Catalog.entries(c, e.getKey(), commands(c).map(Method::getName).toList())));
    }

    private static Stream<Method> commands(Class<?> component) {
        return Arrays.stream(component.getDeclaredMethods())
                .filter(m -> Modifier.isPublic(m.getModifiers()))
                .filter(m -> m.getParameterCount() == 2 && m.getParameterTypes()[1] == String[].class);
    }

    /** Completes the last word of a line. */
    private List<String> complete(String line) {
        List<String> words = List.of(line.split(" ", -1));
        List<Candidate> found = new ArrayList<>();
        completer.complete(null, new Line(words), found);
        return found.stream().map(Candidate::value).toList();
    }

    private record Line(List<String> words) implements ParsedLine {
        @Override
        public String word() {
            return words.getLast();
        }

        @Override
        public int wordCursor() {
            return word().length();
        }

        @Override
        public int wordIndex() {
            return words.size() - 1;
        }

        @Override
        public String line() {
            return String.join(" ", words);
        }

        @Override
        public int cursor() {
            return line().length();
        }
    }

    @Test
    void everyCommandSaysWhatItDoesAndWhatItTakes() {
        COMPONENTS.values().forEach(list -> list.forEach(component -> commands(component).forEach(m -> {
            assertTrue(m.isAnnotationPresent(Descriptor.class), m.toString());
            assertTrue(m.getParameters()[1].isAnnotationPresent(Descriptor.class), m.toString());
        })));
        assertTrue(catalog.all().size() > 45, () -> catalog.all().size() + " commands");
    }

    @Test
    void aNameWithoutScopeIsTheFirstOfTheScopes() {
        assertEquals("monitor:stop", catalog.find("stop").orElseThrow().fullName());
        assertEquals("vm:list", catalog.find("list").orElseThrow().fullName());
        assertEquals("card:list", catalog.find("card:list").orElseThrow().fullName());
        assertTrue(catalog.find("frobnicate").isEmpty());
    }

    @Test
    void commandsComeWithTheirScopesAndGogosBehind() {
        List<String> all = complete("");
        assertTrue(all.containsAll(List.of("vm:create", "create", "card:list", "gogo:0")), all.toString());
        assertEquals(1, all.stream().filter("list"::equals).count());
    }

    @Test
    void machinesAndSlotsAreThoseThatAreThere() {
        assertEquals(List.of("a", "b"), complete("vm:start "));
        assertEquals(List.of("a", "b", "mmu", "com1", "vga"), complete("card:info "));
        assertEquals(List.of("mmu", "com1", "vga"), complete("card:info a "));
        assertEquals(List.of(), complete("card:info a com1 "));
    }

    @Test
    void controlsAreThoseOfTheCard() {
        assertEquals(List.of("ring"), complete("card:use com1 "));
    }

    @Test
    void cardsAreThoseThatFitTheSlot() {
        assertEquals(List.of("serial@0.1.0", "serial@0.2.0", "some.file"), complete("card:swap com1 "));
        assertEquals(List.of("direct@0.1.0", "shadow@0.1.0", "some.file"), complete("card:swap a mmu "));
    }

    @Test
    void optionsAndTheirValuesFollowTheNameOfANewMachine() {
        assertEquals(List.of(), complete("vm:create "));
        assertTrue(complete("vm:create x -").containsAll(List.of("-m", "-kernel", "-machine")));
        assertEquals(List.of("direct", "shadow"), complete("boot x -mmu "));
        assertEquals(List.of("some.file", "builtin:demo"), complete("vm:create x -fda "));
        assertTrue(complete("vm:create x -icount ").contains("-m"));
        assertTrue(complete("vm:demo -").contains("-m"));
    }

    @Test
    void wordsThatStandForThemselvesAreOffered() {
        assertEquals(List.of("float", "pause"), complete("card:policy com1 "));
        assertTrue(complete("info ").containsAll(List.of("registers", "mtree")));
        assertTrue(complete("cpu:regs a ").contains("-fpu"));
        assertTrue(complete("sendkey ret ").contains("ctrl-alt-delete"));
        assertFalse(complete("vm:send ").contains("TEXT"));
    }

    @Test
    void otherCommandsAreGogosAffair() {
        assertEquals(List.of("gogo:1"), complete("echo "));
    }

    @Test
    void optionsStandAnywhereAndTheirValuesBehindThem() {
        assertTrue(complete("exit:trace on ").containsAll(List.of("-reason", "-port", "-size")));
        assertEquals(List.of("on", "off", "show"), complete("exit:trace -port 1 a ").subList(0, 3));
        assertFalse(complete("exit:trace on -port 1 ").contains("-port"), "an option comes once");
        assertTrue(complete("exit:trace on -reason ").contains("CR_ACCESS"));
        assertEquals(List.of("1", "2", "3", "4"), complete("mmu:pages -level "));
        assertTrue(complete("mmu:rmap ").containsAll(List.of("a", "b", "gpa:cr3")));
    }

    @Test
    void everyViewHasExamplesThatAreCallsOfIt() {
        List<Catalog.Entry> views = entries().filter(e -> List.of("cpu", "exit", "mem", "mmu").contains(e.scope())).toList();
        assertTrue(views.size() > 15);
        for (Catalog.Entry e : views) {
            assertFalse(e.examples().isEmpty(), e.fullName());
            e.examples().forEach(x -> assertTrue(x.startsWith(e.fullName()) && x.contains(" -- "), x));
        }
    }
}
