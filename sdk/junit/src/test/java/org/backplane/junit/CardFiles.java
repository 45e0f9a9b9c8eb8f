package org.backplane.junit;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import org.backplane.junit.card.Activator;

/** The bundle of the tests' card, as a directory such as {@code bnd-process} leaves it. */
final class CardFiles {
    /** Shared by all tests, which only read it. */
    static final Path NOTEBOOK = make(Path.of("target", "notebook"), "org.osgi.framework, org.backplane.kvm.spi;version=\"[1.0,2)\","
            + " org.backplane.kvm.spi.device;version=\"[1.0,2)\"");

    private CardFiles() {}

    static Path make(Path directory, String imports) {
        try {
            Path classes = Files.createDirectories(directory.resolve("org/backplane/junit/card"));
            for (String name : new String[] {"Activator", "NotebookFactory", "NotebookFactory$Notebook"}) {
                try (InputStream in = Activator.class.getResourceAsStream(name + ".class")) {
                    Files.write(classes.resolve(name + ".class"), in.readAllBytes());
                }
            }
            Manifest manifest = new Manifest();
            Attributes main = manifest.getMainAttributes();
            main.put(Attributes.Name.MANIFEST_VERSION, "1.0");
            main.putValue("Bundle-ManifestVersion", "2");
            main.putValue("Bundle-SymbolicName", "com.example.notebook");
            main.putValue("Bundle-Version", "1.0.0");
            main.putValue("Bundle-Activator", Activator.class.getName());
            main.putValue("Import-Package", imports);
            Path file = directory.resolve(JarFile.MANIFEST_NAME);
            Files.createDirectories(file.getParent());
            try (OutputStream to = Files.newOutputStream(file)) {
                manifest.write(to);
            }
            return directory;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
