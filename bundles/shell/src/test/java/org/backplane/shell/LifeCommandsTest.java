package org.backplane.shell;

import static org.backplane.shell.FakeSession.output;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.felix.service.command.CommandSession;
import org.backplane.board.api.Machine.End;
import org.backplane.board.api.Machine.State;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.BundleContext;

class LifeCommandsTest {
    @TempDir
    Path directory;

    private final FakeMachines machines = new FakeMachines();
    private final MachineDirectory shared = new MachineDirectory(machines);
    private CommandSession session;
    private LifeCommands life;
    private WaitCommand waiting;

    @BeforeEach
    void start() {
        session = FakeSession.in(directory);
        BundleContext context = (BundleContext) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {BundleContext.class}, (p, m, a) -> directory.toString());
        life = new LifeCommands(shared, context);
        waiting = new WaitCommand(shared);
    }

    private void create(String... args) {
        output(() -> life.create(session, args));
    }

    private String failure(FakeSession.Command c) {
        return assertThrows(CommandException.class, () -> output(c)).toString();
    }

    @Test
    void optionsAreThoseOfTheCommandLine() {
        create("a", "-m", "64", "-serial", "console", "-serial", "null", "--icount");
        assertEquals(
                Map.of("m", List.of("64"), "serial", List.of("console", "null"), "icount", List.of("")), machines.get("a").config());
    }

    @Test
    void theWordNullIsABackEndThoughTheShellMakesNothingOfIt() {
        create("a", "-serial", null);
        assertEquals(Map.of("serial", List.of("null")), machines.get("a").config());
        output(() -> life.demo(session, new String[] {"b", "-serial", null}));
        assertEquals(List.of("null"), machines.get("b").config().get("serial"));
    }

    @Test
    void aFileIsLookedForWhereTheSessionIs() throws Exception {
        Files.writeString(directory.resolve("disk.img"), "x");
        create("a", "-fda", "disk.img", "-kernel", "nowhere", "-append", "disk.img");
        assertEquals(List.of(directory.resolve("disk.img").toString()), machines.get("a").config().get("fda"));
        assertEquals(List.of("nowhere"), machines.get("a").config().get("kernel"));
        assertEquals(List.of("disk.img"), machines.get("a").config().get("append"));
    }

    @Test
    void aMachineFileAddsWhatTheCommandDoesNotSay() throws Exception {
        Files.createDirectories(directory.resolve("machines"));
        Files.writeString(directory.resolve("machines/small.cfg"), "m = 8\nmmu = shadow\nnographic = on\n");
        create("a", "-machine", "small", "-m", "32");
        assertEquals(Map.of("m", List.of("32"), "mmu", List.of("shadow")), machines.get("a").config());
    }

    @Test
    void badOptionsAreOneClearLine() {
        assertEquals("unknown option '-foo' (help vm:create lists them)", failure(() -> life.create(session, new String[] {"a", "-foo"})));
        assertEquals("unknown option 'm' (help vm:create lists them)", failure(() -> life.create(session, new String[] {"a", "m", "4"})));
        assertEquals("-m needs SIZE", failure(() -> life.create(session, new String[] {"a", "-m"})));
        assertEquals("usage: vm:create NAME [OPTION]…", failure(() -> life.create(session, new String[0])));
        assertTrue(machines.all.isEmpty());
    }

    @Test
    void theCurrentMachineIsTheOneThisSessionMadeOrChoseLast() {
        create("a");
        create("b");
        output(() -> life.start(session, new String[0]));
        assertEquals(List.of("start"), machines.get("b").calls);
        output(() -> life.use(session, new String[] {"a"}));
        output(() -> life.start(session, new String[0]));
        assertEquals(List.of("start"), machines.get("a").calls);
    }

    @Test
    void withoutAChoiceItIsTheLastThatAnybodyMade() throws Exception {
        machines.create("a", Map.of());
        machines.create("b", Map.of());
        assertEquals("b\n", output(() -> life.use(session, new String[0])));
        machines.get("b").stop();
        assertEquals("a\n", output(() -> life.use(session, new String[0])));
    }

    @Test
    void anUnknownNameIsToldWithTheKnownOnes() {
        create("a");
        assertEquals("there is no machine 'x' (there is: a)", failure(() -> life.start(session, new String[] {"x"})));
        machines.get("a").stop();
        assertTrue(failure(() -> life.start(session, new String[0])).startsWith("there is no machine: vm:demo"));
    }

    @Test
    void pauseNeedsAMachineThatWasStarted() {
        create("a");
        assertEquals("a has not been started: vm:start starts it", failure(() -> life.pause(session, new String[0])));
        output(() -> life.start(session, new String[0]));
        assertEquals("a is paused\n", output(() -> life.pause(session, new String[0])));
    }

    @Test
    void demoFindsAFreeNameAndLetsOptionsWin() {
        output(() -> life.demo(session, new String[0]));
        output(() -> life.demo(session, new String[] {"-m", "8"}));
        output(() -> life.demo(session, new String[] {"mine", "-fda", "x.img"}));
        assertEquals(Map.of("fda", List.of("builtin:demo"), "m", List.of("16")), machines.get("demo").config());
        assertEquals(List.of("8"), machines.get("demo2").config().get("m"));
        assertEquals(List.of("x.img"), machines.get("mine").config().get("fda"));
        assertEquals(State.RUNNING, machines.get("mine").state());
    }

    @Test
    void theListShowsTheCurrentOneAndThoseThatEnded() {
        create("a", "-m", "64");
        create("b");
        output(() -> life.stop(session, new String[] {"a"}));
        assertEquals(
                """
                   MACHINE  STATE              TIME  INSTRUCTIONS  OPTIONS
                *  b        created         1.000 s     1,234,567
                   a        ended: stopped
                """,
                output(() -> life.list(session, new String[0])));
    }

    @Test
    void waitTellsHowAMachineEndedAlsoAfterwards() {
        create("a");
        machines.get("a").end(new End(33, "isa-debug-exit", ""));
        assertEquals("a ended: isa-debug-exit (status 33)\n", output(() -> waiting.wait(session, new String[0])));
        assertEquals("a ended: isa-debug-exit (status 33)\n", output(() -> waiting.execute(session, List.of("a", "5"))));
    }

    @Test
    void waitFailsWhenAnErrorEndedTheGuest() {
        create("a");
        machines.get("a").end(new End(3, "triple fault", "guest ended: triple fault\nrip=0"));
        assertEquals("a was ended: triple fault", failure(() -> waiting.wait(session, new String[] {"a"})));
    }

    @Test
    void waitFailsWhenItTakesTooLong() {
        create("a");
        assertEquals("a has not ended in 0.1 s", failure(() -> waiting.wait(session, new String[] {"0.1"})));
        assertEquals("there is no machine 'b' (there is: a)", failure(() -> waiting.wait(session, new String[] {"b"})));
        assertEquals("'x' is no number of seconds", failure(() -> waiting.wait(session, new String[] {"a", "x"})));
    }
}
