package org.backplane.shell;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.apache.felix.service.command.CommandSession;

/** A session with variables and a directory, and no terminal. */
final class FakeSession {
    private FakeSession() {}

    static CommandSession in(Path directory) {
        Map<String, Object> variables = new HashMap<>();
        return (CommandSession) Proxy.newProxyInstance(
                FakeSession.class.getClassLoader(), new Class<?>[] {CommandSession.class}, (proxy, method, args) -> switch (method.getName()) {
                    case "get" -> variables.get(args[0]);
                    case "put" -> variables.put((String) args[0], args[1]);
                    case "currentDir" -> directory;
                    default -> throw new UnsupportedOperationException(method.getName());
                });
    }

    interface Command {
        void run() throws Exception;
    }

    /** What a command prints. */
    static String output(Command command) {
        PrintStream saved = System.out;
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        try {
            command.run();
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        } finally {
            System.setOut(saved);
        }
        return bytes.toString(StandardCharsets.UTF_8).replace(System.lineSeparator(), "\n");
    }
}
