// SPDX-License-Identifier: Apache-2.0
package org.backplane.deploy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BadBundlesTest {

    @TempDir
    Path directory;

    private final BadBundles listener = new BadBundles();

    @Test
    void takesAJarThatIsNoArchive() throws IOException {
        File file = Files.writeString(directory.resolve("a.jar"), "garbage").toFile();
        assertTrue(listener.canHandle(file));
    }

    @Test
    void takesAJarWithoutSymbolicName() throws IOException {
        File file = jar(new Manifest());
        assertTrue(listener.canHandle(file));
        assertEquals("its manifest has no Bundle-SymbolicName", BadBundles.defect(file));
    }

    @Test
    void leavesBundlesToFileInstall() throws IOException {
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(new Attributes.Name("Bundle-SymbolicName"), "a");
        assertFalse(listener.canHandle(jar(manifest)));
    }

    @Test
    void leavesOtherFilesAlone() throws IOException {
        File file = Files.writeString(directory.resolve("a.cfg"), "garbage").toFile();
        assertFalse(listener.canHandle(file));
    }

    private File jar(Manifest manifest) throws IOException {
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        Path file = directory.resolve("b.jar");
        new JarOutputStream(Files.newOutputStream(file), manifest).close();
        return file.toFile();
    }
}
