// SPDX-License-Identifier: Apache-2.0
package org.backplane.launcher;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;
import org.osgi.framework.BundleException;
import sun.misc.Signal;
import sun.misc.SignalHandler;

/**
 * Entry point.
 *
 * <p><b>Exit status.</b> The shell, {@code -c} and {@code -f} end with 0, or 1 after one line on standard error that
 * says what failed; a command brought by a bundle ends with what it returns. A command line that makes no sense is 2.
 *
 * <p><b>Ending.</b> There is one way out for everything: the framework stops, the scratch directory goes, the JVM exits
 * with the status. The shutdown hook takes the same way for SIGINT and SIGTERM, so bundles always get to put back
 * what they changed, the terminal above all. {@link System#exit} at the end, because some bundle's thread may still
 * live.
 *
 * <p><b>Standard streams</b> are taken from the file descriptors before any bundle runs, since Gogo puts its own in
 * their place.
 */
public final class Main {

    private static final int FAILURE = 1;
    private static final int BAD_USAGE = 2;

    private static final PrintStream OUT = new PrintStream(new FileOutputStream(FileDescriptor.out), true);
    private static final PrintStream ERR = new PrintStream(new FileOutputStream(FileDescriptor.err), true);

    /** The way out is taken: what fails from now on fails because of it, and is not reported. */
    private static volatile boolean ending;

    private Main() {}

    public static void main(String[] args) {
        int status;
        try {
            Request request = Request.parse(args);
            status = switch (request.mode()) {
                case HELP -> help();
                case VERSION -> {
                    OUT.println(version());
                    yield 0;
                }
                default -> run(request);
            };
        } catch (Request.BadUsage e) {
            error(e.getMessage());
            status = BAD_USAGE;
        } catch (Exception e) {
            if (!ending) {
                error(Logging.reason(e));
            }
            status = FAILURE;
        }
        OUT.flush();
        System.exit(status);
    }

    private static int run(Request request) throws Exception {
        List<String> script = readScript(request);
        Places places = Places.find(request.data());
        Logging.install();
        System.setProperty("backplane.log", places.log().toString());
        System.setProperty("backplane.pid", Long.toString(ProcessHandle.current().pid()));
        if (System.getProperty("logback.configurationFile") == null) {
            System.setProperty("logback.configurationFile", places.etc().resolve("logback.xml").toString());
        }
        Container container;
        try {
            container = Container.create(places, request.mode().profile, properties(request, places));
        } catch (BundleException | IOException | RuntimeException e) {
            places.clean();
            throw e;
        }
        Runtime.getRuntime().addShutdownHook(new Thread(
                () -> {
                    ending = true;
                    container.stop();
                },
                "backplane shutdown"));
        switch (request.mode()) {
            case COMMAND -> {}
            // Not on the shell's thread: ending waits for that one.
            case INTERACTIVE -> ShellCommands.register(
                    container.context(), status -> new Thread(() -> exit(status), "backplane exit").start());
            default -> ShellCommands.register(container.context(), Main::exit);
        }
        container.start();
        if (request.timing()) {
            long up = System.currentTimeMillis() - ManagementFactory.getRuntimeMXBean().getStartTime();
            ERR.println("backplane: " + container.context().getBundles().length + " bundles up " + up
                    + " ms after the JVM's start");
        }
        return switch (request.mode()) {
            case COMMAND -> command(container, request);
            case INTERACTIVE -> shell(container);
            default -> batch(container, request, script);
        };
        // The hook stops the container: System.exit follows in every case.
    }

    private static Map<String, String> properties(Request request, Places places) {
        Map<String, String> properties = new HashMap<>();
        properties.put("gosh.home", places.home().toString());
        if (request.mode() == Request.Mode.INTERACTIVE) {
            properties.put("gosh.args", "--nohistory"); // the profile sets our own file
            properties.put("backplane.history", places.history().toString());
            properties.put("backplane.start", places.etc().resolve("start.gogo").toUri().toString());
        } else {
            // gogo.jline is there for its commands only (each, grep, echo …): no terminal, and its profile does nothing.
            properties.put("gosh.args", "--nointeractive --noshutdown");
            System.setProperty("org.jline.terminal.dumb", "true");
        }
        return properties;
    }

