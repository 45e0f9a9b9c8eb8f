package org.backplane.junit;

import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import org.osgi.framework.Constants;

/**
 * A bundle with a card: a jar, or a directory of classes with a manifest, as {@code bnd-maven-plugin} leaves one in {@code target/classes}. The framework
 * takes both where they are.
 *
 * @param place the jar or the directory
 */
record CardBundle(Path place) {
    /** The bundle that a class comes from. */
    static CardBundle of(Class<?> card) {
        CodeSource source = card.getProtectionDomain().getCodeSource();
        if (source == null) throw new IllegalArgumentException(card.getName() + " is a class of the JDK and no card");
        try {
            return new CardBundle(Path.of(source.getLocation().toURI()));
        } catch (URISyntaxException | IllegalArgumentException e) {
            throw new IllegalArgumentException(card.getName() + " comes from " + source.getLocation() + ", which is no file", e);
        }
    }

    /** Where the framework finds it. */
    String location() {
        return "reference:" + place.toUri();
    }

    /**
     * Looks before the framework does, whose message would not say what to do.
     *
     * @throws IllegalStateException if it is no bundle
     */
    void check() {
        if (!Files.exists(place)) throw new IllegalStateException("the card's bundle is not there: " + place);
        try {
            Manifest m = manifest();
            if (m == null) {
                throw new IllegalStateException(place + " is no bundle: it has no META-INF/MANIFEST.MF. Does the project's pom run the goal bnd-process"
                        + " of bnd-maven-plugin, and was it run by Maven before the test?");
            }
            if (m.getMainAttributes().getValue(Constants.BUNDLE_SYMBOLICNAME) == null) {
                throw new IllegalStateException(place + " is no bundle: its manifest has no " + Constants.BUNDLE_SYMBOLICNAME);
            }
        } catch (IOException e) {
            throw new IllegalStateException(place + " is no bundle: " + e.getMessage(), e);
        }
    }

    private Manifest manifest() throws IOException {
        if (!Files.isDirectory(place)) {
            try (JarFile jar = new JarFile(place.toFile())) {
                return jar.getManifest();
            }
        }
        Path file = place.resolve(JarFile.MANIFEST_NAME);
        if (!Files.exists(file)) return null;
        try (InputStream in = Files.newInputStream(file)) {
            return new Manifest(in);
        }
    }
}
