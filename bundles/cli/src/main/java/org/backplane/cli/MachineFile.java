package org.backplane.cli;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.backplane.board.api.MachineOptions.Option;
import org.backplane.cli.RunOptions.BadUsage;

/**
 * A machine file: properties with the names of the options. A flag is given as {@code on}; an option that may come several times as {@code
 * device}, {@code device.1}, {@code device.2} …
 */
final class MachineFile {
    private MachineFile() {}

    /** Reads {@code machines/NAME.cfg}. */
    static Map<String, List<String>> read(String name, Path machines) throws BadUsage {
        Path file = machines.resolve(name + ".cfg");
        if (!name.matches("[A-Za-z0-9_.-]+") || !Files.isRegularFile(file)) {
            throw new BadUsage("machine: there is no machine '" + name + "' (there is: " + String.join(", ", names(machines)) + ")");
        }
        Properties p = new Properties();
        try (Reader r = Files.newBufferedReader(file)) {
            p.load(r);
        } catch (IOException | IllegalArgumentException e) {
            throw new BadUsage("machine: " + file + " cannot be read: " + e.getMessage());
        }
        Map<String, List<String>> options = new TreeMap<>();
        for (String key : p.stringPropertyNames().stream().sorted().toList()) {
            String option = key.replaceFirst("\\.[0-9]+$", "");
            Option o = RunOptions.find(option)
                    .filter(x -> !x.name().equals("machine"))
                    .orElseThrow(() -> new BadUsage("machine: " + file + ": unknown key '" + key + "'"));
            String value = p.getProperty(key).strip();
            if (o.argument().isEmpty() && !value.matches("on|off|true|false")) {
                throw new BadUsage("machine: " + file + ": " + key + " is on or off, not '" + value + "'");
            }
            if (o.argument().isEmpty() && value.matches("off|false")) continue;
            List<String> values = options.computeIfAbsent(option, n -> new ArrayList<>());
            values.add(o.argument().isEmpty() ? "" : value);
            if (values.size() > 1 && !o.multiple()) throw new BadUsage("machine: " + file + ": " + option + " is given more than once");
        }
        return options;
    }

    static List<String> names(Path machines) {
        try (Stream<Path> s = Files.list(machines)) {
            return s.map(f -> f.getFileName().toString())
                    .filter(f -> f.endsWith(".cfg"))
                    .map(f -> f.substring(0, f.length() - 4))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            return List.of();
        }
    }
}