    private static int command(Container container, Request request) throws InterruptedException {
        Commands commands = new Commands(container.context());
        List<Container.Problem> problems = container.problems();
        // With a bundle missing there is less to hope for; without, the name may just be wrong.
        String limit = container.context().getProperty("backplane.command.wait");
        ToIntFunction<String[]> command =
                commands.find(request.text(), limit == null ? 3000 : Long.parseLong(limit.strip()));
        if (command == null) {
            var names = commands.names();
            error("no command '" + request.text() + "'"
                    + (names.isEmpty() ? ", and no bundle brings one" : "; there are: " + String.join(", ", names)));
            problems.forEach(problem -> error(problem.toString()));
            commands.waitingComponents().forEach(Main::error);
            return BAD_USAGE;
        }
        try {
            return command.applyAsInt(request.arguments().toArray(String[]::new));
        } catch (RuntimeException | LinkageError | AssertionError | StackOverflowError | OutOfMemoryError e) {
            if (ending) {
                return FAILURE;
            }
            error(request.text() + " failed: " + e.getClass().getSimpleName() + ": " + Logging.reason(e));
            org.slf4j.LoggerFactory.getLogger(Main.class).info("{} failed", request.text(), e);
            problems.forEach(problem -> error(problem.toString()));
            return FAILURE;
        }
    }

    private static int shell(Container container) throws InterruptedException {
        container.problems().forEach(problem -> error(problem.toString()));
        container.await();
        return 0;
    }

    private static int batch(Container container, Request request, List<String> script) throws IOException {
        takeBackSignals();
        container.problems().forEach(problem -> error(problem.toString()));
        String name = request.mode() == Request.Mode.COMMANDS ? "-c" : request.text();
        Path prelude = Path.of(container.context().getProperty("backplane.home"), "etc", "batch.gogo");
        try (Batch batch = new Batch(container.context(), new FileInputStream(FileDescriptor.in), OUT, ERR)) {
            if (Files.exists(prelude)) {
                batch.prepare(prelude.toString(), Files.readAllLines(prelude));
            }
            batch.put("0", name);
            batch.put("args", request.arguments());
            for (int i = 0; i < request.arguments().size(); i++) {
                batch.put(Integer.toString(i + 1), request.arguments().get(i));
            }
            batch.execute(name, script);
            return 0;
        } catch (Batch.Failed e) {
            if (ending) {
                return FAILURE;
            }
            error(e.getMessage());
            if (e.getCause() != null) {
                org.slf4j.LoggerFactory.getLogger(Main.class).info("{}", e.getMessage(), e.getCause());
            }
            return FAILURE;
        }
    }

    /**
     * Ctrl-C ends a script, Ctrl-Z stops it. JLine, loaded for its commands only, has set both to be ignored: it means
     * to read them as keys.
     */
    private static void takeBackSignals() {
        try {
            Signal.handle(new Signal("INT"), signal -> exit(128 + signal.getNumber()));
            Signal.handle(new Signal("TSTP"), SignalHandler.SIG_DFL);
        } catch (IllegalArgumentException e) {
            // Not a signal of this system.
        }
    }

    /** The command {@code exit}. In a script nothing after it runs, so it does not return. */
    private static void exit(int status) {
        ending = true;
        OUT.flush();
        System.exit(status);
    }

    /** Reads the script before anything starts, so that a wrong name is told at once. */
    private static List<String> readScript(Request request) throws IOException {
        return switch (request.mode()) {
            case COMMANDS -> request.text().lines().toList();
            case SCRIPT -> {
                if (request.text().equals("-")) {
                    InputStream in = new FileInputStream(FileDescriptor.in);
                    yield new String(in.readAllBytes()).lines().toList();
                }
                Path file = Path.of(request.text());
                if (!Files.isRegularFile(file)) {
                    throw new IOException("no such script: " + file);
                }
                yield Files.readAllLines(file);
            }
            default -> List.of();
        };
    }

    static String version() {
        String version = System.getProperty("backplane.version", Main.class.getPackage().getImplementationVersion());
        return "Backplane " + (version == null ? "(unpacked)" : version) + ", JDK " + Runtime.version() + ", "
                + System.getProperty("os.name") + " " + System.getProperty("os.arch");
    }

    private static int help() {
        OUT.print("""
                backplane                     the shell; etc/start.gogo says what it starts with
                backplane run OPTION...       one virtual machine without the shell; backplane run help
                backplane card new NAME       a project for a card of your own, in directory NAME
                backplane -c 'COMMANDS'       shell commands without a terminal; status 0, or 1 if one failed
                backplane -f FILE [ARG...]    the same from a file, or from standard input if it is -
                backplane help | version

                Before any of these:
                  --data DIR                  history, log and scratch files go to DIR (else ~/.backplane)
                  --timing                    say how long starting took

                BACKPLANE_JAVA_OPTS holds options for the JVM, JAVA_HOME names a JDK 25.
                """);
        return 0;
    }

    private static void error(String line) {
        ERR.println("backplane: " + line);
    }
}
