package org.backplane.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.MachineFile;
import org.backplane.board.api.MachineOptions;
import org.backplane.board.api.MachineOptions.Option;

/**
 * The command line of {@code backplane run}: the machine's own options ({@link MachineOptions}), which a machine file may give too, and
 * those that concern this process only ({@link MachineOptions#FRONT_END}).
 */
final class RunOptions {
    /** A command line that makes no sense; the message is the one line for the user. */
    static final class BadUsage extends Exception {
        private static final long serialVersionUID = 1;

        BadUsage(String message) {
            super(message);
        }
    }

    /** How the screen is shown. */
    enum Display {
        NONE,
        TEXT
    }

    /** The machine's options by name. */
    final Map<String, List<String>> machine = new LinkedHashMap<>();

    /** The list that {@code -OPTION help} asks for. */
    Optional<String> help = Optional.empty();

    boolean nographic;
    Display display = Display.NONE;
    final List<Path> bundles = new ArrayList<>();
    double timeoutSeconds = Double.POSITIVE_INFINITY;
    boolean stats;

    /** @param machines directory of machine files */
    static RunOptions parse(String[] args, Path machines) throws BadUsage {
        RunOptions o = new RunOptions();
        String machineName = null;
        for (int i = 0; i < args.length; i++) {
            String arg = args[i];
            if (!arg.startsWith("-") || arg.length() < 2) {
                throw new BadUsage("'" + arg + "' is no option (see backplane run -help)");
            }
            String name = arg.startsWith("--") ? arg.substring(2) : arg.substring(1);
            if (name.equals("help") || name.equals("h")) {
                o.help = Optional.of("run");
                return o;
            }
            Option option = MachineOptions.find(name).orElseThrow(() -> new BadUsage("unknown option '" + arg + "' (see backplane run -help)"));
            String value = "";
            if (!option.argument().isEmpty()) {
                if (++i == args.length) throw new BadUsage(arg + " needs " + option.argument());
                value = args[i];
                if (value.equals("help") || value.equals("?")) {
                    o.help = Optional.of(name);
                    return o;
                }
            }
            switch (name) {
                case "nographic" -> o.nographic = true;
                case "display" -> o.display = display(value);
                case "machine" -> machineName = value;
                case "bundle" -> o.bundles.add(Path.of(value));
                case "timeout" -> o.timeoutSeconds = seconds(value);
                case "stats" -> o.stats = true;
                default -> o.machine.computeIfAbsent(name, n -> new ArrayList<>()).add(value);
            }
        }
        if (machineName != null) o.merge(machineFile(machineName, machines));
        return o;
    }

    private static Map<String, List<String>> machineFile(String name, Path machines) throws BadUsage {
        try {
            return MachineFile.read(name, machines);
        } catch (BoardException e) {
            throw new BadUsage(e.getMessage());
        }
    }

    /** What the file says and the command line does not. */
    private void merge(Map<String, List<String>> file) throws BadUsage {
        for (Map.Entry<String, List<String>> e : file.entrySet()) {
            String value = e.getValue().getFirst();
            switch (e.getKey()) {
                case "nographic" -> nographic = true;
                case "display" -> {
                    if (display == Display.NONE) display = display(value);
                }
                case "timeout" -> {
                    if (Double.isInfinite(timeoutSeconds)) timeoutSeconds = seconds(value);
                }
                case "stats" -> stats = true;
                case "bundle" -> e.getValue().forEach(b -> bundles.add(Path.of(b)));
                default -> machine.putIfAbsent(e.getKey(), e.getValue());
            }
        }
    }

    private static Display display(String value) throws BadUsage {
        return switch (value) {
            case "none" -> Display.NONE;
            case "text", "curses" -> Display.TEXT;
            default -> throw new BadUsage("display: none or text, not '" + value + "'");
        };
    }

    private static double seconds(String value) throws BadUsage {
        try {
            double s = Double.parseDouble(value);
            if (s > 0) return s;
        } catch (NumberFormatException e) {
            // Falls through to the one message for what is no number and what is no time.
        }
        throw new BadUsage("timeout: '" + value + "' is no number of seconds");
    }

    /** Whether the file exists, as one line for the user. */
    static void requireFile(String option, Path file) throws BadUsage {
        if (!Files.isRegularFile(file)) throw new BadUsage(option + ": no such file: " + file);
    }
}
