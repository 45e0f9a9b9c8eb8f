// SPDX-License-Identifier: Apache-2.0
package org.backplane.launcher;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads {@code etc/}: the framework's properties, and which bundles to leave out. */
final class Settings {

    private static final Pattern REFERENCE = Pattern.compile("\\$\\{([^${}]+)}");

    private Settings() {}

    /**
     * The properties of a file with <code>${name}</code> replaced. System properties win over the file, so that anything
     * can be set from the command line; {@code given} is known to both and wins over all.
     */
    static Map<String, String> properties(Path file, Map<String, String> given) throws IOException {
        Properties read = new Properties();
        try (Reader in = Files.newBufferedReader(file)) {
            read.load(in);
        }
        Map<String, String> result = new HashMap<>(given);
        for (String name : read.stringPropertyNames()) {
            String value = System.getProperty(name, read.getProperty(name));
            result.putIfAbsent(name, substitute(value, given));
        }
        return result;
    }

    /** An unknown reference stays as it is: Felix and File Install have their own. */
    static String substitute(String value, Map<String, String> known) {
        Matcher matcher = REFERENCE.matcher(value);
        return matcher.replaceAll(
                m -> Matcher.quoteReplacement(known.getOrDefault(m.group(1), System.getProperty(m.group(1), m.group()))));
    }

    /** The lines of a list: no comments, no blanks. A file that is not there is an empty list. */
    static List<String> list(Path file) throws IOException {
        if (!Files.exists(file)) {
            return List.of();
        }
        try (var lines = Files.lines(file)) {
            return lines.map(String::strip)
                    .filter(line -> !line.isEmpty() && !line.startsWith("#"))
                    .toList();
        }
    }

    /** A pattern that matches file names, {@code *} and {@code ?} as in a shell. */
    static PathMatcher matcher(String glob) {
        return FileSystems.getDefault().getPathMatcher("glob:" + glob);
    }

    /**
     * Start levels of the bundles that do not start with the rest, from {@code pattern:level,…}.
     *
     * @throws IllegalArgumentException if it is not written so
     */
    static List<Level> levels(String text) {
        List<Level> levels = new ArrayList<>();
        for (String item : text.split(",")) {
            if (item.isBlank()) {
                continue;
            }
            int colon = item.lastIndexOf(':');
            try {
                levels.add(new Level(
                        matcher(item.substring(0, colon).strip()),
                        Integer.parseInt(item.substring(colon + 1).strip())));
            } catch (IndexOutOfBoundsException | NumberFormatException e) {
                throw new IllegalArgumentException("backplane.levels: '" + item.strip() + "' is not PATTERN:LEVEL", e);
            }
        }
        return levels;
    }

    /** Bundles whose file name matches start at this level. */
    record Level(PathMatcher pattern, int level) {}
}
