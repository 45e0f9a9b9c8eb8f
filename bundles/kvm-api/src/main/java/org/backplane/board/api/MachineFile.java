package org.backplane.board.api;

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

/**
 * Machine files: properties with the names of the options. A flag is given as {@code on} or {@code off}; an option that may come several times as
 * {@code device}, {@code device.1}, {@code device.2} …, in the order of the numbers.
 *
 * <p>A file is called {@code NAME.cfg}, or {@code org.backplane.machine-NAME.cfg}: then the shell also makes the machine by itself, for the name is
 * that of a Config Admin factory configuration. Both have the same contents.
 */
public final class MachineFile {
    /** PID of the factory configurations that are machines. */
    public static final String FACTORY_PID = "org.backplane.machine";

    /** The key, of no use outside the shell, that also starts the machine. */
    public static final String AUTOSTART = "autostart";

    private static final String PREFIX = FACTORY_PID + "-";
    private static final String SUFFIX = ".cfg";

    private MachineFile() {}

    /**
     * Reads a machine file.
     *
     * @param directory where they are
     * @throws BoardException with one line that names the file and the key
     */
    public static Map<String, List<String>> read(String name, Path directory) throws BoardException {
        Path file = Stream.of(name + SUFFIX, PREFIX + name + SUFFIX)
                .filter(f -> name.matches("[A-Za-z0-9_.-]+"))
                .map(directory::resolve)
                .filter(Files::isRegularFile)
                .findFirst()
                .orElseThrow(() -> new BoardException(
                        "machine: there is no machine '" + name + "' (there is: " + String.join(", ", names(directory)) + ")"));
        Properties p = new Properties();
        try (Reader r = Files.newBufferedReader(file)) {
            p.load(r);
        } catch (IOException | IllegalArgumentException e) {
            throw new BoardException("machine: " + file + " cannot be read: " + e.getMessage());
        }
        Map<String, String> keys = new TreeMap<>();
        for (String key : p.stringPropertyNames()) keys.put(key, p.getProperty(key));
        try {
            return options(keys);
        } catch (BoardException e) {
            throw new BoardException("machine: " + file + ": " + e.getMessage());
        }
    }

    /** The names of the machines that have a file. */
    public static List<String> names(Path directory) {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(f -> f.getFileName().toString())
                    .filter(f -> f.endsWith(SUFFIX))
                    .map(f -> f.substring(f.startsWith(PREFIX) ? PREFIX.length() : 0, f.length() - SUFFIX.length()))
                    .distinct()
                    .sorted()
                    .toList();
        } catch (IOException e) {
            return List.of();
        }
    }

    /**
     * Options from the keys of a file, as {@link Machines#create} takes them, with those of {@link MachineOptions#FRONT_END}.
     *
     * @throws BoardException for an unknown key, a flag that is neither on nor off, or an option given more often than it may be
     */
    public static Map<String, List<String>> options(Map<String, String> keys) throws BoardException {
        Map<String, List<String>> options = new TreeMap<>();
        for (String key : keys.keySet().stream().sorted(MachineFile::byNumber).toList()) {
            if (key.equals(AUTOSTART)) {
                flag(key, keys.get(key));
                continue;
            }
            String name = base(key);
            Option o = MachineOptions.find(name)
                    .filter(x -> !x.name().equals("machine"))
                    .orElseThrow(() -> new BoardException("unknown key '" + key + "'"));
            String value = keys.get(key).strip();
            boolean isFlag = o.argument().isEmpty();
            if (isFlag && !flag(key, value)) continue;
            List<String> values = options.computeIfAbsent(name, n -> new ArrayList<>());
            values.add(isFlag ? "" : value);
            if (values.size() > 1 && !o.multiple()) throw new BoardException(name + " is given more than once");
        }
        return options;
    }

    /** Whether the keys ask for the machine to be started. */
    public static boolean autostart(Map<String, String> keys) throws BoardException {
        return keys.containsKey(AUTOSTART) && flag(AUTOSTART, keys.get(AUTOSTART));
    }

    private static boolean flag(String key, String value) throws BoardException {
        return switch (value.strip()) {
            case "on", "true" -> true;
            case "off", "false" -> false;
            default -> throw new BoardException(key + " is on or off, not '" + value.strip() + "'");
        };
    }

    private static String base(String key) {
        return key.replaceFirst("\\.[0-9]+$", "");
    }

    /** {@code device.2} comes before {@code device.10}, and {@code device} before both. */
    private static int byNumber(String a, String b) {
        int names = base(a).compareTo(base(b));
        if (names != 0) return names;
        return a.length() != b.length() ? Integer.compare(a.length(), b.length()) : a.compareTo(b);
    }
}
