package org.backplane.shell;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.backplane.board.api.Machine;
import org.jline.terminal.Terminal;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** A machine's serial consoles: on the terminal, and from scripts. */
@Component(
        service = ConsoleCommands.class,
        property = {
            "osgi.command.scope=vm",
            "osgi.command.function=console",
            "osgi.command.function=send",
            "osgi.command.function=expect"
        })
public final class ConsoleCommands {
    private static final String CONSOLE = "[MACHINE] [tail|CONSOLE] [CONSOLE]";
    private static final String SEND = "[MACHINE] TEXT";
    private static final String EXPECT = "[MACHINE] [-screen] REGEX [SECONDS]";
    private static final double PATIENCE_SECONDS = 10;
    private static final long SCREEN_INTERVAL_MILLIS = 50;

    private final MachineDirectory directory;

    @Activate
    public ConsoleCommands(@Reference MachineDirectory directory) {
        this.directory = directory;
    }

    @Descriptor("puts a serial console on the terminal, Ctrl-] leaves it; tail prints what it said last")
    public void console(CommandSession session, @Descriptor(CONSOLE) String[] args) throws IOException {
        Arguments a = new Arguments("vm:console", CONSOLE, args);
        Optional<MachineDirectory.Gone> gone = a.left() > 1 || a.left() == 1 && !a.peek().equals("tail") ? directory.gone(a.peek()) : Optional.empty();
        if (gone.isPresent()) {
            a.take();
            if (!a.takeWord("tail")) throw new CommandException(gone.get().name() + " has ended; vm:console " + gone.get().name() + " tail prints what it said last");
            a.end();
            gone.get().consoles().values().forEach(ConsoleCommands::print);
            return;
        }
        Machine m = directory.machine(session, a, 0);
        boolean tail = a.takeWord("tail");
        String slot = a.takeIfAny().orElseGet(() -> firstConsole(m));
        a.end();
        ConsoleTap tap = directory.tap(m, slot);
        if (tail) {
            print(tap);
            return;
        }
        Terminal terminal = ConsoleSession.terminal(session)
                .orElseThrow(() -> new CommandException("vm:console needs a terminal; without one: vm:console tail, vm:send, vm:expect"));
        new ConsoleSession(m, slot, tap, terminal).run();
    }

    private static void print(ConsoleTap tap) {
        byte[] all = tap.last(ConsoleTap.KEPT);
        String text = new String(all, StandardCharsets.UTF_8).replace("\r\n", "\n");
        System.out.print(text);
        if (!text.isEmpty() && !text.endsWith("\n")) System.out.println();
    }

    private static String firstConsole(Machine m) {
        return MachineDirectory.consoleSlots(m).stream()
                .findFirst()
                .orElseThrow(() -> new CommandException(m.name() + " has no serial console (it was made with another -serial)"));
    }

    @Descriptor("types on the serial console; \\r \\n \\t \\e \\xHH and \\\\ as in C")
    public void send(CommandSession session, @Descriptor(SEND) String[] args) {
        Arguments a = new Arguments("vm:send", SEND, args);
        Machine m = directory.machine(session, a, 1);
        byte[] bytes = unescape(a.take());
        a.end();
        directory.tap(m, firstConsole(m)).input(bytes);
    }

    /** Text with its escapes, as bytes of UTF-8. */
    static byte[] unescape(String text) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c != '\\') {
                bytes.writeBytes(text.substring(i, i + Character.charCount(text.codePointAt(i))).getBytes(StandardCharsets.UTF_8));
                i += Character.charCount(text.codePointAt(i)) - 1;
                continue;
            }
            char kind = ++i < text.length() ? text.charAt(i) : 0;
            switch (kind) {
                case 'r' -> bytes.write('\r');
                case 'n' -> bytes.write('\n');
                case 't' -> bytes.write('\t');
                case 'e' -> bytes.write(0x1b);
                case '\\' -> bytes.write('\\');
                case 'x' -> {
                    if (i + 3 > text.length() || !text.substring(i + 1, i + 3).matches("[0-9A-Fa-f]{2}")) {
                        throw new CommandException("\\x needs two hexadecimal digits");
                    }
                    bytes.write(Integer.parseInt(text.substring(i + 1, i + 3), 16));
                    i += 2;
                }
                default -> throw new CommandException("'\\" + (kind == 0 ? "" : kind) + "' is no escape (\\r \\n \\t \\e \\xHH \\\\)");
            }
        }
        return bytes.toByteArray();
    }

    @Descriptor("waits for serial output, with -screen for text on the screen; fails if it does not come in 10 seconds")
    public void expect(CommandSession session, @Descriptor(EXPECT) String[] args) throws InterruptedException {
        Arguments a = new Arguments("vm:expect", EXPECT, args);
        Machine m = directory.machine(session, a, 1);
        boolean screen = a.takeWord("-screen");
        String regex = a.take();
        double seconds = a.left() > 0 ? Arguments.seconds(a.take()) : PATIENCE_SECONDS;
        a.end();
        Pattern pattern;
        try {
            pattern = Pattern.compile(regex, Pattern.MULTILINE);
        } catch (PatternSyntaxException e) {
            throw new CommandException("'" + regex + "' is no regular expression: " + e.getDescription());
        }
        long nanos = (long) (seconds * 1e9);
        Optional<String> found = screen ? onScreen(m, pattern, nanos) : directory.tap(m, firstConsole(m)).expect(pattern, nanos);
        System.out.println(found.orElseThrow(() -> new CommandException(
                "'" + regex + "' did not come in " + Units.seconds(seconds) + "; " + m.name() + " is " + State.of(m))));
    }

    private static Optional<String> onScreen(Machine m, Pattern pattern, long nanos) throws InterruptedException {
        long deadline = System.nanoTime() + nanos;
        while (true) {
            var found = pattern.matcher(String.join("\n", m.screenText()));
            if (found.find()) return Optional.of(found.group());
            if (System.nanoTime() > deadline || m.state() == Machine.State.ENDED) return Optional.empty();
            Thread.sleep(SCREEN_INTERVAL_MILLIS);
        }
    }
}
