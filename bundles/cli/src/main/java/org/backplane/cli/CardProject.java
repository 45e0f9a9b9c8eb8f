package org.backplane.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import javax.lang.model.SourceVersion;

/**
 * The files of a new card's project: those of the Maven archetype in the distribution's {@code repository/}, made as Maven's archetype plugin makes
 * them. {@code ${groupId}} and the like are replaced in every file, {@code __className__} in names, and sources go into the directory of the package.
 * Beside them are two files that hold for this project on this host only.
 *
 * @param name of the card: artifact, type of the device, directory
 * @param group Maven's group, and the package's beginning
 */
record CardProject(String name, String group) {
    private static final String ARCHETYPE = "repository/org/backplane/backplane-card-archetype";
    private static final String RESOURCES = "archetype-resources/";
    private static final String VERSION = "1.0.0-SNAPSHOT";
    private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9]*(-[a-z0-9]+)*");
    private static final Pattern SOURCES = Pattern.compile("src/(main|test)/java/");
    private static final Pattern REFERENCE = Pattern.compile("\\$\\{(\\w+)}");

    /** What it cannot be made of; one line for the user. */
    static final class Refused extends Exception {
        private static final long serialVersionUID = 1;

        Refused(String message) {
            super(message);
        }
    }

    /** Checks both names. */
    static CardProject of(String name, String group) throws Refused {
        if (!NAME.matcher(name).matches()) {
            throw new Refused("'" + name + "' is no name for a card: small letters, digits and dashes, a letter first (blink, my-card)");
        }
        CardProject p = new CardProject(name, group);
        if (!SourceVersion.isName(p.packageName())) {
            throw new Refused("'" + p.packageName() + "' is no name for a package: choose another name or -group");
        }
        return p;
    }

    String packageName() {
        return group + "." + name.replace("-", "");
    }

    /** Of the device. It ends with Card, so that a card 'list' is not java.util's. */
    String className() {
        String words = Arrays.stream(name.split("-"))
                .map(word -> Character.toUpperCase(word.charAt(0)) + word.substring(1))
                .collect(Collectors.joining());
        return words.endsWith("Card") ? words : words + "Card";
    }

    /**
     * Writes it.
     *
     * @param home of Backplane
     * @param directory that is not there yet
     */
    void create(Path home, Path directory) throws IOException, Refused {
        if (Files.exists(directory)) throw new Refused("there is a '" + directory.getFileName() + "' here already");
        try (ZipFile archetype = new ZipFile(archetype(home).toFile())) {
            List<? extends ZipEntry> files = archetype.stream()
                    .filter(e -> e.getName().startsWith(RESOURCES) && !e.isDirectory())
                    .toList();
            for (ZipEntry e : files) {
                try (InputStream in = archetype.getInputStream(e)) {
                    String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
                    write(directory.resolve(place(e.getName().substring(RESOURCES.length()))), replaced(text));
                }
            }
        }
        write(directory.resolve(".mvn/maven.config"), "-Dbackplane.home=" + home + "\n");
        write(directory.resolve(".gitignore"), "target/\n.mvn/maven.config\n");
    }

    private static Path archetype(Path home) throws IOException, Refused {
        Path directory = home.resolve(ARCHETYPE);
        if (Files.isDirectory(directory)) {
            try (Stream<Path> files = Files.walk(directory)) {
                Path jar = files.filter(f -> f.toString().endsWith(".jar")).findFirst().orElse(null);
                if (jar != null) return jar;
            }
        }
        throw new Refused("this Backplane has no archetype in " + directory);
    }

    private String place(String file) {
        Matcher sources = SOURCES.matcher(file);
        String place = sources.lookingAt()
                ? sources.group() + packageName().replace('.', '/') + "/" + file.substring(sources.end())
                : file;
        return place.replace("__className__", className());
    }

    /** What is not known here is Maven's, and stays. */
    private String replaced(String text) {
        Map<String, String> values = Map.of(
                "groupId", group, "artifactId", name, "version", VERSION, "package", packageName(), "className", className());
        return REFERENCE.matcher(text).replaceAll(m -> Matcher.quoteReplacement(values.getOrDefault(m.group(1), m.group())));
    }

    private static void write(Path file, String text) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }
}
