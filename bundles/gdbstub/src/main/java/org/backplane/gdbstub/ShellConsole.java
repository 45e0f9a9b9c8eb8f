package org.backplane.gdbstub;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Converter;
import org.backplane.board.api.Machine;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** The shell's commands for gdb: each line gets a session of its own in which the machine is the current one. Only where there is a shell. */
@Component(service = MonitorConsole.class)
public final class ShellConsole implements MonitorConsole {
    /** The variables that the shell's commands look at: the current machine, and the scopes in which a name is looked up. */
    private static final String CURRENT = "machine", SCOPE = "SCOPE";

    private static final String SCOPES = "monitor:vm:card:cpu:exit:mem:mmu:backplane:*";

    private final CommandProcessor processor;

    @Activate
    public ShellConsole(@Reference CommandProcessor processor) {
        this.processor = processor;
    }

    @Override
    public String execute(Machine machine, String line) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
        try (CommandSession session = processor.createSession(new ByteArrayInputStream(new byte[0]), out, out)) {
            session.put(CURRENT, machine.name());
            session.put(SCOPE, SCOPES);
            Object result = session.execute(line);
            if (result != null) out.println(session.format(result, Converter.INSPECT));
        } catch (Exception e) {
            out.println(e.getMessage() == null ? e.toString() : e.getMessage());
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }
}
