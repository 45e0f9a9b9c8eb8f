package org.backplane.itests.support;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;

/**
 * Another version of a bundle of the distribution: the same classes under another version, and, to be installed beside the original, under
 * another symbolic name.
 */
public final class OtherVersion {
    private OtherVersion() {}

    /** Installs and starts a copy beside the original. */
    public static Bundle installBeside(Bundle original, String version) {
        String name = original.getSymbolicName() + ".other";
        try {
            Bundle copy = Osgi.context().installBundle(name, jar(original, name, version));
            copy.start();
            return copy;
        } catch (BundleException e) {
            throw new AssertionError(e);
        }
    }

    /** Updates the bundle in place. */
    public static void update(Bundle bundle, String version) {
        try {
            bundle.update(jar(bundle, bundle.getSymbolicName(), version));
        } catch (BundleException e) {
            throw new AssertionError(e);
        }
    }

    /** Updates it in place to what the distribution has. */
    public static void restore(Bundle bundle) {
        try {
            // From where it was installed from.
            bundle.update();
        } catch (BundleException e) {
            throw new AssertionError(e);
        }
    }

    /** Writes a copy for installing beside the original into a file. */
    public static void write(Bundle original, String version, Path file) {
        try (InputStream jar = jar(original, original.getSymbolicName() + ".other", version)) {
            Files.copy(jar, file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static InputStream jar(Bundle original, String symbolicName, String version) {
        Path file = Path.of(URI.create(original.getLocation().replaceFirst("^reference:", "")));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JarFile from = new JarFile(file.toFile())) {
            Manifest manifest = new Manifest(from.getManifest());
            Attributes main = manifest.getMainAttributes();
            main.putValue(Constants.BUNDLE_SYMBOLICNAME, symbolicName);
            main.putValue(Constants.BUNDLE_VERSION, version);
            try (JarOutputStream to = new JarOutputStream(bytes, manifest)) {
                for (JarEntry e : Collections.list(from.entries())) {
                    if (e.isDirectory() || e.getName().equals(JarFile.MANIFEST_NAME)) continue;
                    to.putNextEntry(new JarEntry(e.getName()));
                    from.getInputStream(e).transferTo(to);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new ByteArrayInputStream(bytes.toByteArray());
    }
}
