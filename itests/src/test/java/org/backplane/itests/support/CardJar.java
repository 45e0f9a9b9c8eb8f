package org.backplane.itests.support;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleException;

/** Makes bundles of classes of the tests, as a third party's build would. */
public final class CardJar {
    private static final String SPI = "org.osgi.framework, org.backplane.kvm.spi;version=\"[1.0,2)\", org.backplane.kvm.spi.device;version=\"[1.0,2)\"";

    private final String symbolicName;
    private final Manifest manifest = new Manifest();
    private final List<String> classes = new ArrayList<>();

    public CardJar(String symbolicName, String version) {
        this.symbolicName = symbolicName;
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        header("Bundle-ManifestVersion", "2");
        header("Bundle-SymbolicName", symbolicName);
        header("Bundle-Version", version);
        header("Import-Package", SPI);
    }

    public CardJar header(String name, String value) {
        manifest.getMainAttributes().putValue(name, value);
        return this;
    }

    /** The bundle needs a package that nobody has. */
    public CardJar importing(String unknownPackage) {
        return header("Import-Package", SPI + ", " + unknownPackage);
    }

    /** Packs classes by their binary names. */
    public CardJar classes(String... names) {
        classes.addAll(List.of(names));
        return this;
    }

    public InputStream stream() {
        return new ByteArrayInputStream(bytes());
    }

    private byte[] bytes() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JarOutputStream to = new JarOutputStream(bytes, manifest)) {
            for (String name : classes) {
                String entry = name.replace('.', '/') + ".class";
                to.putNextEntry(new JarEntry(entry));
                try (InputStream in = CardJar.class.getClassLoader().getResourceAsStream(entry)) {
                    in.transferTo(to);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    public void write(Path file) {
        try {
            Files.write(file, bytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Installs and starts it. */
    public Bundle start() throws BundleException {
        Bundle b = Osgi.context().installBundle(symbolicName, stream());
        try {
            b.start();
        } catch (BundleException e) {
            b.uninstall();
            throw e;
        }
        return b;
    }
}
