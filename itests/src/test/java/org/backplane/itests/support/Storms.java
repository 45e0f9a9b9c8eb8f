package org.backplane.itests.support;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.backplane.board.api.Machine;

/** Storms by the shell's command. */
public final class Storms {
    private Storms() {}

    /**
     * A storm from its beginning to its end.
     *
     * @param plan {@code COUNT[,SLOT…][,seed=N]}
     * @return how it was, as the shell tells it
     */
    public static String rage(Machine machine, String plan, Duration patience) throws Exception {
        long limit = System.nanoTime() + patience.toNanos();
        run("card:storm " + machine.name() + " " + plan);
        String state = "";
        while (!state.startsWith(machine.name() + ": over")) {
            assertTrue(System.nanoTime() < limit, "the storm takes too long: " + state);
            Thread.sleep(50);
            state = run("card:storm " + machine.name());
        }
        return state.strip();
    }

    private static String run(String command) throws Exception {
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        PrintStream out = new PrintStream(printed, true, StandardCharsets.UTF_8);
        try (CommandSession session = Osgi.service(CommandProcessor.class).createSession(new ByteArrayInputStream(new byte[0]), out, out)) {
            session.execute(command);
        }
        return printed.toString(StandardCharsets.UTF_8);
    }
}
