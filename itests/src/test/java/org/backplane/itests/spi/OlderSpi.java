package org.backplane.itests.spi;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.StringWriter;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.osgi.annotation.versioning.Version;

/** Jars of the SPIs in {@code itests/spi}, and what is compiled against them. */
final class OlderSpi {
    private static final Pattern VERSION = Pattern.compile("@Version\\(\"([\\d.]+)\"\\)");

    private OlderSpi() {}

    /** A directory a version. */
    static List<Path> all() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("spi"))) {
            return files.filter(Files::isDirectory).sorted().toList();
        }
    }

    /** Makes a jar of the sources in a directory, with the packages' versions that they say. */
    static Path jar(Path sources, Path work) throws IOException {
        Path classes = Files.createDirectories(work.resolve("spi-classes"));
        compile(javaFiles(sources), classes, onClassPath(Version.class));
        Manifest manifest = new Manifest();
        Attributes main = manifest.getMainAttributes();
        main.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        main.putValue("Bundle-ManifestVersion", "2");
        main.putValue("Bundle-SymbolicName", "org.backplane.kvm-api");
        main.putValue("Export-Package", exports(sources));
        Path jar = work.resolve("spi.jar");
        try (OutputStream file = Files.newOutputStream(jar);
                JarOutputStream to = new JarOutputStream(file, manifest);
                Stream<Path> all = Files.walk(classes)) {
            for (Path c : all.filter(Files::isRegularFile).toList()) {
                to.putNextEntry(new JarEntry(classes.relativize(c).toString()));
                try (InputStream in = Files.newInputStream(c)) {
                    in.transferTo(to);
                }
            }
        }
        return jar;
    }

    private static String exports(Path sources) throws IOException {
        StringBuilder exports = new StringBuilder();
        for (Path f : javaFiles(sources)) {
            if (!f.endsWith("package-info.java")) continue;
            Matcher version = VERSION.matcher(Files.readString(f));
            assertTrue(version.find(), () -> f + " says no version");
            if (!exports.isEmpty()) exports.append(',');
            exports.append(sources.relativize(f.getParent()).toString().replace('/', '.')).append(";version=\"").append(version.group(1)).append('"');
        }
        return exports.toString();
    }

    static List<Path> javaFiles(Path sources) throws IOException {
        try (Stream<Path> all = Files.walk(sources)) {
            return all.filter(f -> f.toString().endsWith(".java")).sorted().toList();
        }
    }

    /** @param libraries the whole class path */
    static void compile(List<Path> sources, Path classes, Path... libraries) throws IOException {
        JavaCompiler javac = ToolProvider.getSystemJavaCompiler();
        StringWriter messages = new StringWriter();
        String classPath = String.join(":", Stream.of(libraries).map(Path::toString).toList());
        try (StandardJavaFileManager files = javac.getStandardFileManager(null, null, null)) {
            boolean compiled = javac.getTask(
                            messages, files, null, List.of("-proc:none", "-d", classes.toString(), "-cp", classPath), null, files.getJavaFileObjectsFromPaths(sources))
                    .call();
            assertTrue(compiled, messages::toString);
        }
    }

    /** The jar that has this class. */
    static Path onClassPath(Class<?> c) {
        try {
            return Path.of(c.getProtectionDomain().getCodeSource().getLocation().toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }
}
