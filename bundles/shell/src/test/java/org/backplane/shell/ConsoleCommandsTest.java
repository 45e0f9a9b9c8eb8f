package org.backplane.shell;

import static org.backplane.shell.FakeSession.output;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.felix.service.command.CommandSession;
import org.backplane.board.api.Machine.End;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ConsoleCommandsTest {
    private final FakeMachines machines = new FakeMachines();
    private final MachineDirectory directory = new MachineDirectory(machines);
    private final ConsoleCommands console = new ConsoleCommands(directory);
    private final CommandSession session = FakeSession.in(Path.of("."));
    private FakeMachine machine;

    @BeforeEach
    void create() {
        machine = (FakeMachine) directory.create(session, "a", Map.of());
    }

    private String expect(String... args) {
        return output(() -> console.expect(session, args));
    }

    private String failure(FakeSession.Command c) {
        return assertThrows(CommandException.class, () -> output(c)).toString();
    }

    @Test
    void expectReadsOnWhereItStopped() {
        machine.say("one two one\r\n");
        assertEquals("one\n", expect("o.e"));
        assertEquals("one\n", expect("a", "o.e", "1"));
        assertEquals("'o.e' did not come in 0.1 s; a is created", failure(() -> expect("o.e", "0.1")));
    }

    @Test
    void expectWaitsForWhatComesLater() {
        Thread guest = new Thread(() -> {
            machine.say("lo");
            machine.say("gin: ");
        });
        guest.start();
        assertEquals("login:\n", expect("login:", "5"));
    }

    @Test
    void expectFindsTextBeyondAscii() {
        machine.say("grün ende");
        assertEquals("grün\n", expect("gr.*n(?= )"));
        assertEquals("ende\n", expect("ende"));
    }

    @Test
    void expectLooksAtTheScreenToo() {
        machine.screen = List.of("A:\\>", "ready");
        assertEquals("ready\n", expect("-screen", "^ready$"));
        assertTrue(failure(() -> expect("-screen", "steady", "0.1")).startsWith("'steady' did not come in 0.1 s"));
    }

    @Test
    void tailPrintsAllThatWasKeptAsOftenAsAsked() {
        machine.say("first\r\nsecond");
        expect("second");
        assertEquals("first\nsecond\n", output(() -> console.console(session, new String[] {"tail"})));
        assertEquals("first\nsecond\n", output(() -> console.console(session, new String[] {"a", "tail", "com1"})));
    }

    @Test
    void tailWorksAfterTheMachineHasEnded() {
        machine.say("power down");
        machine.end(new End(0, "power-off", ""));
        assertEquals("power down\n", output(() -> console.console(session, new String[] {"a", "tail"})));
    }

    @Test
    void withoutATerminalTheConsoleIsRefused() {
        assertTrue(failure(() -> console.console(session, new String[0])).startsWith("vm:console needs a terminal"));
        assertEquals("slot com2 has no console", failure(() -> console.console(session, new String[] {"tail", "com2"})));
    }

    @Test
    void sendUnderstandsEscapes() {
        console.send(session, new String[] {"ls\\r\\x41\\\\"});
        assertEquals("ls\rA\\", machine.typed.toString());
        console.send(session, new String[] {"a", "x"});
        assertEquals("ls\rA\\x", machine.typed.toString());
        assertArrayEquals(new byte[] {(byte) 0xc3, (byte) 0xbc, 0x1b}, ConsoleCommands.unescape("ü\\e"));
        assertEquals("\\x needs two hexadecimal digits", failure(() -> console.send(session, new String[] {"\\x4"})));
        assertEquals("'\\q' is no escape (\\r \\n \\t \\e \\xHH \\\\)", failure(() -> console.send(session, new String[] {"\\q"})));
    }

    @Test
    void theTapKeepsTheLastOfMoreThanItHolds() throws Exception {
        ConsoleTap tap = new ConsoleTap();
        byte[] line = "0123456789abcdef".getBytes();
        for (int i = 0; i < ConsoleTap.KEPT / 16 + 1; i++) tap.write(line, 0, 16);
        tap.write("end".getBytes(), 0, 3);
        assertEquals(ConsoleTap.KEPT, tap.last(Integer.MAX_VALUE).length);
        assertEquals("fend", new String(tap.last(4)));
        assertEquals("end", tap.expect(java.util.regex.Pattern.compile("end"), 0).orElseThrow());
    }
}
