// SPDX-License-Identifier: Apache-2.0
package org.backplane.launcher;

import java.io.EOFException;
import java.io.InputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.List;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;

/**
 * Gogo commands without a terminal.
 *
 * <p>The text is executed line by line; a line that ends within a block or a quotation takes the following ones with
 * it. What a line returns is printed as the shell would print it. The first command that fails ends it: one that
 * throws, or that ends with a status other than zero as {@code grep} does when it finds nothing.
 *
 * <p>Gogo is a bundle, so its API is called by reflection: {@code CommandProcessor.createSession}, then
 * {@code CommandSession.execute}, {@code format} and {@code put}, and a {@code JobListener} for the statuses.
 */
final class Batch implements AutoCloseable {

    /** Commands whose failure is reported; the message names line and reason. */
    static final class Failed extends Exception {
        private static final long serialVersionUID = 1;

        Failed(String message, Throwable cause) {
            super(message, cause);
        }
    }

    private static final int INSPECT = 0; // Converter.INSPECT

    private final PrintStream out;
    private final Object session;
    private final Class<?> sessionType;

    /** Status of the pipeline that ended last: the line's, for what it calls ends before it. */
    private volatile int status;

    Batch(BundleContext context, InputStream in, PrintStream out, PrintStream err) throws Failed {
        this.out = out;
        ServiceReference<?> reference =
                context.getServiceReference("org.apache.felix.service.command.CommandProcessor");
        if (reference == null) {
            throw new Failed("there is no command processor: Gogo is not running", null);
        }
        try {
            Object processor = context.getService(reference);
            Class<?> processorType = Commands.type(processor, "CommandProcessor");
            session = processorType
                    .getMethod("createSession", InputStream.class, java.io.OutputStream.class, java.io.OutputStream.class)
                    .invoke(processor, in, out, err);
            sessionType = Commands.type(session, "CommandSession");
            listen(sessionType.getClassLoader().loadClass("org.apache.felix.service.command.JobListener"));
        } catch (ReflectiveOperationException e) {
            throw new Failed("Gogo: " + Logging.reason(e), e);
        }
    }

    private void listen(Class<?> listenerType) throws ReflectiveOperationException {
        Object listener = Proxy.newProxyInstance(listenerType.getClassLoader(), new Class<?>[] {listenerType},
                (proxy, method, args) -> switch (method.getName()) {
                    case "jobChanged" -> {
                        if (args[2].toString().equals("Done")) {
                            status = error(args[0]);
                        }
                        yield null;
                    }
                    case "hashCode" -> System.identityHashCode(proxy);
                    case "equals" -> proxy == args[0];
                    default -> "batch job listener";
                });
        call("setJobListener", new Class<?>[] {listenerType}, listener);
    }

    private static int error(Object job) throws ReflectiveOperationException {
        Class<?> jobType = Commands.type(job, "Job");
        Object result = jobType.getMethod("result").invoke(job);
        if (result == null) {
            return 0;
        }
        return (int) Commands.type(result, "Result").getMethod("error").invoke(result);
    }

    void put(String name, Object value) throws Failed {
        try {
            call("put", new Class<?>[] {String.class, Object.class}, name, value);
        } catch (ReflectiveOperationException e) {
            throw new Failed(Logging.reason(e), e);
        }
    }

    /** Executes a text that sets things up: what its lines return is not printed. */
    void prepare(String source, List<String> lines) throws Failed {
        execute(source, lines, false);
    }

    /**
     * Executes a text.
     *
     * @param source what to call the text in error messages
     */
    void execute(String source, List<String> lines) throws Failed {
        execute(source, lines, true);
    }

    private void execute(String source, List<String> lines, boolean print) throws Failed {
        StringBuilder pending = new StringBuilder();
        int first = 1;
        for (int i = 0; i < lines.size(); i++) {
            if (pending.isEmpty()) {
                first = i + 1;
                String line = lines.get(i).strip();
                if (line.isEmpty() || line.startsWith("#")) {
                    continue;
                }
            } else {
                pending.append('\n');
            }
            pending.append(lines.get(i));
            String where = source + (lines.size() == 1 ? "" : " line " + first);
            try {
                executeOne(where, pending, print);
                pending.setLength(0);
            } catch (EOFException e) {
                if (i == lines.size() - 1) {
                    throw new Failed(where + ": ends too early: " + Logging.reason(e), e);
                }
            }
        }
    }

    private void executeOne(String where, CharSequence text, boolean print) throws Failed, EOFException {
        status = 0;
        try {
            Object result = call("execute", new Class<?>[] {CharSequence.class}, text);
            if (result != null && print) {
                Method format = sessionType.getMethod("format", Object.class, int.class);
                out.println(format.invoke(session, result, INSPECT));
            }
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof EOFException eof) {
                throw eof;
            }
            throw new Failed(where + ": " + explain(e.getCause()), e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new Failed(where + ": " + Logging.reason(e), e);
        } finally {
            out.flush();
        }
        if (status != 0) {
            throw new Failed(where + ": status " + status + " from: " + text, null);
        }
    }

    /** A command's own complaint is written for the user; anything else gets the name of what was thrown. */
    private static String explain(Throwable thrown) {
        String type = thrown.getClass().getSimpleName();
        if (type.equals("CommandNotFoundException")) {
            return thrown.getMessage().replaceFirst("^Command not found: *", "no such command: ");
        }
        boolean plain = thrown instanceof IllegalArgumentException || thrown instanceof IllegalStateException
                || thrown.getClass() == Exception.class || thrown.getClass() == RuntimeException.class;
        return plain && thrown.getMessage() != null ? Logging.reason(thrown)
                : type + ": " + Logging.reason(thrown);
    }

    private Object call(String method, Class<?>[] types, Object... args) throws ReflectiveOperationException {
        return sessionType.getMethod(method, types).invoke(session, args);
    }

    @Override
    public void close() {
        try {
            call("close", new Class<?>[0]);
        } catch (ReflectiveOperationException e) {
            // The session goes with its bundle anyway.
        }
    }
}
